/** Says whether the address is free, and when not, why and what to do. */
import { Loader } from "@mantine/core"
import type { MessageDescriptor } from "@lingui/core"
import { msg } from "@lingui/core/macro"
import { Trans, useLingui } from "@lingui/react/macro"
import { CircleCheck, CircleX } from "lucide-react"
import type { ReactNode } from "react"

import classes from "@/features/domains/address-step.module.css"
import type { Malformed } from "@/features/domains/label"
import type { AddressState } from "@/features/domains/queries"
import { useProblemText } from "@/shared/api/problem-text"

const REFUSALS: Readonly<Record<string, MessageDescriptor>> = {
  taken: msg`Этот адрес уже занят. Попробуйте другой.`,
  reserved: msg`Этот адрес зарезервирован платформой. Попробуйте другой.`,
  quarantined: msg`Этот адрес недавно освободился и 90 дней никому не выдаётся. Попробуйте другой.`,
  malformed: msg`Только латинские буквы, цифры и дефис между ними.`,
}

const MALFORMATIONS: Readonly<Record<Malformed, MessageDescriptor>> = {
  short: msg`Слишком коротко: нужно хотя бы три знака.`,
  edge: msg`Дефис не может стоять в начале или в конце.`,
  dashes: msg`Только латинские буквы, цифры и дефис между ними; два дефиса на третьем и четвёртом месте не подойдут.`,
}

export function AddressStatus({ id, state }: { id: string; state: AddressState }) {
  const { icon, text } = useLook(state)
  const kind = state.kind === "malformed" ? "refused" : state.kind
  return (
    <p id={id} role="status" className={classes.status} data-testid="address-status" data-state={kind}>
      {icon}
      <span>{text}</span>
    </p>
  )
}

function useLook(state: AddressState): { icon: ReactNode; text: ReactNode } {
  const { t, i18n } = useLingui()
  const describe = useProblemText()
  const refused = <CircleX size={18} aria-hidden="true" />
  switch (state.kind) {
    case "idle":
      return { icon: null, text: t`Можно писать по-русски, переведём в латиницу.` }
    case "checking":
      return { icon: <Loader size={16} color="gray" aria-hidden="true" />, text: t`Проверяем…` }
    case "available":
      return { icon: <CircleCheck size={18} aria-hidden="true" />, text: t`Адрес свободен` }
    case "malformed":
      return { icon: refused, text: i18n._(MALFORMATIONS[state.malformed]) }
    case "refused":
      return { icon: refused, text: i18n._(REFUSALS[state.reason] ?? msg`Этот адрес не подойдёт. Попробуйте другой.`) }
    case "error":
      return {
        icon: refused,
        text: (
          <>
            {describe(state.error).text}{" "}
            <button type="button" className={classes.retry} onClick={state.retry}>
              <Trans>Проверить ещё раз</Trans>
            </button>
          </>
        ),
      }
  }
}
