/** A fresh secret: whoever does not keep it now has to make another one. */
import { Button } from "@mantine/core"
import { useClipboard } from "@mantine/hooks"
import { Trans, useLingui } from "@lingui/react/macro"
import { Check, Copy } from "lucide-react"

import classes from "@/features/webhooks/webhooks.module.css"
import dialog from "@/shared/ui/dialog.module.css"

export function SecretShownOnce({ secret, onDone }: { secret: string; onDone: () => void }) {
  const { t } = useLingui()
  const clipboard = useClipboard({ timeout: 2000 })
  return (
    <>
      <div className={dialog.text}>
        <p>
          <Trans>Секретом подписан каждый запрос: по нему ваша система узнаёт, что событие от нас.</Trans>
        </p>
        <p>
          <b className={classes.strong}>
            <Trans>Скопируйте его сейчас: больше мы его не покажем.</Trans>
          </b>
        </p>
        <p className={classes.secret}>
          <code data-testid="secret">{secret}</code>
          <button type="button" onClick={() => clipboard.copy(secret)} aria-label={t`Скопировать секрет`}>
            {clipboard.copied ? <Check size={18} aria-hidden="true" /> : <Copy size={18} aria-hidden="true" />}
          </button>
        </p>
        <span role="status" className={classes.copied}>
          {clipboard.copied && t`Скопировано`}
        </span>
      </div>
      <div className={dialog.actions}>
        <Button size="md" onClick={onDone}>
          <Trans>Готово</Trans>
        </Button>
      </div>
    </>
  )
}
