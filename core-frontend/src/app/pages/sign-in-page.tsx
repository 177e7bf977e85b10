/** The way in: one flow, two addresses. */
import { Trans, useLingui } from "@lingui/react/macro"
import { useEffect } from "react"
import { Link, useNavigate, useSearchParams } from "react-router"

import { nextPath } from "@/app/next-path"
import { SignInAside } from "@/app/pages/sign-in-aside"
import classes from "@/app/pages/sign-in-page.module.css"
import { SignInFlow } from "@/features/accounts/sign-in-flow"
import type { Schemas } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"
import { LanguageSwitch } from "@/shared/ui/language-switch"
import { Logo } from "@/shared/ui/logo"
import { Notice } from "@/shared/ui/notice"

export function RegisterPage() {
  return <SignInPage mode="register" />
}

export function LoginPage() {
  return <SignInPage mode="login" />
}

function SignInPage({ mode }: { mode: "register" | "login" }) {
  const { t } = useLingui()
  const { session } = useApi()
  const navigate = useNavigate()
  const [query] = useSearchParams()
  const next = nextPath(query)

  useEffect(() => {
    if (!session.maybeSignedIn) return
    session
      .restore()
      .then((status) => (status === "active" ? navigate(next ?? "/dashboard", { replace: true }) : undefined))
      // an unreachable core shows itself when the form is sent
      .catch(() => undefined)
  }, [session, navigate, next])

  function goOn(grant: Schemas["SignedIn"]) {
    const start = grant.is_new_user ? "/select-module" : "/dashboard"
    void navigate(next ?? start, { replace: true })
  }

  return (
    <div className={classes.split}>
      <div className={classes.side}>
        <header className={classes.header}>
          <Logo to="/" />
          <LanguageSwitch />
        </header>
        <main id="content" className={classes.main}>
          {query.has("expired") && (
            <div className={classes.notice}>
              <Notice tone="plain">{t`Сессия закончилась. Войдите ещё раз — вернём вас на ту же страницу.`}</Notice>
            </div>
          )}
          <SignInFlow mode={mode} onSignedIn={goOn} />
          <OtherWay mode={mode} search={next === null ? "" : `?${new URLSearchParams({ next }).toString()}`} />
        </main>
      </div>
      <SignInAside />
    </div>
  )
}

function OtherWay({ mode, search }: { mode: "register" | "login"; search: string }) {
  return (
    <p className={classes.other}>
      {mode === "register" ? (
        <Trans>
          Уже с нами? <Link to={`/login${search}`}>Войти</Link>
        </Trans>
      ) : (
        <Trans>
          Впервые здесь? <Link to={`/register${search}`}>Начать бесплатно</Link>
        </Trans>
      )}
    </p>
  )
}
