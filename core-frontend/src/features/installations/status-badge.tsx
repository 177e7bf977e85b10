/** Where an installation is in its life, in a word and a colour. */
import type { MessageDescriptor } from "@lingui/core"
import { msg } from "@lingui/core/macro"
import { useLingui } from "@lingui/react"

import type { InstallationStatus } from "@/features/installations/installation"
import { Badge, type BadgeTone } from "@/shared/ui/badge"

const WORDS: Readonly<Record<InstallationStatus, { name: MessageDescriptor; tone: BadgeTone }>> = {
  provisioning: { name: msg`Запускается`, tone: "busy" },
  live: { name: msg`Работает`, tone: "good" },
  suspended: { name: msg`Приостановлен`, tone: "bad" },
  failed: { name: msg`Не запустился`, tone: "bad" },
  gone: { name: msg`Удалён`, tone: "plain" },
}

export function StatusBadge({ status }: { status: InstallationStatus }) {
  const { i18n } = useLingui()
  const { name, tone } = WORDS[status]
  return <Badge tone={tone}>{i18n._(name)}</Badge>
}
