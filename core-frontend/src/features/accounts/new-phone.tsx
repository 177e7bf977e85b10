/** The way to another number: type it, then the code that comes to it. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { type SyntheticEvent, useRef, useState } from "react"

import { useAskNewPhone, useProveNewPhone } from "@/features/accounts/account"
import classes from "@/features/accounts/account.module.css"
import type { Channel, PendingChallenge } from "@/features/accounts/challenge"
import { ChannelPicker } from "@/features/accounts/channel-picker"
import { CodeForm } from "@/features/accounts/code-form"
import { ASSUMED } from "@/features/accounts/offers"
import { toE164 } from "@/features/accounts/phone"
import { PhoneField } from "@/features/accounts/phone-field"
import { useOffers } from "@/features/accounts/queries"
import { isApiError } from "@/shared/api/errors"
import { useProblemText } from "@/shared/api/problem-text"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export function NewPhone({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const { t } = useLingui()
  const [phone, setPhone] = useState("")
  const [challenge, setChallenge] = useState<PendingChallenge | null>(null)
  const prove = useProveNewPhone()
  if (challenge === null) {
    return <PhoneForm phone={phone} onPhoneChange={setPhone} onSent={setChallenge} onCancel={onCancel} />
  }
  return (
    <div className={classes.narrow}>
      <CodeForm
        challenge={challenge}
        submit={(code) => prove(challenge, code)}
        onDone={onDone}
        onResent={setChallenge}
        back={{ label: t`Изменить номер`, go: () => setChallenge(null) }}
      />
    </div>
  )
}

interface PhoneFormProps {
  phone: string
  onPhoneChange: (phone: string) => void
  onSent: (challenge: PendingChallenge) => void
  onCancel: () => void
}

function PhoneForm({ phone, onPhoneChange, onSent, onCancel }: PhoneFormProps) {
  const { t } = useLingui()
  const describe = useProblemText()
  const [chosen, setChosen] = useState<Channel>("max")
  const [isIncomplete, setIncomplete] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const { data: offers = ASSUMED } = useOffers()
  const channel = offers.some((offer) => offer.channel === chosen) ? chosen : (offers[0]?.channel ?? chosen)
  const request = useAskNewPhone()
  const isRefused = isApiError(
    request.error, "accounts.phone_invalid", "accounts.phone_not_mobile", "accounts.phone_unchanged",
  )

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    const number = toE164(phone)
    setIncomplete(number === null)
    if (number === null) field.current?.focus()
    if (number === null || request.isPending) return
    request.mutate({ phone: number, channel }, { onSuccess: onSent, onError: () => field.current?.focus() })
  }

  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <PhoneField
        ref={field}
        label={t`Новый номер`}
        value={phone}
        onChange={(value) => {
          onPhoneChange(value)
          setIncomplete(false)
          if (!request.isPending) request.reset()
        }}
        error={isIncomplete ? t`Введите номер мобильного телефона целиком` : isRefused && describe(request.error).text}
        autoFocus
      />
      <ChannelPicker offers={offers} value={channel} onChange={setChosen} />
      {request.isError && !isRefused && <ProblemNotice error={request.error} />}
      <div className={classes.actions}>
        <Button type="submit" size="md" loading={request.isPending}>
          <Trans>Получить код</Trans>
        </Button>
        <Button variant="default" size="md" onClick={onCancel} disabled={request.isPending}>
          <Trans>Отмена</Trans>
        </Button>
      </div>
    </form>
  )
}
