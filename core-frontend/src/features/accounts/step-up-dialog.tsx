/** Asks once more who it is, when a call needs it, by a code or the password; the call then goes on by itself. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { useMutation } from "@tanstack/react-query"
import { type SyntheticEvent, useRef, useState } from "react"

import { type Profile, useAskOwnCode, useReauthenticate } from "@/features/accounts/account"
import { OwnCode } from "@/features/accounts/own-code"
import { PasswordField } from "@/features/accounts/password-field"
import { formatPhone } from "@/features/accounts/phone"
import { useMe } from "@/features/accounts/queries"
import classes from "@/features/accounts/steps.module.css"
import { useApi, useIsAskedAgain } from "@/shared/api/api-context"
import { isApiError } from "@/shared/api/errors"
import { useProblemText } from "@/shared/api/problem-text"
import { Dialog } from "@/shared/ui/dialog"
import { Notice } from "@/shared/ui/notice"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export function StepUpDialog() {
  const { t } = useLingui()
  const { stepUp } = useApi()
  const isOpen = useIsAskedAgain()
  const me = useMe()
  return (
    <Dialog isOpen={isOpen} title={t`Подтвердите, что это вы`} onClose={() => stepUp.settle(false)}>
      <div className={classes.inDialog}>
        {me.data !== undefined && (
          <Ways me={me.data} onProven={() => stepUp.settle(true)} onCancel={() => stepUp.settle(false)} />
        )}
      </div>
    </Dialog>
  )
}

interface WaysProps {
  me: Profile
  onProven: () => void
  onCancel: () => void
}

function Ways({ me, onProven, onCancel }: WaysProps) {
  const [byPassword, setByPassword] = useState(me.phone === "")
  if (me.phone === "" && !me.has_password) return <NoWay onCancel={onCancel} />
  if (byPassword) return <ByPassword onProven={onProven} onCode={me.phone === "" ? null : () => setByPassword(false)} />
  return <ByCode phone={me.phone} onProven={onProven} onPassword={me.has_password ? () => setByPassword(true) : null} onCancel={onCancel} />
}

interface ByCodeProps {
  phone: string
  onProven: () => void
  onPassword: (() => void) | null
  onCancel: () => void
}

export function ByCode({ phone, onProven, onPassword, onCancel }: ByCodeProps) {
  const ask = useAskOwnCode()
  const reauthenticate = useReauthenticate()
  return (
    <OwnCode
      lead={
        <Trans>
          Пришлём код на ваш номер <b className={classes.phone}>{formatPhone(phone)}</b>.
        </Trans>
      }
      ask={(channel) => ask(phone, channel)}
      submit={({ id }, code) => reauthenticate({ challenge_id: id, code })}
      onDone={onProven}
    >
      {onPassword === null ? (
        <Button variant="default" size="md" onClick={onCancel}>
          <Trans>Отмена</Trans>
        </Button>
      ) : (
        <Button variant="default" size="md" onClick={onPassword}>
          <Trans>Ввести пароль</Trans>
        </Button>
      )}
    </OwnCode>
  )
}

function ByPassword({ onProven, onCode }: { onProven: () => void; onCode: (() => void) | null }) {
  const { t } = useLingui()
  const describe = useProblemText()
  const [password, setPassword] = useState("")
  const [isMissing, setMissing] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const confirm = useMutation({ mutationFn: useReauthenticate() })
  const isWrong = isApiError(confirm.error, "accounts.password_wrong")

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    if (confirm.isPending) return
    setMissing(password === "")
    if (password === "") field.current?.focus()
    else confirm.mutate({ password }, { onSuccess: onProven, onError: () => field.current?.select() })
  }

  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <PasswordField
        ref={field}
        label={t`Ваш пароль`}
        isNew={false}
        value={password}
        onChange={(value) => {
          setPassword(value)
          setMissing(false)
          confirm.reset()
        }}
        error={isMissing ? t`Введите пароль` : isWrong && describe(confirm.error).text}
        autoFocus
      />
      {confirm.isError && !isWrong && <ProblemNotice error={confirm.error} />}
      <div className={classes.buttons}>
        <Button type="submit" size="md" loading={confirm.isPending}>
          <Trans>Подтвердить</Trans>
        </Button>
        {onCode !== null && (
          <Button variant="default" size="md" onClick={onCode}>
            <Trans>Получить код</Trans>
          </Button>
        )}
      </div>
    </form>
  )
}

function NoWay({ onCancel }: { onCancel: () => void }) {
  const { t } = useLingui()
  return (
    <div className={classes.form}>
      <Notice tone="plain">{t`У аккаунта нет ни номера, ни пароля. Обратитесь в поддержку: она вернёт вам вход.`}</Notice>
      <Button variant="default" size="md" onClick={onCancel}>
        <Trans>Закрыть</Trans>
      </Button>
    </div>
  )
}
