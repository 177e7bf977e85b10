/** Asks before an endpoint is deleted, and says what goes with it. */
import { Trans, useLingui } from "@lingui/react/macro"

import { addressOf } from "@/features/webhooks/endpoint"
import { type Endpoint, useDeleteEndpoint } from "@/features/webhooks/queries"
import { ConfirmDialog } from "@/shared/ui/confirm-dialog"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface DeleteEndpointDialogProps {
  endpoint: Endpoint
  isOpen: boolean
  onDeleted: () => void
  onClose: () => void
}

export function DeleteEndpointDialog({ endpoint, isOpen, onDeleted, onClose }: DeleteEndpointDialogProps) {
  const { t } = useLingui()
  const remove = useDeleteEndpoint(endpoint.id)

  function close() {
    remove.reset()
    onClose()
  }

  return (
    <ConfirmDialog
      isOpen={isOpen}
      title={t`Удалить ${addressOf(endpoint.url)}?`}
      confirmLabel={t`Удалить`}
      isPending={remove.isPending}
      onConfirm={() => remove.mutate(undefined, { onSuccess: onDeleted })}
      onClose={close}
    >
      <p>
        <Trans>Событий на этот адрес больше не будет. Те, что ещё не доставлены, пропадут.</Trans>
      </p>
      <p>
        <Trans>Если адрес не отвечает лишь временно, отключите вебхук: тогда события сохранятся.</Trans>
      </p>
      {remove.isError && <ProblemNotice error={remove.error} />}
    </ConfirmDialog>
  )
}
