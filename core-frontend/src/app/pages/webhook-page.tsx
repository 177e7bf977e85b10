/** One webhook: how it is, how it is set up, what it was sent, and sending again. */
import { Button, Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { ArrowLeft, RotateCw } from "lucide-react"
import { useState } from "react"
import { Link, useNavigate, useParams } from "react-router"

import classes from "@/app/pages/webhooks-page.module.css"
import { DeliveryList } from "@/features/webhooks/delivery-list"
import { EnableDialog } from "@/features/webhooks/enable-dialog"
import { EndpointNews } from "@/features/webhooks/endpoint-news"
import { EndpointSection } from "@/features/webhooks/endpoint-section"
import { type Endpoint, useEndpoint } from "@/features/webhooks/queries"
import { ReplayDialog } from "@/features/webhooks/replay-dialog"
import { ReplayList } from "@/features/webhooks/replay-list"
import { useTest } from "@/features/webhooks/test-button"
import { hostOf } from "@/shared/format/address"
import { PageHeading } from "@/shared/ui/page-heading"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import rows from "@/shared/ui/rows.module.css"
import { Section } from "@/shared/ui/section"

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
  const [isEnabling, setEnabling] = useState(false)
  const test = useTest(endpoint.id)
  return (
    <>
      <PageHeading className={classes.name}>{hostOf(endpoint.url)}</PageHeading>
      <div className={classes.news}>
        <EndpointNews endpoint={endpoint} />
        {test.result}
      </div>
      <div className={classes.sections}>
        <EndpointSection endpoint={endpoint} onEnable={() => setEnabling(true)} onDeleted={() => void navigate("/webhooks")}>
          {test.button}
        </EndpointSection>
        <Deliveries endpoint={endpoint} />
      </div>
      <EnableDialog endpoint={endpoint} isOpen={isEnabling} onClose={() => setEnabling(false)} />
    </>
  )
}

function Deliveries({ endpoint: { id, status } }: { endpoint: Endpoint }) {
  const { t } = useLingui()
  const [isReplaying, setReplaying] = useState(false)
  return (
    <Section title={t`Доставки`} lead={t`Что мы отправили и что ответил адрес. Нажмите на доставку, чтобы увидеть подробности.`}>
      <DeliveryList endpointId={id} />
      <div className={rows.end}>
        <ReplayList endpointId={id} />
        {status === "enabled" && (
          <Button
            variant="default"
            size="md"
            className={rows.wide}
            leftSection={<RotateCw size={17} aria-hidden="true" />}
            onClick={() => setReplaying(true)}
          >
            <Trans>Отправить ещё раз…</Trans>
          </Button>
        )}
      </div>
      <ReplayDialog endpointId={id} isOpen={isReplaying} onClose={() => setReplaying(false)} />
    </Section>
  )
}
