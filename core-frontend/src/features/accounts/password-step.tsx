/** The other way in, for those who have set a password. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { type SyntheticEvent, useRef, useState } from "react"

import { PasswordField } from "@/features/accounts/password-field"
import { formatPhone, toE164 } from "@/features/accounts/phone"
import { PhoneField } from "@/features/accounts/phone-field"
import { type SignedIn, useLogin } from "@/features/accounts/queries"
import classes from "@/features/accounts/steps.module.css"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface PasswordStepProps {
  phone: string
  onPhoneChange: (phone: string) => void
  onSignedIn: (grant: SignedIn) => void
  onCode: () => void
}

export function PasswordStep({ phone, onPhoneChange, onSignedIn, onCode }: PasswordStepProps) {
  const { t } = useLingui()
  const [password, setPassword] = useState("")
  const [missing, setMissing] = useState<"phone" | "password" | null>(null)
  const phoneField = useRef<HTMLInputElement>(null)
  const passwordField = useRef<HTMLInputElement>(null)
  const login = useLogin()
  const shown = formatPhone(phone)

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    if (login.isPending || login.isSuccess) return
    const number = toE164(phone)
    const lacks = number === null ? "phone" : password === "" ? "password" : null
    setMissing(lacks)
    if (lacks === "phone") phoneField.current?.focus()
    if (lacks === "password") passwordField.current?.focus()
    if (number === null || lacks !== null) return
    login.mutate({ phone: number, password }, { onSuccess: onSignedIn, onError: () => passwordField.current?.select() })
  }

  return (
    <form onSubmit={submit} noValidate className={classes.form}>
      <PhoneField
        ref={phoneField}
        value={shown}
        onChange={(value) => {
          onPhoneChange(value)
          setMissing(null)
          login.reset()
        }}
        error={missing === "phone" && t`Введите номер мобильного телефона целиком`}
        autoFocus={shown === ""}
      />
      <PasswordField
        ref={passwordField}
        label={t`Пароль`}
        isNew={false}
        value={password}
        onChange={(value) => {
          setPassword(value)
          setMissing(null)
          login.reset()
        }}
        error={missing === "password" && t`Введите пароль`}
        autoFocus={shown !== ""}
      />
      {login.isError && <ProblemNotice error={login.error} />}
      <Button type="submit" size="lg" fullWidth loading={login.isPending || login.isSuccess}>
        <Trans>Войти</Trans>
      </Button>
      <Button variant="subtle" size="md" fullWidth onClick={onCode}>
        <Trans>Войти по коду</Trans>
      </Button>
    </form>
  )
}
