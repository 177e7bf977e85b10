/** What is being sent again, and how far that is. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"

import { type Replay, useCancelReplay, useReplays } from "@/features/webhooks/deliveries"
import classes from "@/features/webhooks/webhooks.module.css"
import { formatAgo } from "@/shared/format/moments"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import rows from "@/shared/ui/rows.module.css"
import { ShowMore } from "@/shared/ui/show-more"

export function ReplayList({ endpointId }: { endpointId: string }) {
  const { t } = useLingui()
  const list = useReplays(endpointId)
  const cancel = useCancelReplay()
  if (list.isError) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />
  if (list.data === undefined || list.data.length === 0) return null
  return (
    <>
      {cancel.isError && <ProblemNotice error={cancel.error} />}
      <ul className={classes.rows} aria-label={t`Повторные отправки`}>
        {list.data.map((replay) => (
          <ReplayRow
            key={replay.id}
            replay={replay}
            isCancelling={cancel.isPending && cancel.variables === replay.id}
            onCancel={() => cancel.mutate(replay.id)}
          />
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

interface ReplayRowProps {
  replay: Replay
  isCancelling: boolean
  onCancel: () => void
}

function ReplayRow({ replay, isCancelling, onCancel }: ReplayRowProps) {
  const { t, i18n } = useLingui()
  const { status, done, total, created_at: created } = replay
  const words = { running: t`Отправляем`, done: t`Отправлено`, cancelled: t`Остановлено` }
  return (
    <li className={rows.row} data-testid="replay" data-status={status}>
      <div className={rows.what}>
        <b>
          {words[status]}: <Trans>{done} из {total}</Trans>
        </b>
        {status === "running" && (
          <progress className={classes.progress} max={Math.max(1, total)} value={done} aria-label={t`Отправлено событий`} />
        )}
        <span className={rows.facts}>
          <time dateTime={created}>{formatAgo(created, i18n.locale)}</time>
        </span>
      </div>
      {status === "running" && (
        <Button variant="default" size="sm" loading={isCancelling} onClick={onCancel}>
          <Trans>Остановить</Trans>
        </Button>
      )}
    </li>
  )
}
