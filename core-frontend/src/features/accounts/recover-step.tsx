/** A number that has an account, but perhaps another holder by now: what can be done, in plain words. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { KeyRound, MessageCircle, MonitorSmartphone, Sprout } from "lucide-react"
import { type SyntheticEvent, useRef, useState } from "react"

import type { PendingChallenge } from "@/features/accounts/challenge"
import { PasswordField } from "@/features/accounts/password-field"
import { formatPhone } from "@/features/accounts/phone"
import { type SignedIn, useRecover } from "@/features/accounts/queries"
import classes from "@/features/accounts/recover-step.module.css"
import { isApiError } from "@/shared/api/errors"
import { ConfirmDialog } from "@/shared/ui/confirm-dialog"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export type Way = "messenger" | "password" | "session" | "anew"

interface RecoverStepProps {
  challenge: PendingChallenge
  ways: readonly Way[]
  onSignedIn: (grant: SignedIn) => void
  onBack: () => void
}

export function RecoverStep({ challenge, ways, onSignedIn, onBack }: RecoverStepProps) {
  const phone = formatPhone(challenge.phone)
  return (
    <div className={classes.step}>
      <p className={classes.lead}>
        <Trans>
          Код верный, но на номере <b>{phone}</b> уже есть аккаунт, и мы не уверены, что он ваш: номера иногда переходят к другим
          людям.
        </Trans>
      </p>
      {ways.includes("messenger") && <OtherMessenger />}
      {ways.includes("password") && <WithPassword challenge={challenge} onSignedIn={onSignedIn} />}
      {ways.includes("session") && <ElsewhereSignedIn phone={phone} />}
      {ways.includes("anew") && <Anew challenge={challenge} phone={phone} onSignedIn={onSignedIn} />}
      <Button variant="subtle" size="md" fullWidth onClick={onBack}>
        <Trans>Вернуться к номеру</Trans>
      </Button>
    </div>
  )
}

function WithPassword({ challenge, onSignedIn }: Pick<RecoverStepProps, "challenge" | "onSignedIn">) {
  const { t } = useLingui()
  const [password, setPassword] = useState("")
  const [isMissing, setMissing] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const recover = useRecover()
  const isWrong = isApiError(recover.error, "accounts.credentials_wrong")

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    if (recover.isPending || recover.isSuccess) return
    setMissing(password === "")
    if (password === "") field.current?.focus()
    else recover.mutate({ challenge, password }, { onSuccess: onSignedIn, onError: () => field.current?.select() })
  }

  return (
    <form className={classes.way} onSubmit={submit} noValidate>
      <h2>
        <KeyRound size={20} aria-hidden="true" />
        <Trans>Аккаунт мой, и я помню пароль</Trans>
      </h2>
      <PasswordField
        ref={field}
        label={t`Пароль от этого аккаунта`}
        isNew={false}
        value={password}
        onChange={(value) => {
          setPassword(value)
          setMissing(false)
          recover.reset()
        }}
        error={isMissing ? t`Введите пароль` : isWrong && t`Это не пароль от этого аккаунта.`}
      />
      {recover.isError && !isWrong && <ProblemNotice error={recover.error} />}
      <Button type="submit" size="md" fullWidth loading={recover.isPending || recover.isSuccess}>
        <Trans>Войти</Trans>
      </Button>
    </form>
  )
}

function OtherMessenger() {
  return (
    <section className={classes.way}>
      <h2>
        <MessageCircle size={20} aria-hidden="true" />
        <Trans>Аккаунт мой, но код приходил в другой мессенджер</Trans>
      </h2>
      <p>
        <Trans>Вернитесь к номеру и выберите мессенджер, через который входили раньше: там мы вас узнаем.</Trans>
      </p>
    </section>
  )
}

function ElsewhereSignedIn({ phone }: { phone: string }) {
  return (
    <section className={classes.way}>
      <h2>
        <MonitorSmartphone size={20} aria-hidden="true" />
        <Trans>Аккаунт мой и открыт на другом устройстве</Trans>
      </h2>
      <p>
        <Trans>
          На том устройстве откройте «Аккаунт» и нажмите «Подтвердить номер»: придёт код на <span className={classes.phone}>{phone}</span>. После этого войдите здесь ещё
          раз.
        </Trans>
      </p>
    </section>
  )
}

function Anew({ challenge, phone, onSignedIn }: Pick<RecoverStepProps, "challenge" | "onSignedIn"> & { phone: string }) {
  const { t } = useLingui()
  const [isAsked, setAsked] = useState(false)
  const recover = useRecover()
  return (
    <section className={classes.way}>
      <h2>
        <Sprout size={20} aria-hidden="true" />
        <Trans>Это не мой аккаунт, номер у меня недавно</Trans>
      </h2>
      <p>
        <Trans>Откроем вам новый, пустой аккаунт. Чужого вы не увидите, а номер станет вашим.</Trans>
      </p>
      <Button variant="default" size="md" fullWidth onClick={() => setAsked(true)}>
        <Trans>Начать заново</Trans>
      </Button>
      <ConfirmDialog
        isOpen={isAsked}
        title={t`Забрать номер у прежнего аккаунта?`}
        confirmLabel={t`Начать заново`}
        isPending={recover.isPending || recover.isSuccess}
        onConfirm={() => recover.mutate({ challenge, password: null }, { onSuccess: onSignedIn })}
        onClose={() => {
          setAsked(false)
          recover.reset()
        }}
      >
        <p>
          <Trans>
            По номеру <span className={classes.phone}>{phone}</span> в прежний аккаунт больше будет не войти. Если он всё-таки ваш, вернуть его сможет только поддержка.
          </Trans>
        </p>
        {recover.isError && <ProblemNotice error={recover.error} />}
      </ConfirmDialog>
    </section>
  )
}
