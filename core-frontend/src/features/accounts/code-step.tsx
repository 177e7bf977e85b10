/** The second step: the code from the messenger. It submits itself with the last digit. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { MessageSquareText } from "lucide-react"
import { useRef, useState } from "react"

import type { PendingChallenge } from "@/features/accounts/challenge"
import { ChannelMark, channelName } from "@/features/accounts/channel-picker"
import { CodeField } from "@/features/accounts/code-field"
import { DevelopmentHint } from "@/features/accounts/development-hint"
import { formatPhone } from "@/features/accounts/phone"
import { useConfirmCode, useResendCode } from "@/features/accounts/queries"
import classes from "@/features/accounts/steps.module.css"
import { formatSeconds, useCountdown } from "@/features/accounts/use-countdown"
import type { Schemas } from "@/shared/api/api"
import { webUrl } from "@/shared/format/address"
import { Notice } from "@/shared/ui/notice"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface CodeStepProps {
  challenge: PendingChallenge
  onResent: (challenge: PendingChallenge) => void
  onChangeNumber: () => void
  onConfirmed: (grant: Schemas["SignedIn"]) => void
}

export function CodeStep({ challenge, onResent, onChangeNumber, onConfirmed }: CodeStepProps) {
  const { t } = useLingui()
  const input = useRef<HTMLInputElement>(null)
  const [code, setCode] = useState("")
  const confirm = useConfirmCode()
  const resend = useResendCode()
  const secondsToResend = useCountdown(challenge.resendAt)
  const hasExpired = useCountdown(challenge.expiresAt) === 0
  const isWhole = code.length === challenge.codeLength

  function submit(whole: string) {
    if (confirm.isPending || confirm.isSuccess) return
    confirm.mutate(
      { challenge, code: whole },
      {
        onSuccess: onConfirmed,
        onError: () => {
          setCode("")
          input.current?.focus()
        },
      },
    )
  }

  function change(next: string) {
    setCode(next)
    if (next !== "" && confirm.isError) confirm.reset()
    if (next !== "" && resend.isError) resend.reset()
    if (next.length === challenge.codeLength) submit(next)
  }

  function sendAgain() {
    confirm.reset()
    setCode("")
    resend.mutate(challenge, { onSuccess: onResent })
    input.current?.focus()
  }

  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault()
        if (isWhole) submit(code)
      }}
    >
      <p className={classes.sent}>
        {challenge.carrier === "sms" ? <MessageSquareText size={22} aria-hidden="true" /> : <ChannelMark channel={challenge.channel} size={22} />}
        <span>
          <WhereTheCodeIs challenge={challenge} />{" "}
          <button type="button" className={classes.textButton} onClick={onChangeNumber}>
            <Trans>Изменить номер</Trans>
          </button>
        </span>
      </p>
      <DeepLinks challenge={challenge} />
      <CodeField
        ref={input}
        length={challenge.codeLength}
        value={code}
        onChange={change}
        isInvalid={confirm.isError}
        isDisabled={confirm.isPending || confirm.isSuccess}
      />
      {confirm.isError && <ProblemNotice error={confirm.error} />}
      {resend.isError && <ProblemNotice error={resend.error} />}
      {resend.isSuccess && !confirm.isError && (
        <Notice tone="good">
          {challenge.carrier === "bot"
            ? t`Новый код — в сообщениях бота. Прежний больше не действует.`
            : t`Отправили новый код. Прежний больше не действует.`}
        </Notice>
      )}
      {hasExpired && !confirm.isError && <Notice tone="plain">{t`Срок действия кода истёк. Отправьте его ещё раз.`}</Notice>}
      <Button type="submit" size="lg" fullWidth loading={confirm.isPending || confirm.isSuccess} disabled={!isWhole}>
        <Trans>Подтвердить</Trans>
      </Button>
      <Button
        variant="subtle"
        className={classes.resend}
        fullWidth
        size="md"
        disabled={secondsToResend > 0}
        loading={resend.isPending}
        onClick={sendAgain}
      >
        {secondsToResend > 0
          ? t`Отправить ещё раз через ${formatSeconds(secondsToResend)}`
          : t`Отправить код ещё раз`}
      </Button>
      {challenge.carrier === "inbox" && <DevelopmentHint phone={challenge.phone} />}
    </form>
  )
}

function WhereTheCodeIs({ challenge }: { challenge: PendingChallenge }) {
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

function DeepLinks({ challenge }: { challenge: PendingChallenge }) {
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
