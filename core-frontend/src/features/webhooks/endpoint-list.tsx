/** A tenant's endpoints: where each leads, and how it is. */
import { Skeleton } from "@mantine/core"
import { plural } from "@lingui/core/macro"
import { Trans, useLingui } from "@lingui/react/macro"
import { Webhook } from "lucide-react"
import { Link } from "react-router"

import { addressOf, healthOf } from "@/features/webhooks/endpoint"
import { EndpointBadge } from "@/features/webhooks/endpoint-badge"
import { type Endpoint, useEndpoints } from "@/features/webhooks/queries"
import classes from "@/features/webhooks/webhooks.module.css"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import rows from "@/shared/ui/rows.module.css"
import { ShowMore } from "@/shared/ui/show-more"

const SIGN = { enabled: "good", failing: "bad", disabled: undefined } as const

export function EndpointList() {
  const { t } = useLingui()
  const list = useEndpoints()
  if (list.isPending) {
    return (
      <div role="status" aria-label={t`Загружаем вебхуки`}>
        <Skeleton height={76} radius="lg" />
      </div>
    )
  }
  if (list.isError) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />
  if (list.data.length === 0) {
    return (
      <div className={classes.empty}>
        <Webhook size={40} aria-hidden="true" />
        <p>
          <Trans>Пока нет ни одного вебхука. Добавьте адрес своей системы: CRM, склада, бухгалтерии.</Trans>
        </p>
      </div>
    )
  }
  return (
    <>
      <ul className={classes.card} aria-label={t`Вебхуки`}>
        {list.data.map((endpoint) => (
          <EndpointRow key={endpoint.id} endpoint={endpoint} />
        ))}
      </ul>
      <ShowMore list={list} />
    </>
  )
}

function EndpointRow({ endpoint }: { endpoint: Endpoint }) {
  const { t } = useLingui()
  const { id, url, description, event_types: types } = endpoint
  const events =
    types.length === 0
      ? t`Все события`
      : t`${plural(types.length, { one: "# событие", few: "# события", many: "# событий", other: "# события" })}`
  return (
    <li className={rows.row} data-testid="endpoint" data-status={endpoint.status}>
      <span className={rows.sign} data-tone={SIGN[healthOf(endpoint)]}>
        <Webhook size={20} aria-hidden="true" />
      </span>
      <div className={rows.what}>
        <b>
          <Link to={`/webhooks/${id}`} className={classes.whole}>
            {addressOf(url)}
          </Link>
        </b>
        <span className={rows.facts}>
          {description !== "" && <span>{description}</span>}
          <span>{events}</span>
        </span>
      </div>
      <EndpointBadge endpoint={endpoint} />
    </li>
  )
}
