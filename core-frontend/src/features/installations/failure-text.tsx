/** Why an activation was undone, for the owner: the module's own reason where it gave one. */
import type { MessageDescriptor } from "@lingui/core"
import { msg } from "@lingui/core/macro"
import { useLingui } from "@lingui/react"

import type { Schemas } from "@/shared/api/api"

const BY_CODE: Readonly<Record<string, MessageDescriptor>> = {
  "installations.deadline": msg`Модуль не ответил вовремя. Обычно это ненадолго: попробуйте ещё раз через минуту.`,
  "installations.refused": msg`Модуль отказался запускаться. Попробуйте ещё раз или выберите другой.`,
}

export function FailureText({ failure }: { failure: Schemas["Failure"] | null }) {
  const { i18n } = useLingui()
  const known = failure === null ? undefined : BY_CODE[failure.code]
  return known === undefined ? (failure?.detail ?? i18n._(msg`Модуль не смог запуститься.`)) : i18n._(known)
}
