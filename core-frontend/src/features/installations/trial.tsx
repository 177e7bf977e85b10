/** How much of the trial is left. */
import { Plural, Trans } from "@lingui/react/macro"
import { useLingui } from "@lingui/react"

import classes from "@/features/installations/trial.module.css"
import type { Schemas } from "@/shared/api/api"
import { daysLeft, formatDay } from "@/shared/format/days"

export function Trial({ subscription }: { subscription: Schemas["SubscriptionBrief"] }) {
  const { i18n } = useLingui()
  const until = subscription.trial_ends_at
  if (subscription.status !== "trialing" || until === null) return null
  const days = daysLeft(until)
  const day = formatDay(until, i18n.locale)
  return (
    <p className={classes.trial} data-ending={days <= 3} data-testid="trial">
      {days === 0 ? (
        <Trans>Пробный период закончился</Trans>
      ) : (
        <>
          <b>
            <Plural
              value={days}
              one="Ещё # день бесплатно"
              few="Ещё # дня бесплатно"
              many="Ещё # дней бесплатно"
              other="Ещё # дня бесплатно"
            />
          </b>{" "}
          <Trans>Пробный период до {day}</Trans>
        </>
      )}
    </p>
  )
}
