/**
 * Phone, then code; or phone and password. The same for a new person and for one who returns: the core tells them apart,
 * not the form. A number that may have changed hands is the one thing that it asks about.
 */
import { Trans, useLingui } from "@lingui/react/macro"
import { useState } from "react"

import { type PendingChallenge, rememberChallenge, rememberedChallenge, type Wanted } from "@/features/accounts/challenge"
import { CodeForm } from "@/features/accounts/code-form"
import { PasswordStep } from "@/features/accounts/password-step"
import { PhoneStep } from "@/features/accounts/phone-step"
import { type SignedIn, useConfirmCode } from "@/features/accounts/queries"
import { RecoverStep, type Way } from "@/features/accounts/recover-step"
import classes from "@/features/accounts/sign-in-flow.module.css"
import { isApiError } from "@/shared/api/errors"
import { PageHeading } from "@/shared/ui/page-heading"

interface SignInFlowProps {
  mode: "register" | "login"
  onSignedIn: (grant: SignedIn) => void
}

const BLANK: Wanted = { phone: "", channel: "max", tenantName: "" }
const WAYS: readonly Way[] = ["messenger", "password", "session", "anew"]

export function SignInFlow({ mode, onSignedIn }: SignInFlowProps) {
  const { t } = useLingui()
  const [challenge, setChallenge] = useState<PendingChallenge | null>(rememberedChallenge)
  const [draft, setDraft] = useState<Wanted>(challenge ?? BLANK)
  const [ways, setWays] = useState<readonly Way[] | null>(null)
  const [withPassword, setWithPassword] = useState(false)
  const confirm = useConfirmCode()

  function wait(next: PendingChallenge) {
    setDraft(next)
    setChallenge(next)
    rememberChallenge(next)
  }

  function leave() {
    setWays(null)
    setChallenge(null)
    rememberChallenge(null)
  }

  function ask(error: Error) {
    if (!isApiError(error, "accounts.confirmation_needed")) return
    const offered = error.extra["ways"]
    setWays(WAYS.filter((way) => Array.isArray(offered) && offered.includes(way)))
    // its code is used up: nothing of it is of use to a page that is opened anew
    rememberChallenge(null)
  }

  function finish(grant: SignedIn) {
    rememberChallenge(null)
    onSignedIn(grant)
  }

  if (challenge !== null && ways !== null) {
    return (
      <div key="recover" className={classes.step}>
        <PageHeading className={classes.heading}>{t`Это ваш аккаунт?`}</PageHeading>
        <RecoverStep challenge={challenge} ways={ways} onSignedIn={finish} onBack={leave} />
      </div>
    )
  }
  if (challenge !== null) {
    return (
      <div key="code" className={classes.step}>
        <PageHeading className={classes.heading}>{t`Введите код`}</PageHeading>
        <CodeForm
          challenge={challenge}
          submit={(code) => confirm(challenge, code)}
          onDone={finish}
          onRefused={ask}
          onResent={wait}
          back={{ label: t`Изменить номер`, go: leave }}
        />
      </div>
    )
  }
  if (withPassword) {
    return (
      <div key="password" className={classes.step}>
        <PageHeading className={classes.heading}>{t`Вход с паролем`}</PageHeading>
        <p className={classes.lead}>
          <Trans>Если вы задали его в настройках аккаунта.</Trans>
        </p>
        <PasswordStep
          phone={draft.phone}
          onPhoneChange={(phone) => setDraft({ ...draft, phone })}
          onSignedIn={finish}
          onCode={() => setWithPassword(false)}
        />
      </div>
    )
  }
  return (
    <div key="phone" className={classes.step}>
      <PageHeading className={classes.heading}>{mode === "register" ? t`Начните с номера телефона` : t`Вход`}</PageHeading>
      <p className={classes.lead}>
        {mode === "register" ? (
          <Trans>Пришлём код. Пароль придумывать не нужно.</Trans>
        ) : (
          <Trans>Пришлём код — пароль не нужен.</Trans>
        )}
      </p>
      <PhoneStep
        draft={draft}
        asksForName={mode === "register"}
        onSent={wait}
        onPassword={mode === "login" ? (phone) => {
          setDraft({ ...draft, phone })
          setWithPassword(true)
        } : undefined}
      />
    </div>
  )
}
