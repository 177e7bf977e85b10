/** One input drawn as cells: the phone's own «paste the code from the message» and every screen reader know inputs, not cells. */
import { useLingui } from "@lingui/react/macro"
import { type Ref, useId } from "react"

import classes from "@/features/accounts/code-field.module.css"

interface CodeFieldProps {
  ref: Ref<HTMLInputElement>
  length: number
  value: string
  onChange: (code: string) => void
  isInvalid: boolean
  isDisabled: boolean
}

export function CodeField({ ref, length, value, onChange, isInvalid, isDisabled }: CodeFieldProps) {
  const { t } = useLingui()
  const id = useId()
  return (
    <div className={classes.field} data-invalid={isInvalid} data-disabled={isDisabled}>
      <label htmlFor={id} className={classes.label}>{t`Код из сообщения`}</label>
      <div className={classes.box}>
        <input
          id={id}
          ref={ref}
          className={classes.input}
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          aria-invalid={isInvalid}
          readOnly={isDisabled}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value.replace(/\D/g, "").slice(0, length))}
        />
        <div className={classes.cells} aria-hidden="true">
          {Array.from({ length }, (_, index) => (
            <span key={index} data-filled={index < value.length} data-next={index === Math.min(value.length, length - 1)}>
              {value.charAt(index)}
            </span>
          ))}
        </div>
      </div>
    </div>
  )
}
