/** What an owner has to know of an endpoint that is not well: why, since when, and what will happen. */
import { Trans, useLingui } from "@lingui/react/macro"

import { healthOf } from "@/features/webhooks/endpoint"
import type { Endpoint } from "@/features/webhooks/queries"
import classes from "@/features/webhooks/webhooks.module.css"
import { formatMoment } from "@/shared/format/moments"
import { Notice } from "@/shared/ui/notice"

export function EndpointNews({ endpoint }: { endpoint: Endpoint }) {
  const health = healthOf(endpoint)
  if (health === "disabled") return <Disabled endpoint={endpoint} />
  return health === "failing" ? <Failing endpoint={endpoint} /> : null
}

function Disabled({ endpoint }: { endpoint: Endpoint }) {
  const { t, i18n } = useLingui()
  const since = endpoint.disabled_at === null ? "" : formatMoment(endpoint.disabled_at, i18n.locale)
  const why = {
    owner: t`Вебхук отключили вы или ваш администратор.`,
    gone: t`Вебхук отключён: адрес ответил, что его больше нет (410).`,
    failing: t`Вебхук отключён: пять дней подряд адрес не принимал события.`,
  }
  return (
    <Notice tone={endpoint.disabled_reason === "owner" ? "plain" : "bad"}>
      <p>{why[endpoint.disabled_reason ?? "owner"]}</p>
      <p>
        <Trans>Отключён с {since}. События мы сохраняем: включите вебхук, и их можно будет отправить.</Trans>
      </p>
    </Notice>
  )
}

function Failing({ endpoint }: { endpoint: Endpoint }) {
  const { t, i18n } = useLingui()
  const since = endpoint.failing_since === null ? "" : formatMoment(endpoint.failing_since, i18n.locale)
  const percent = endpoint.warned_percent
  return (
    <Notice tone="bad">
      <p>
        <Trans>Адрес не принимает события с {since}. Если так будет пять дней подряд, мы отключим вебхук.</Trans>
      </p>
      <progress className={classes.progress} max={100} value={percent} aria-label={t`До отключения пройдено времени`} />
      <p>
        <Trans>Прошло больше {percent} % этого срока. Одного удачного ответа хватит, чтобы счёт начался заново.</Trans>
      </p>
    </Notice>
  )
}
