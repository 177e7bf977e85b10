/** Phone, then code. The same for a new person and for one who returns: the core tells them apart, not the form. */
import { Trans, useLingui } from "@lingui/react/macro"
import { useState } from "react"

import { type PendingChallenge, rememberChallenge, rememberedChallenge, type Wanted } from "@/features/accounts/challenge"
import { CodeStep } from "@/features/accounts/code-step"
import { PhoneStep } from "@/features/accounts/phone-step"
import classes from "@/features/accounts/sign-in-flow.module.css"
import type { Schemas } from "@/shared/api/api"
import { PageHeading } from "@/shared/ui/page-heading"

interface SignInFlowProps {
  mode: "register" | "login"
  onSignedIn: (grant: Schemas["SignedIn"]) => void
}

const BLANK: Wanted = { phone: "", channel: "max", tenantName: "" }

export function SignInFlow({ mode, onSignedIn }: SignInFlowProps) {
  const { t } = useLingui()
  const [challenge, setChallenge] = useState<PendingChallenge | null>(rememberedChallenge)
  const [draft, setDraft] = useState<Wanted>(challenge ?? BLANK)

  function wait(next: PendingChallenge) {
    setDraft(next)
    setChallenge(next)
    rememberChallenge(next)
  }

  function leave() {
    setChallenge(null)
    rememberChallenge(null)
  }

  function finish(grant: Schemas["SignedIn"]) {
    rememberChallenge(null)
    onSignedIn(grant)
  }

  if (challenge !== null) {
    return (
      <div key="code" className={classes.step}>
        <PageHeading className={classes.heading}>{t`Введите код`}</PageHeading>
        <CodeStep challenge={challenge} onResent={wait} onChangeNumber={leave} onConfirmed={finish} />
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
      <PhoneStep draft={draft} asksForName={mode === "register"} onSent={wait} />
    </div>
  )
}
