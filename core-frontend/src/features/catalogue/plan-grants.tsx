/** What a plan grants, as far as its module has given it words: the difference between two plans of the same price. */
import { useLingui } from "@lingui/react/macro"

import { textIn } from "@/features/catalogue/localized"
import type { Module, Plan } from "@/features/catalogue/queries"

interface PlanGrantsProps {
  plan: Plan
  entitlements: Module["entitlements"]
}

export function PlanGrants({ plan, entitlements }: PlanGrantsProps) {
  const { t, i18n } = useLingui()
  const grants = entitlements.flatMap(({ key, name }) => {
    const value = plan.entitlements[key]
    if (!name || value === undefined || value === false) return []
    const what = textIn(name, i18n.locale)
    if (value === true) return [what]
    return [`${what}: ${value === null ? t`без ограничений` : value.toLocaleString(i18n.locale)}`]
  })
  return grants.length === 0 ? null : <small>{grants.join(" · ")}</small>
}
