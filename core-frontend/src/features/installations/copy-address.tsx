/** The new address, large, ready to be passed on. */
import { useClipboard } from "@mantine/hooks"
import { useLingui } from "@lingui/react/macro"
import { Check, Copy } from "lucide-react"

import classes from "@/features/installations/activation-progress.module.css"
import { hostOf } from "@/shared/format/address"

export function CopyAddress({ url }: { url: string }) {
  const { t } = useLingui()
  const clipboard = useClipboard({ timeout: 2000 })
  return (
    <p className={classes.address}>
      <a href={url} target="_blank" rel="noreferrer">
        {hostOf(url)}
      </a>
      <button type="button" onClick={() => clipboard.copy(url)} aria-label={t`Скопировать адрес`}>
        {clipboard.copied ? <Check size={18} aria-hidden="true" /> : <Copy size={18} aria-hidden="true" />}
      </button>
      <span role="status" className={classes.copied}>
        {clipboard.copied && t`Скопировано`}
      </span>
    </p>
  )
}
