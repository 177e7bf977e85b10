/** One delivery: what was sent, each try and its answer, and sending it again. */
import { Button, Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { RotateCw } from "lucide-react"

import { AttemptList } from "@/features/webhooks/attempt-list"
import { useDelivery, useSendAgain } from "@/features/webhooks/deliveries"
import { eventName } from "@/features/webhooks/endpoint"
import { isRetried, isSettled, wordsOf } from "@/features/webhooks/outcome"
import classes from "@/features/webhooks/webhooks.module.css"
import type { Schemas } from "@/shared/api/api"
import { formatMoment } from "@/shared/format/moments"
import { Badge } from "@/shared/ui/badge"
import { Dialog } from "@/shared/ui/dialog"
import { Notice } from "@/shared/ui/notice"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export function DeliveryDrawer({ id, onClose }: { id: string | null; onClose: () => void }) {
  const { t } = useLingui()
  return (
    <Dialog isOpen={id !== null} title={t`Доставка`} isDrawer onClose={onClose}>
      {id !== null && <Looked key={id} id={id} />}
    </Dialog>
  )
}

function Looked({ id }: { id: string }) {
  const { t } = useLingui()
  const again = useSendAgain()
  const { data, isError, error, refetch } = useDelivery(id, again.isSuccess)
  if (isError) return <ProblemNotice error={error} onRetry={() => void refetch()} />
  if (data === undefined) {
    return (
      <div role="status" aria-label={t`Загружаем доставку`}>
        <Skeleton height={160} radius="lg" />
      </div>
    )
  }
  return (
    <div className={classes.drawer}>
      <Facts delivery={data} />
      <Again delivery={data} again={again} />
      <section>
        <h3>{t`Что отправлено`}</h3>
        <pre className={classes.body} tabIndex={0} aria-label={t`Тело запроса`}>
          {JSON.stringify(withoutEmpty(data.body), null, 2)}
        </pre>
      </section>
      <section>
        <h3>{t`Попытки`}</h3>
        <AttemptList delivery={data} />
      </section>
    </div>
  )
}

function Facts({ delivery }: { delivery: Schemas["DeliveryDetail"] }) {
  const { t, i18n } = useLingui()
  const { name, tone } = wordsOf(delivery)
  const { due_at: due, finished_at: finished } = delivery
  const facts: [string, string][] = [
    [t`Событие`, `${eventName(delivery.type, i18n)} (${delivery.type})`],
    [t`Номер события`, delivery.event_id],
    [t`Порядковый номер`, String(delivery.sequence)],
    [t`Произошло`, formatMoment(delivery.created_at, i18n.locale)],
  ]
  if (finished !== null) facts.push([t`Закончено`, formatMoment(finished, i18n.locale)])
  if (delivery.status === "pending" && due !== null) facts.push([t`Следующая попытка`, formatMoment(due, i18n.locale)])
  return (
    <dl className={classes.facts}>
      <div>
        <dt>{t`Состояние`}</dt>
        <dd>
          <Badge tone={tone}>{i18n._(name)}</Badge>
        </dd>
      </div>
      {facts.map(([what, value]) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Again({ delivery, again }: { delivery: Schemas["DeliveryDetail"]; again: ReturnType<typeof useSendAgain> }) {
  return (
    <>
      {again.isError && <ProblemNotice error={again.error} />}
      {again.isSuccess && (
        <Notice tone="good">
          <Trans>Отправляем. Номер события тот же: ваша система узнает повтор.</Trans>
        </Notice>
      )}
      {(isSettled(delivery) || isRetried(delivery)) && (
        <Button
          variant="default"
          size="md"
          className={classes.left}
          loading={again.isPending}
          leftSection={<RotateCw size={17} aria-hidden="true" />}
          onClick={() => again.mutate(delivery.id)}
        >
          {isRetried(delivery) ? <Trans>Повторить сейчас</Trans> : <Trans>Отправить ещё раз</Trans>}
        </Button>
      )}
    </>
  )
}

/** As it goes over the wire: members that are not set are left out. */
function withoutEmpty(body: object): object {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
}
