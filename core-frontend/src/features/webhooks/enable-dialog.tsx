/** Enables an endpoint, and offers to send what was kept for it meanwhile. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { useState } from "react"

import { useRecover } from "@/features/webhooks/deliveries"
import { type Endpoint, useChangeEndpoint } from "@/features/webhooks/queries"
import classes from "@/features/webhooks/webhooks.module.css"
import { formatMoment } from "@/shared/format/moments"
import { Dialog } from "@/shared/ui/dialog"
import dialog from "@/shared/ui/dialog.module.css"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface EnableDialogProps {
  endpoint: Endpoint
  isOpen: boolean
  onClose: () => void
}

export function EnableDialog({ endpoint, isOpen, onClose }: EnableDialogProps) {
  const { t } = useLingui()
  return (
    <Dialog isOpen={isOpen} title={t`Включить вебхук?`} onClose={onClose}>
      <Question endpoint={endpoint} onDone={onClose} />
    </Dialog>
  )
}

function Question({ endpoint, onDone }: { endpoint: Endpoint; onDone: () => void }) {
  const { i18n } = useLingui()
  const [isWanted, setWanted] = useState(true)
  // as it was when this was asked: once the endpoint is enabled, the core forgets since when it was not
  const [since] = useState(endpoint.failing_since ?? endpoint.disabled_at)
  const change = useChangeEndpoint(endpoint.id)
  const recover = useRecover(endpoint.id)
  const problem = change.error ?? recover.error

  async function enable() {
    try {
      await change.mutateAsync({ status: "enabled" })
      if (isWanted && since !== null) await recover.mutateAsync(since)
      onDone()
    } catch {
      // what went wrong is shown; pressing again enables once more, which changes nothing, and goes on
    }
  }

  return (
    <>
      <div className={dialog.text}>
        <p>
          <Trans>Новые события снова пойдут на этот адрес.</Trans>
        </p>
        {since !== null && (
          <label className={classes.option}>
            <input type="checkbox" checked={isWanted} onChange={(event) => setWanted(event.currentTarget.checked)} />
            <span>
              <Trans>Отправить и то, что не дошло с {formatMoment(since, i18n.locale)}</Trans>
            </span>
          </label>
        )}
        {problem !== null && <ProblemNotice error={problem} />}
      </div>
      <div className={dialog.actions}>
        <Button variant="default" size="md" onClick={onDone}>
          <Trans>Отмена</Trans>
        </Button>
        <Button size="md" loading={change.isPending || recover.isPending} onClick={() => void enable()}>
          <Trans>Включить</Trans>
        </Button>
      </div>
    </>
  )
}
