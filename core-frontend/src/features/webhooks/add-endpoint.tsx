/** Adds an endpoint, and shows its secret. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { Plus } from "lucide-react"
import { useState } from "react"

import { EndpointForm } from "@/features/webhooks/endpoint-form"
import { useAddEndpoint } from "@/features/webhooks/queries"
import { SecretShownOnce } from "@/features/webhooks/secret-shown-once"
import { Dialog } from "@/shared/ui/dialog"

export function AddEndpoint() {
  const { t } = useLingui()
  const [isOpen, setOpen] = useState(false)
  const add = useAddEndpoint()

  function close() {
    setOpen(false)
    add.reset()
  }

  return (
    <>
      <Button size="md" leftSection={<Plus size={18} aria-hidden="true" />} onClick={() => setOpen(true)}>
        <Trans>Добавить вебхук</Trans>
      </Button>
      <Dialog isOpen={isOpen} title={add.isSuccess ? t`Вебхук добавлен` : t`Новый вебхук`} onClose={close}>
        {add.isSuccess ? (
          <SecretShownOnce secret={add.data.secret} onDone={close} />
        ) : (
          <EndpointForm
            endpoint={null}
            isPending={add.isPending}
            error={add.error}
            onSubmit={(wish) => add.mutate(wish)}
            onCancel={close}
          />
        )}
      </Dialog>
    </>
  )
}
