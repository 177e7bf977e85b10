/** One webhook: how it is, how it is set up, and what can be done with it. */
import { Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { ArrowLeft } from "lucide-react"
import { Link, useNavigate, useParams } from "react-router"

import classes from "@/app/pages/webhooks-page.module.css"
import { EndpointNews } from "@/features/webhooks/endpoint-news"
import { EndpointSection } from "@/features/webhooks/endpoint-section"
import { type Endpoint, useChangeEndpoint, useEndpoint } from "@/features/webhooks/queries"
import { hostOf } from "@/shared/format/address"
import { PageHeading } from "@/shared/ui/page-heading"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export function WebhookPage() {
  const { t } = useLingui()
  const { id = "" } = useParams()
  const { data: endpoint, isError, error, refetch } = useEndpoint(id)
  return (
    <>
      <Link to="/webhooks" className={classes.back}>
        <ArrowLeft size={18} aria-hidden="true" />
        <Trans>Все вебхуки</Trans>
      </Link>
      {isError && <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {endpoint === undefined && !isError && (
        <div role="status" aria-label={t`Загружаем вебхук`}>
          <Skeleton height={200} radius="lg" />
        </div>
      )}
      {endpoint !== undefined && <Webhook key={id} endpoint={endpoint} />}
    </>
  )
}

function Webhook({ endpoint }: { endpoint: Endpoint }) {
  const navigate = useNavigate()
  const change = useChangeEndpoint(endpoint.id)
  return (
    <>
      <PageHeading className={classes.name}>{hostOf(endpoint.url)}</PageHeading>
      <div className={classes.news}>
        <EndpointNews endpoint={endpoint} />
        {change.isError && <ProblemNotice error={change.error} />}
      </div>
      <div className={classes.sections}>
        <EndpointSection
          endpoint={endpoint}
          onEnable={() => change.mutate({ status: "enabled" })}
          onDeleted={() => void navigate("/webhooks")}
        />
      </div>
    </>
  )
}
