/** What an endpoint was sent, newest first, and what became of it. */
import { Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { plural } from "@lingui/core/macro"
import { useState } from "react"

import { type Delivery, type DeliveryFilter, useDeliveries } from "@/features/webhooks/deliveries"
import { DeliveryDrawer } from "@/features/webhooks/delivery-drawer"
import { DeliveryFilters } from "@/features/webhooks/delivery-filters"
import { eventName } from "@/features/webhooks/endpoint"
import { describeTry, wordsOf } from "@/features/webhooks/outcome"
import classes from "@/features/webhooks/webhooks.module.css"
import { formatAgo } from "@/shared/format/moments"
import { Badge } from "@/shared/ui/badge"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import rows from "@/shared/ui/rows.module.css"
import { ShowMore } from "@/shared/ui/show-more"

export function DeliveryList({ endpointId }: { endpointId: string }) {
  const [filter, setFilter] = useState<DeliveryFilter>({ endpointId, status: null, type: null, since: null })
  const [shown, setShown] = useState<string | null>(null)
  return (
    <>
      <DeliveryFilters filter={filter} onChange={setFilter} />
      <Found filter={filter} onShow={setShown} />
      <DeliveryDrawer id={shown} onClose={() => setShown(null)} />
    </>
  )
}

function Found({ filter, onShow }: { filter: DeliveryFilter; onShow: (id: string) => void }) {
  const { t } = useLingui()
  const list = useDeliveries(filter)
  if (list.isPending) {
    return (
      <div className={rows.row} role="status" aria-label={t`Загружаем доставки`}>
        <Skeleton height={44} />
      </div>
    )
  }
  if (list.isError) {
    return (
      <div className={classes.inside}>
        <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />
      </div>
    )
  }
  if (list.data.length === 0) {
    const isFiltered = filter.status !== null || filter.type !== null || filter.since !== null
    return (
      <p className={classes.inside}>
        {isFiltered ? <Trans>Таких доставок нет.</Trans> : <Trans>Пока ничего не отправляли.</Trans>}
      </p>
    )
  }
  return (
    <>
      <ul className={classes.rows} aria-label={t`Доставки`}>
        {list.data.map((delivery) => (
          <DeliveryRow key={delivery.id} delivery={delivery} onShow={() => onShow(delivery.id)} />
        ))}
      </ul>
      {list.hasNextPage && (
        <div className={rows.end}>
          <ShowMore list={list} />
        </div>
      )}
    </>
  )
}

function DeliveryRow({ delivery, onShow }: { delivery: Delivery; onShow: () => void }) {
  const { t, i18n } = useLingui()
  const { type, created_at: created, attempts, last_response_status: status, last_error: error, replayed } = delivery
  const { name, tone } = wordsOf(delivery)
  const what = describeTry(status, error, i18n)
  return (
    <li className={rows.row} data-testid="delivery" data-status={delivery.status}>
      <div className={rows.what}>
        <button type="button" className={classes.whole} onClick={onShow}>
          {eventName(type, i18n)}
        </button>
        <span className={rows.facts}>
          <time dateTime={created}>{formatAgo(created, i18n.locale)}</time>
          {what !== "" && <span>{what}</span>}
          {attempts > 1 && (
            <span>{t`${plural(attempts, { one: "# попытка", few: "# попытки", many: "# попыток", other: "# попытки" })}`}</span>
          )}
          {replayed && <span>{t`повторно`}</span>}
        </span>
      </div>
      <Badge tone={tone}>{i18n._(name)}</Badge>
    </li>
  )
}
