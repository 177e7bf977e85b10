/** The future address as it will stand in a browser. */
import { useLingui } from "@lingui/react/macro"
import { Globe, Lock } from "lucide-react"

import classes from "@/features/domains/address-step.module.css"
import { hostOf } from "@/shared/format/address"

interface AddressPreviewProps {
  url: string
  isGhost: boolean
  isFree: boolean
}

export function AddressPreview({ url, isGhost, isFree }: AddressPreviewProps) {
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
      <div className={classes.page} aria-hidden="true">
        <span className={classes.sign} />
        <span className={classes.line} />
        <div className={classes.tiles}>
          <span />
          <span />
          <span />
        </div>
      </div>
    </div>
  )
}
