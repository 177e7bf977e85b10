/** Changes an endpoint. */
import { useLingui } from "@lingui/react/macro"

import { EndpointForm } from "@/features/webhooks/endpoint-form"
import { type Endpoint, useChangeEndpoint } from "@/features/webhooks/queries"
import { Dialog } from "@/shared/ui/dialog"

interface EditEndpointDialogProps {
  endpoint: Endpoint
  isOpen: boolean
  onClose: () => void
}

export function EditEndpointDialog({ endpoint, isOpen, onClose }: EditEndpointDialogProps) {
  const { t } = useLingui()
  const change = useChangeEndpoint(endpoint.id)

  function close() {
    change.reset()
    onClose()
  }

  return (
    <Dialog isOpen={isOpen} title={t`Изменить вебхук`} onClose={close}>
      <EndpointForm
        endpoint={endpoint}
        isPending={change.isPending}
        error={change.error}
        onSubmit={(wish) => change.mutate(wish, { onSuccess: close })}
        onCancel={close}
      />
    </Dialog>
  )
}
