/** The phone number, formatted while it is typed, whatever way it gets in: keyboard, paste, the browser's own filling. */
import { TextInput } from "@mantine/core"
import { useLingui } from "@lingui/react/macro"
import { type ChangeEvent, type ReactNode, type RefObject, useLayoutEffect, useRef } from "react"

import classes from "@/shared/ui/fields.module.css"
import { caretAfterFormat, formatPhone } from "@/features/accounts/phone"

interface PhoneFieldProps {
  ref: RefObject<HTMLInputElement | null>
  label?: string
  value: string
  onChange: (value: string) => void
  error: ReactNode
  autoFocus: boolean
}

export function PhoneField({ ref: input, label, value, onChange, error, autoFocus }: PhoneFieldProps) {
  const { t } = useLingui()
  const caret = useRef<number | null>(null)

  useLayoutEffect(() => {
    if (caret.current === null) return
    input.current?.setSelectionRange(caret.current, caret.current)
    caret.current = null
  })

  function change(event: ChangeEvent<HTMLInputElement>) {
    const raw = event.currentTarget.value
    const position = event.currentTarget.selectionStart ?? raw.length
    const formatted = formatPhone(raw)
    caret.current = position < raw.length ? caretAfterFormat(raw, position, formatted) : null
    onChange(formatted)
  }

  return (
    <TextInput
      ref={input}
      label={label ?? t`Номер телефона`}
      name="phone"
      type="tel"
      inputMode="tel"
      autoComplete="tel"
      placeholder="+7 999 123-45-67"
      value={value}
      onChange={change}
      error={error}
      errorProps={{ role: "alert" }}
      autoFocus={autoFocus}
      classNames={{ input: classes.big, label: classes.label, error: classes.error }}
    />
  )
}
