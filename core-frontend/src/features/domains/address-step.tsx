/** The choice of an address: checked while it is typed, shown whole, with free suggestions beside it. */
import { TextInput } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { useMemo } from "react"

import { AddressPreview } from "@/features/domains/address-preview"
import classes from "@/features/domains/address-step.module.css"
import { AddressStatus } from "@/features/domains/address-status"
import { labelFromTyping, LONGEST_LABEL, suggestions } from "@/features/domains/label"
import { type AddressState, useFreeLabels } from "@/features/domains/queries"
import { useStorefrontUrl } from "@/features/domains/storefront-url"

interface AddressStepProps {
  label: string
  state: AddressState
  onChange: (label: string) => void
  businessName: string
  module: string
}

export function AddressStep({ label, state, onChange, businessName, module }: AddressStepProps) {
  const { t } = useLingui()
  const url = useStorefrontUrl(label === "" ? t`vash-adres` : label)
  return (
    <div className={classes.step}>
      <AddressPreview url={url} sign={businessName} isGhost={label === ""} isFree={state.kind === "available"} />
      <div>
        <TextInput
          label={t`Адрес`}
          name="subdomain"
          autoComplete="off"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          inputMode="url"
          placeholder="pekarnya-na-uglu"
          maxLength={LONGEST_LABEL * 3}
          value={label}
          onChange={(event) => onChange(labelFromTyping(event.currentTarget.value))}
          autoFocus
          aria-describedby="address-status"
          aria-invalid={state.kind === "refused" || state.kind === "malformed"}
          classNames={{ input: classes.input, label: classes.label }}
        />
        <AddressStatus id="address-status" state={state} />
      </div>
      <Suggestions current={label} businessName={businessName} module={module} onPick={onChange} />
    </div>
  )
}

interface SuggestionsProps {
  current: string
  businessName: string
  module: string
  onPick: (label: string) => void
}

function Suggestions({ current, businessName, module, onPick }: SuggestionsProps) {
  const { t } = useLingui()
  const candidates = useMemo(() => suggestions(businessName, module), [businessName, module])
  const free = useFreeLabels(candidates).filter((label) => label !== current)
  if (free.length === 0) return null
  return (
    <div role="group" aria-label={t`Варианты адреса`} className={classes.suggestions}>
      <span aria-hidden="true">
        <Trans>Свободны:</Trans>
      </span>
      {free.map((label) => (
        <button key={label} type="button" className={classes.suggestion} onClick={() => onPick(label)}>
          {label}
        </button>
      ))}
    </div>
  )
}
