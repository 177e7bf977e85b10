/** Makes a new secret. The one before goes on signing for as long as the owner's system needs to learn the new one. */
import { Button, NativeSelect } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { useState } from "react"

import { useRotateSecret } from "@/features/webhooks/queries"
import { SecretShownOnce } from "@/features/webhooks/secret-shown-once"
import { Dialog } from "@/shared/ui/dialog"
import dialog from "@/shared/ui/dialog.module.css"
import fields from "@/shared/ui/fields.module.css"
import { ProblemNotice } from "@/shared/ui/problem-notice"

const HOUR = 3600
const DAY = 24 * HOUR

interface RotateDialogProps {
  id: string
  isOpen: boolean
  onClose: () => void
}

export function RotateDialog({ id, isOpen, onClose }: RotateDialogProps) {
  const { t } = useLingui()
  const [grace, setGrace] = useState(DAY)
  const rotate = useRotateSecret(id)
  const choices = [
    { value: String(HOUR), label: t`1 час` },
    { value: String(DAY), label: t`1 день` },
    { value: String(7 * DAY), label: t`7 дней` },
    { value: "0", label: t`Нисколько: секрет узнали чужие` },
  ]

  function close() {
    rotate.reset()
    setGrace(DAY)
    onClose()
  }

  return (
    <Dialog isOpen={isOpen} title={rotate.isSuccess ? t`Новый секрет` : t`Сменить секрет?`} onClose={close}>
      {rotate.isSuccess ? (
        <SecretShownOnce secret={rotate.data.secret} onDone={close} />
      ) : (
        <>
          <div className={dialog.text}>
            <p>
              <Trans>Пока действует прежний секрет, запросы подписаны обоими: ваша система не пропустит ни одного события.</Trans>
            </p>
            <NativeSelect
              label={t`Прежний секрет действует ещё`}
              value={String(grace)}
              onChange={(event) => setGrace(Number(event.currentTarget.value))}
              data={choices}
              classNames={{ input: fields.field, label: fields.label }}
            />
            {rotate.isError && <ProblemNotice error={rotate.error} />}
          </div>
          <div className={dialog.actions}>
            <Button variant="default" size="md" onClick={close}>
              <Trans>Отмена</Trans>
            </Button>
            <Button size="md" loading={rotate.isPending} onClick={() => rotate.mutate(grace)}>
              <Trans>Сменить</Trans>
            </Button>
          </div>
        </>
      )}
    </Dialog>
  )
}
