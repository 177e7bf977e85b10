/** A password, which can be looked at while it is typed: on a phone nobody types blindly. */
import { TextInput, UnstyledButton } from "@mantine/core"
import { useLingui } from "@lingui/react/macro"
import { Eye, EyeOff } from "lucide-react"
import { type ReactNode, type Ref, useState } from "react"

import classes from "@/shared/ui/fields.module.css"

interface PasswordFieldProps {
  ref: Ref<HTMLInputElement>
  label: string
  hint?: ReactNode
  isNew: boolean
  value: string
  onChange: (value: string) => void
  error: ReactNode
  autoFocus?: boolean
}

export function PasswordField({ ref, label, hint, isNew, value, onChange, error, autoFocus = false }: PasswordFieldProps) {
  const { t } = useLingui()
  const [isShown, setShown] = useState(false)
  const Sign = isShown ? EyeOff : Eye
  return (
    <TextInput
      ref={ref}
      label={label}
      // what is wrong takes the place of the hint
      description={error ? undefined : hint}
      type={isShown ? "text" : "password"}
      name="password"
      autoComplete={isNew ? "new-password" : "current-password"}
      autoCapitalize="off"
      autoCorrect="off"
      spellCheck={false}
      maxLength={128}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      error={error}
      errorProps={{ role: "alert" }}
      autoFocus={autoFocus}
      inputWrapperOrder={["label", "input", "error", "description"]}
      rightSectionPointerEvents="all"
      rightSectionWidth={56}
      rightSection={
        <UnstyledButton
          className={classes.eye}
          aria-label={isShown ? t`Скрыть пароль` : t`Показать пароль`}
          aria-pressed={isShown}
          onClick={() => setShown(!isShown)}
        >
          <Sign size={22} aria-hidden="true" />
        </UnstyledButton>
      }
      classNames={{ input: classes.field, label: classes.label, error: classes.error, description: classes.description }}
    />
  )
}
