/** Over which messenger the code comes. */
import { useLingui } from "@lingui/react/macro"

import classes from "@/features/accounts/channel-picker.module.css"
import fieldClasses from "@/features/accounts/fields.module.css"
import type { Channel } from "@/features/accounts/challenge"

export const CHANNELS: readonly { code: Channel; name: string }[] = [
  { code: "max", name: "MAX" },
  { code: "telegram", name: "Telegram" },
]

interface ChannelPickerProps {
  value: Channel
  onChange: (channel: Channel) => void
}

export function ChannelPicker({ value, onChange }: ChannelPickerProps) {
  const { t } = useLingui()
  return (
    <div role="radiogroup" aria-label={t`Куда прислать код`}>
      <span className={fieldClasses.label} aria-hidden="true">{t`Куда прислать код`}</span>
      <div className={classes.options}>
        {CHANNELS.map(({ code, name }) => (
          <label key={code} className={classes.option}>
            <input
              type="radio"
              name="channel"
              value={code}
              checked={value === code}
              onChange={() => onChange(code)}
              className={classes.input}
            />
            <ChannelMark channel={code} />
            <span>{name}</span>
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
        d="M13 5.600a7.400 7.400 0 0 0-7.400 7.500c0 2.300.7 5.900 1.900 7.100.9.900 2.900-.2 3.700-.8.600.2 1.200.3 1.900.3a7.300 7.300 0 0 0 7.400-7.100c0-3.900-3.400-7-7.500-7Zm0 3.600a3.600 3.600 0 1 1 0 7.200 3.600 3.600 0 0 1 0-7.200Z"
        fill="#fff"
      />
    </svg>
  ) : (
    <svg width={size} height={size} viewBox="0 0 26 26" aria-hidden="true">
      <rect width="26" height="26" rx="8" fill="#1f8fd6" />
      <path d="m5.800 12.600 12.900-5c.6-.2 1.200.2 1 1l-2.200 10.300c-.2.800-.7.900-1.300.6l-3.300-2.500-1.600 1.600c-.3.300-.6.200-.7-.2l-1.100-3.800-3.600-1.100c-.700-.2-.7-.7-.1-.9Zm4.400 2 .5 2.500.5-2.200 4.600-4.300Z" fill="#fff" />
    </svg>
  )
}
