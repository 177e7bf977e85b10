/** The first step of both sign-up and sign-in: whose phone, and over which messenger. */
import { Button, TextInput } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { ArrowRight } from "lucide-react"
import { type SyntheticEvent, useRef, useState } from "react"

import type { Channel, PendingChallenge, Wanted } from "@/features/accounts/challenge"
import { ChannelPicker } from "@/features/accounts/channel-picker"
import fieldClasses from "@/shared/ui/fields.module.css"
import { ASSUMED } from "@/features/accounts/offers"
import { formatPhone, toE164 } from "@/features/accounts/phone"
import { PhoneField } from "@/features/accounts/phone-field"
import { useOffers, useRequestCode } from "@/features/accounts/queries"
import classes from "@/features/accounts/steps.module.css"
import { isApiError } from "@/shared/api/errors"
import { useProblemText } from "@/shared/api/problem-text"
import { Notice } from "@/shared/ui/notice"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface PhoneStepProps {
  /** What was typed before, when the person came back to change it. */
  draft: Wanted
  asksForName: boolean
  onSent: (challenge: PendingChallenge) => void
  /** The other way in, given what has been typed of the number; absent where there is none. */
  onPassword: ((phone: string) => void) | undefined
}

export function PhoneStep({ draft, asksForName, onSent, onPassword }: PhoneStepProps) {
  const { t } = useLingui()
  const [phone, setPhone] = useState(formatPhone(draft.phone))
  const [chosen, setChosen] = useState<Channel>(draft.channel)
  const [tenantName, setTenantName] = useState(draft.tenantName)
  const [isIncomplete, setIncomplete] = useState(false)
  const { data: offers = ASSUMED } = useOffers()
  const channel = offers.some((offer) => offer.channel === chosen) ? chosen : (offers[0]?.channel ?? chosen)
  const request = useRequestCode()
  const describe = useProblemText()
  const field = useRef<HTMLInputElement>(null)
  const isRefused = isApiError(request.error, "accounts.phone_invalid", "accounts.phone_not_mobile")

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    const number = toE164(phone)
    setIncomplete(number === null)
    if (number === null) field.current?.focus()
    if (number === null || request.isPending) return
    request.mutate({ phone: number, channel, tenantName }, { onSuccess: onSent, onError: () => field.current?.focus() })
  }

  return (
    <form onSubmit={submit} noValidate className={classes.form}>
      <PhoneField
        value={phone}
        onChange={(value) => {
          setPhone(value)
          setIncomplete(false)
          if (isRefused) request.reset()
        }}
        error={isIncomplete ? t`Введите номер мобильного телефона целиком` : isRefused && describe(request.error).text}
        ref={field}
        autoFocus
      />
      <ChannelPicker offers={offers} value={channel} onChange={setChosen} />
      {asksForName && (
        <TextInput
          label={t`Название бизнеса`}
          description={t`Необязательно: подберём по нему адрес, поменять можно потом`}
          placeholder={t`Пекарня «На углу»`}
          autoComplete="organization"
          maxLength={120}
          value={tenantName}
          onChange={(event) => setTenantName(event.currentTarget.value)}
          inputWrapperOrder={["label", "input", "description", "error"]}
          classNames={{ input: fieldClasses.field, label: fieldClasses.label, description: classes.description }}
        />
      )}
      {offers.length === 0 && <Notice tone="plain">{t`Вход пока не работает: на платформе не настроена отправка кодов.`}</Notice>}
      {request.isError && !isRefused && <ProblemNotice error={request.error} />}
      <Button type="submit" size="lg" fullWidth loading={request.isPending} rightSection={<ArrowRight size={20} />}>
        <Trans>Получить код</Trans>
      </Button>
      {onPassword !== undefined && (
        <Button variant="subtle" size="md" fullWidth onClick={() => onPassword(phone)}>
          <Trans>Войти с паролем</Trans>
        </Button>
      )}
    </form>
  )
}
