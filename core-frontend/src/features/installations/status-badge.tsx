/** Where an installation is in its life, in a word and a colour. */
import type { MessageDescriptor } from "@lingui/core"
import { msg } from "@lingui/core/macro"
import { useLingui } from "@lingui/react"

import type { InstallationStatus } from "@/features/installations/installation"
import classes from "@/features/installations/status-badge.module.css"

const NAMES: Readonly<Record<InstallationStatus, MessageDescriptor>> = {
  provisioning: msg`Запускается`,
  live: msg`Работает`,
  suspended: msg`Приостановлен`,
  failed: msg`Не запустился`,
  gone: msg`Удалён`,
}

export function StatusBadge({ status }: { status: InstallationStatus }) {
  const { i18n } = useLingui()
  return (
    <span className={classes.badge} data-status={status}>
      {i18n._(NAMES[status])}
    </span>
  )
}
