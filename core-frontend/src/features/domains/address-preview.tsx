/** The future address as it will stand in a browser. */
import { Trans, useLingui } from "@lingui/react/macro"
import { Globe, Lock } from "lucide-react"

import classes from "@/features/domains/address-step.module.css"
import { hostOf } from "@/shared/format/address"

interface AddressPreviewProps {
  url: string
  /** What stands on the sign over the door. */
  sign: string
  isGhost: boolean
  isFree: boolean
}

export function AddressPreview({ url, sign, isGhost, isFree }: AddressPreviewProps) {
  const { t } = useLingui()
  const [label, ...rest] = hostOf(url).split(".")
  const Icon = url.startsWith("https:") ? Lock : Globe
  return (
    <div className={classes.window} data-free={isFree} data-ghost={isGhost}>
      <div className={classes.bar}>
        <span className={classes.lights} aria-hidden="true" />
        <p className={classes.url} data-testid="address-preview" aria-label={t`Будущий адрес: ${url}`} role="img">
          <Icon size={16} aria-hidden="true" />
          <span className={classes.scheme}>{url.slice(0, url.indexOf("//") + 2)}</span>
          <b>{label}</b>
          <span>.{rest.join(".")}</span>
        </p>
      </div>
      <div className={classes.front} aria-hidden="true">
        <span className={classes.awning} />
        <b>{sign}</b>
        <span className={classes.soon}>
          <Trans>Скоро открытие</Trans>
        </span>
      </div>
    </div>
  )
}
