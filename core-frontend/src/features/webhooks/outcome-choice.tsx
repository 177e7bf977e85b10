/** Deliveries with which outcome are sent again. */
import { Trans, useLingui } from "@lingui/react/macro"

import type { ReplayWish } from "@/features/webhooks/deliveries"
import { RETRIED, STATUSES } from "@/features/webhooks/outcome"
import classes from "@/features/webhooks/webhooks.module.css"

export type ReplayStatus = ReplayWish["statuses"][number]

const OFFERED: readonly ReplayStatus[] = ["held", "refused", "expired", "pending", "delivered"]

interface OutcomeChoiceProps {
  chosen: readonly ReplayStatus[]
  onChange: (chosen: readonly ReplayStatus[]) => void
}

export function OutcomeChoice({ chosen, onChange }: OutcomeChoiceProps) {
  const { i18n } = useLingui()
  return (
    <fieldset className={classes.choice}>
      <legend className={classes.label}>
        <Trans>Какие</Trans>
      </legend>
      <div className={classes.grid}>
        {OFFERED.map((status) => (
          <label key={status} className={classes.option}>
            <input
              type="checkbox"
              checked={chosen.includes(status)}
              onChange={(event) => {
                const rest = chosen.filter((other) => other !== status)
                onChange(event.currentTarget.checked ? [...rest, status] : rest)
              }}
            />
            <span>{i18n._((status === "pending" ? RETRIED : STATUSES[status]).name)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
