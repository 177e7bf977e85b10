/** Sends again what an endpoint has missed: chosen by time, outcome and event, counted before anything is sent. */
import { Button, TextInput } from "@mantine/core"
import { plural } from "@lingui/core/macro"
import { Trans, useLingui } from "@lingui/react/macro"
import { type SyntheticEvent, useState } from "react"

import { type ReplayWish, useCountReplay, useStartReplay } from "@/features/webhooks/deliveries"
import type { EventType } from "@/features/webhooks/endpoint"
import { EventChoice } from "@/features/webhooks/event-choice"
import { OutcomeChoice, type ReplayStatus } from "@/features/webhooks/outcome-choice"
import classes from "@/features/webhooks/webhooks.module.css"
import { Dialog } from "@/shared/ui/dialog"
import dialog from "@/shared/ui/dialog.module.css"
import fields from "@/shared/ui/fields.module.css"
import { Notice } from "@/shared/ui/notice"
import { ProblemNotice } from "@/shared/ui/problem-notice"

const MISSED: readonly ReplayStatus[] = ["held", "refused", "expired", "pending"]
const INPUT = { input: fields.field, label: fields.label }

interface ReplayDialogProps {
  endpointId: string
  isOpen: boolean
  onClose: () => void
}

export function ReplayDialog({ endpointId, isOpen, onClose }: ReplayDialogProps) {
  const { t } = useLingui()
  return (
    <Dialog isOpen={isOpen} title={t`Отправить ещё раз`} onClose={onClose}>
      <ReplayForm endpointId={endpointId} onDone={onClose} />
    </Dialog>
  )
}

interface Asked {
  since: string
  until: string
  types: readonly EventType[] | null
  statuses: readonly ReplayStatus[]
  rate: string
}

function ReplayForm({ endpointId, onDone }: { endpointId: string; onDone: () => void }) {
  const { t } = useLingui()
  const [asked, setAsked] = useState<Asked>({ since: "", until: "", types: null, statuses: MISSED, rate: "20" })
  const count = useCountReplay(endpointId)
  const start = useStartReplay(endpointId)
  const total = count.data
  const isWhole = asked.statuses.length > 0 && (asked.types === null || asked.types.length > 0)

  function change(part: Partial<Asked>) {
    setAsked({ ...asked, ...part })
    count.reset()
    start.reset()
  }

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    if (!isWhole || count.isPending || start.isPending) return
    if (total === undefined) count.mutate(wishOf(asked))
    else if (total > 0) start.mutate(wishOf(asked), { onSuccess: onDone })
  }

  return (
    <form className={classes.form} onSubmit={submit}>
      <p className={classes.hint}>
        <Trans>События уйдут с прежними номерами, поэтому ваша система отличит повтор от нового.</Trans>
      </p>
      <div className={classes.fields}>
        <TextInput
          type="datetime-local"
          label={t`С какого времени`}
          value={asked.since}
          onChange={(event) => change({ since: event.currentTarget.value })}
          classNames={INPUT}
        />
        <TextInput
          type="datetime-local"
          label={t`По какое время`}
          value={asked.until}
          onChange={(event) => change({ until: event.currentTarget.value })}
          classNames={INPUT}
        />
      </div>
      <OutcomeChoice chosen={asked.statuses} onChange={(statuses) => change({ statuses })} />
      <EventChoice
        chosen={asked.types}
        all={t`Все`}
        error={asked.types?.length === 0 ? t`Выберите хотя бы одно событие` : null}
        onChange={(types) => change({ types })}
      />
      <TextInput
        type="number"
        min={1}
        max={1000}
        label={t`Событий в секунду`}
        value={asked.rate}
        onChange={(event) => change({ rate: event.currentTarget.value })}
        classNames={INPUT}
      />
      {total !== undefined && (
        <Notice tone={total === 0 ? "plain" : "good"}>
          {total === 0
            ? t`Таких событий нет, отправлять нечего.`
            : t`Будет отправлено: ${plural(total, { one: "# событие", few: "# события", many: "# событий", other: "# события" })}`}
        </Notice>
      )}
      {(count.isError || start.isError) && <ProblemNotice error={count.error ?? start.error} />}
      <div className={dialog.actions}>
        <Button variant="default" size="md" onClick={onDone}>
          <Trans>Отмена</Trans>
        </Button>
        <Button type="submit" size="md" loading={count.isPending || start.isPending} disabled={!isWhole || total === 0}>
          {total === undefined ? <Trans>Посчитать</Trans> : <Trans>Отправить</Trans>}
        </Button>
      </div>
    </form>
  )
}

function wishOf({ since, until, types, statuses, rate }: Asked): ReplayWish {
  const moment = (local: string) => (local === "" ? null : new Date(local).toISOString())
  return {
    since: moment(since),
    until: moment(until),
    event_types: [...(types ?? [])],
    statuses: [...statuses],
    rate_per_second: Math.min(1000, Math.max(1, Math.round(Number(rate)) || 1)),
  }
}
