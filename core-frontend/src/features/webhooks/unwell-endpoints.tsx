/** Tells of endpoints that are not well where their owner comes by anyway; nothing at all where all are. */
import { Trans, useLingui } from "@lingui/react/macro"
import { Link } from "react-router"

import { healthOf } from "@/features/webhooks/endpoint"
import { type Endpoint, useUnwellEndpoints } from "@/features/webhooks/queries"
import classes from "@/features/webhooks/webhooks.module.css"
import { hostOf } from "@/shared/format/address"
import { formatMoment } from "@/shared/format/moments"
import { Notice } from "@/shared/ui/notice"

const SHOWN = 3

export function UnwellEndpoints() {
  const { data = [] } = useUnwellEndpoints()
  if (data.length === 0) return null
  return (
    <div className={classes.unwell}>
      <Notice tone="bad">
        {data.slice(0, SHOWN).map((endpoint) => (
          <Unwell key={endpoint.id} endpoint={endpoint} />
        ))}
        {data.length > SHOWN && (
          <p>
            <Link to="/webhooks">
              <Trans>Все вебхуки</Trans>
            </Link>
          </p>
        )}
      </Notice>
    </div>
  )
}

function Unwell({ endpoint }: { endpoint: Endpoint }) {
  const { i18n } = useLingui()
  const { id, url, disabled_at: disabledAt, failing_since: failingSince } = endpoint
  const moment = disabledAt ?? failingSince
  const since = moment === null ? "" : formatMoment(moment, i18n.locale)
  const name = <Link to={`/webhooks/${id}`}>{hostOf(url)}</Link>
  return (
    <p>
      {healthOf(endpoint) === "disabled" ? (
        <Trans>
          Вебхук {name} отключён с {since}.
        </Trans>
      ) : (
        <Trans>
          Вебхук {name} не принимает события с {since}.
        </Trans>
      )}
    </p>
  )
}
