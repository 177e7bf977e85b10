/** Where a code has gone, and the way there. */
import { Button } from "@mantine/core"
import { Trans } from "@lingui/react/macro"

import type { PendingChallenge } from "@/features/accounts/challenge"
import { ChannelMark, channelName } from "@/features/accounts/channel-picker"
import { formatPhone } from "@/features/accounts/phone"
import classes from "@/features/accounts/steps.module.css"
import { webUrl } from "@/shared/format/address"

export function WhereTheCodeIs({ challenge }: { challenge: PendingChallenge }) {
  const channel = channelName(challenge.channel)
  const phone = formatPhone(challenge.phone)
  switch (challenge.carrier) {
    case "bot":
      return (
        <Trans>
          Откройте бота в {channel} и поделитесь номером <b className={classes.phone}>{phone}</b>: он пришлёт код
        </Trans>
      )
    case "sms":
      return (
        <Trans>
          Отправили код по СМС на номер <b className={classes.phone}>{phone}</b>
        </Trans>
      )
    default:
      return (
        <Trans>
          Отправили код в {channel} на номер <b className={classes.phone}>{phone}</b>
        </Trans>
      )
  }
}

export function CodeLinks({ challenge }: { challenge: PendingChallenge }) {
  const links = challenge.links.filter(({ url }) => webUrl(url) !== null)
  if (links.length === 0) return null
  return (
    <div className={classes.links}>
      {links.map(({ channel, url }) => {
        const name = channelName(channel)
        return (
          <Button
            key={url}
            component="a"
            href={url}
            target="_blank"
            rel="noreferrer"
            variant="default"
            size="md"
            leftSection={<ChannelMark channel={channel} size={22} />}
          >
            <Trans>Открыть {name}</Trans>
          </Button>
        )
      })}
    </div>
  )
}
