/** The code from the messenger, whatever it opens. The form submits itself with the last digit. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { useMutation } from "@tanstack/react-query"
import { MessageSquareText } from "lucide-react"
import { useRef, useState } from "react"

import type { PendingChallenge } from "@/features/accounts/challenge"
import { ChannelMark } from "@/features/accounts/channel-picker"
import { CodeField } from "@/features/accounts/code-field"
import { CodeLinks, WhereTheCodeIs } from "@/features/accounts/code-whereabouts"
import { DevelopmentHint } from "@/features/accounts/development-hint"
import { useResendCode } from "@/features/accounts/queries"
import classes from "@/features/accounts/steps.module.css"
import { formatSeconds, useCountdown } from "@/features/accounts/use-countdown"
import { Notice } from "@/shared/ui/notice"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface CodeFormProps<Done> {
  challenge: PendingChallenge
  /** Brings the code to where it is wanted. */
  submit: (code: string) => Promise<Done>
  onDone: (done: Done) => void
  onRefused?: (error: Error) => void
  onResent: (challenge: PendingChallenge) => void
  /** The way back, where there is one, and what it is called. */
  back?: { label: string; go: () => void }
}

export function CodeForm<Done>({ challenge, submit, onDone, onRefused, onResent, back }: CodeFormProps<Done>) {
  const { t } = useLingui()
  const input = useRef<HTMLInputElement>(null)
  const [code, setCode] = useState("")
  const confirm = useMutation({ mutationFn: submit })
  const resend = useResendCode()
  const secondsToResend = useCountdown(challenge.resendAt)
  const hasExpired = useCountdown(challenge.expiresAt) === 0
  const isWhole = code.length === challenge.codeLength

  function send(whole: string) {
    if (confirm.isPending || confirm.isSuccess) return
    confirm.mutate(whole, {
      onSuccess: onDone,
      onError: (error) => {
        setCode("")
        input.current?.focus()
        onRefused?.(error)
      },
    })
  }

  function change(next: string) {
    setCode(next)
    if (next !== "" && confirm.isError) confirm.reset()
    if (next !== "" && resend.isError) resend.reset()
    if (next.length === challenge.codeLength) send(next)
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
        if (isWhole) send(code)
      }}
    >
      <p className={classes.sent}>
        {challenge.carrier === "sms" ? <MessageSquareText size={22} aria-hidden="true" /> : <ChannelMark channel={challenge.channel} size={22} />}
        <span>
          <WhereTheCodeIs challenge={challenge} />{" "}
          {back !== undefined && (
            <button type="button" className={classes.textButton} onClick={back.go}>
              {back.label}
            </button>
          )}
        </span>
      </p>
      <CodeLinks challenge={challenge} />
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
