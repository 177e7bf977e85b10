/** The plans of a module: a choice where there is one, otherwise plain words on what the only one costs. */
import { Trans, useLingui } from "@lingui/react/macro"
import { CalendarCheck } from "lucide-react"
import { useState } from "react"

import { textIn } from "@/features/catalogue/localized"
import classes from "@/features/catalogue/plan-picker.module.css"
import { PlanGrants } from "@/features/catalogue/plan-grants"
import { PlanTerms } from "@/features/catalogue/plan-terms"
import type { Module, Plan } from "@/features/catalogue/queries"
import { formatDay } from "@/shared/format/days"

const DAY = 86_400_000

interface PlanPickerProps {
  plans: readonly Plan[]
  entitlements: Module["entitlements"]
  chosen: Plan | null
  onChange: (code: string) => void
}

export function PlanPicker({ plans, entitlements, chosen, onChange }: PlanPickerProps) {
  const { t, i18n } = useLingui()
  if (chosen === null) return null
  return (
    <div className={classes.plans}>
      {plans.length > 1 && (
        <div role="radiogroup" aria-label={t`Тариф`} className={classes.options}>
          {plans.map((plan) => (
            <label key={plan.code} className={classes.option}>
              <input
                type="radio"
                name="plan"
                value={plan.code}
                checked={plan.code === chosen.code}
                onChange={() => onChange(plan.code)}
              />
              <div>
                <b>{textIn(plan.name, i18n.locale)}</b>
                <PlanGrants plan={plan} entitlements={entitlements} />
              </div>
              <span>
                <PlanTerms plan={plan} />
              </span>
            </label>
          ))}
        </div>
      )}
      {chosen.trial_days > 0 && <TrialPromise plan={chosen} />}
    </div>
  )
}

function TrialPromise({ plan }: { plan: Plan }) {
  const { i18n } = useLingui()
  const [today] = useState(Date.now)
  const end = formatDay(new Date(today + plan.trial_days * DAY).toISOString(), i18n.locale)
  return (
    <p className={classes.promise}>
      <CalendarCheck size={22} aria-hidden="true" />
      <span>
        <b>
          <PlanTerms plan={plan} />
        </b>{" "}
        <Trans>Пробный период — до {end}. Карта не нужна, и сами мы ничего не спишем.</Trans>
      </span>
    </p>
  )
}
