/** How an endpoint is set up. */
import { Trans, useLingui } from "@lingui/react/macro"

import { eventName } from "@/features/webhooks/endpoint"
import { EndpointBadge } from "@/features/webhooks/endpoint-badge"
import type { Endpoint } from "@/features/webhooks/queries"
import classes from "@/features/webhooks/webhooks.module.css"
import { formatMoment } from "@/shared/format/moments"

export function EndpointFacts({ endpoint }: { endpoint: Endpoint }) {
  const { t, i18n } = useLingui()
  const { event_types: types, rate_per_second: rate, concurrency, previous_secret_until: until } = endpoint
  const names = types.map((type) => eventName(type, i18n))
  return (
    <dl className={classes.facts}>
      <div>
        <dt>{t`Состояние`}</dt>
        <dd>
          <EndpointBadge endpoint={endpoint} />
        </dd>
      </div>
      <div>
        <dt>{t`Адрес`}</dt>
        <dd>{endpoint.url}</dd>
      </div>
      <div>
        <dt>{t`События`}</dt>
        <dd>{names.length === 0 ? t`Все` : names.join(", ")}</dd>
      </div>
      <div>
        <dt>{t`Порядок`}</dt>
        <dd>{endpoint.ordered ? t`Строгий: следующее после предыдущего` : t`Как получится быстрее`}</dd>
      </div>
      <div>
        <dt>{t`Скорость`}</dt>
        <dd>
          <Trans>
            До {rate} в секунду, одновременно до {concurrency}
          </Trans>
        </dd>
      </div>
      <div>
        <dt>{t`Версия событий`}</dt>
        <dd>{endpoint.schema_version}</dd>
      </div>
      {until !== null && (
        <div>
          <dt>{t`Прежний секрет`}</dt>
          <dd>
            <Trans>Подписывает вместе с новым до {formatMoment(until, i18n.locale)}</Trans>
          </dd>
        </div>
      )}
    </dl>
  )
}
