/** Over which messenger the code comes; nothing to choose where there is one way only. */
import { useLingui } from "@lingui/react/macro"
import { MessageSquareText } from "lucide-react"

import classes from "@/features/accounts/channel-picker.module.css"
import fieldClasses from "@/shared/ui/fields.module.css"
import type { Channel } from "@/features/accounts/challenge"
import type { Offer } from "@/features/accounts/offers"

const CHANNELS: readonly { code: Channel; name: string }[] = [
  { code: "max", name: "MAX" },
  { code: "telegram", name: "Telegram" },
]

export function channelName(channel: Channel): string {
  return CHANNELS.find(({ code }) => code === channel)?.name ?? channel
}

interface ChannelPickerProps {
  offers: readonly Offer[]
  value: Channel
  onChange: (channel: Channel) => void
}

export function ChannelPicker({ offers, value, onChange }: ChannelPickerProps) {
  const { t } = useLingui()
  if (offers.length < 2) return null
  return (
    <div role="radiogroup" aria-label={t`Куда прислать код`}>
      <span className={fieldClasses.label} aria-hidden="true">{t`Куда прислать код`}</span>
      <div className={classes.options}>
        {offers.map(({ channel, carrier }) => (
          <label key={channel} className={classes.option}>
            <input
              type="radio"
              name="channel"
              value={channel}
              checked={value === channel}
              onChange={() => onChange(channel)}
              className={classes.input}
            />
            {carrier === "sms" ? <MessageSquareText size={26} aria-hidden="true" /> : <ChannelMark channel={channel} />}
            <span>{carrier === "sms" ? t`СМС` : channelName(channel)}</span>
            <span className={classes.dot} aria-hidden="true" />
          </label>
        ))}
      </div>
    </div>
  )
}

export function ChannelMark({ channel, size = 26 }: { channel: Channel; size?: number }) {
  return channel === "max" ? (
    <svg width={size} height={size} viewBox="0 0 26 26" aria-hidden="true">
      <rect width="26" height="26" rx="8" fill="#4b3df5" />
      <path
        d="M13 5.600a7.4 7.4 0 0 0-7.4 7.500c0 2.3.7 5.9 1.9 7.1.9.9 2.9-.2 3.7-.8.6.2 1.2.3 1.9.3a7.3 7.3 0 0 0 7.4-7.100c0-3.9-3.4-7-7.5-7Zm0 3.600a3.6 3.6 0 1 1 0 7.2 3.6 3.6 0 0 1 0-7.200Z"
        fill="#fff"
      />
    </svg>
  ) : (
    <svg width={size} height={size} viewBox="0 0 26 26" aria-hidden="true">
      <rect width="26" height="26" rx="8" fill="#1f8fd6" />
      <path d="m5.8 12.6 12.9-5c.6-.2 1.2.2 1 1l-2.2 10.300c-.2.8-.7.9-1.3.6l-3.3-2.5-1.6 1.600c-.3.3-.6.2-.7-.2l-1.1-3.8-3.6-1.100c-.7-.2-.7-.7-.1-.9Zm4.4 2 .5 2.5.5-2.2 4.6-4.300Z" fill="#fff" />
    </svg>
  )
}
