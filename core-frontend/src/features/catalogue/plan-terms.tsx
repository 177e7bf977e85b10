/** What a plan costs, said in one line: the trial first, for that is what happens first. */
import { Plural, Trans } from "@lingui/react/macro"
import { useLingui } from "@lingui/react"

import type { Plan } from "@/features/catalogue/queries"
import { formatMoney } from "@/shared/format/money"

export function PlanTerms({ plan }: { plan: Plan }) {
  const { i18n } = useLingui()
  const price = formatMoney(plan.price_minor, plan.currency, i18n.locale)
  const isPaid = plan.price_minor > 0
  if (plan.trial_days === 0) return isPaid ? <Trans>{price} в месяц</Trans> : <Trans>Бесплатно</Trans>
  return (
    <>
      <Plural value={plan.trial_days} one="# день бесплатно" few="# дня бесплатно" many="# дней бесплатно" other="# дня бесплатно" />
      {isPaid && <Trans>, затем {price} в месяц</Trans>}
    </>
  )
}
