/** A password, for those who want one: set, changed, removed. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { type SyntheticEvent, useRef, useState } from "react"

import { type Profile, useRemovePassword, useSetPassword } from "@/features/accounts/account"
import classes from "@/features/accounts/account.module.css"
import { PasswordField } from "@/features/accounts/password-field"
import { isApiError } from "@/shared/api/errors"
import { useProblemText } from "@/shared/api/problem-text"
import { ConfirmDialog } from "@/shared/ui/confirm-dialog"
import { Notice } from "@/shared/ui/notice"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import { Section } from "@/shared/ui/section"

const SHORTEST = 8

export function PasswordSection({ me }: { me: Profile }) {
  const { t } = useLingui()
  const [isTyping, setTyping] = useState(false)
  const [isRemoving, setRemoving] = useState(false)
  const [done, setDone] = useState<"set" | "removed" | null>(null)
  const remove = useRemovePassword()

  function finish(what: "set" | "removed") {
    setTyping(false)
    setRemoving(false)
    setDone(what)
  }

  return (
    <Section title={t`Пароль`} lead={t`Необязателен: войти по коду можно всегда. Выручит, если мессенджер недоступен.`}>
      <div className={classes.body}>
        {isTyping ? (
          <PasswordForm me={me} onDone={() => finish("set")} onCancel={() => setTyping(false)} />
        ) : (
          <>
            <div className={classes.state}>
              <p className={classes.value}>{me.has_password ? t`Задан` : t`Не задан`}</p>
              <div className={classes.actions}>
                <Button
                  variant={me.has_password ? "default" : "filled"}
                  size="md"
                  onClick={() => {
                    setDone(null)
                    setTyping(true)
                  }}
                >
                  {me.has_password ? <Trans>Сменить пароль</Trans> : <Trans>Задать пароль</Trans>}
                </Button>
                {me.has_password && (
                  <Button variant="default" size="md" onClick={() => setRemoving(true)}>
                    <Trans>Удалить пароль</Trans>
                  </Button>
                )}
              </div>
            </div>
            {done !== null && (
              <Notice tone="good">
                {done === "set" ? t`Пароль сохранён. На других устройствах нужно будет войти заново.` : t`Пароль удалён. На других устройствах нужно будет войти заново.`}
              </Notice>
            )}
          </>
        )}
      </div>
      <ConfirmDialog
        isOpen={isRemoving}
        title={t`Удалить пароль?`}
        confirmLabel={t`Удалить`}
        isPending={remove.isPending}
        onConfirm={() => remove.mutate(undefined, { onSuccess: () => finish("removed") })}
        onClose={() => {
          setRemoving(false)
          remove.reset()
        }}
      >
        <p>
          <Trans>Входить можно будет только по коду. На всех остальных устройствах вы выйдете из аккаунта.</Trans>
        </p>
        {remove.isError && <ProblemNotice error={remove.error} />}
      </ConfirmDialog>
    </Section>
  )
}

function PasswordForm({ me, onDone, onCancel }: { me: Profile; onDone: () => void; onCancel: () => void }) {
  const { t } = useLingui()
  const describe = useProblemText()
  const [password, setPassword] = useState("")
  const [isShort, setShort] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const set = useSetPassword()
  const isRefused = isApiError(set.error, "accounts.password_refused")

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    if (set.isPending) return
    const tooShort = Array.from(password).length < SHORTEST
    setShort(tooShort)
    if (tooShort) field.current?.focus()
    else set.mutate(password, { onSuccess: onDone, onError: () => field.current?.focus() })
  }

  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      {/* for password managers, which ask themselves whose password this is */}
      <input type="text" name="username" autoComplete="username" value={me.phone} readOnly hidden />
      <PasswordField
        ref={field}
        label={t`Новый пароль`}
        hint={t`Не короче 8 знаков, любых. Хороший пароль — несколько случайных слов подряд.`}
        isNew
        value={password}
        onChange={(value) => {
          setPassword(value)
          setShort(false)
          set.reset()
        }}
        error={isShort ? t`Слишком короткий: нужно хотя бы 8 знаков` : isRefused && describe(set.error).text}
        autoFocus
      />
      {set.isError && !isRefused && <ProblemNotice error={set.error} />}
      <div className={classes.actions}>
        <Button type="submit" size="md" loading={set.isPending}>
          <Trans>Сохранить пароль</Trans>
        </Button>
        <Button variant="default" size="md" onClick={onCancel} disabled={set.isPending}>
          <Trans>Отмена</Trans>
        </Button>
      </div>
    </form>
  )
}
