/** Which events an endpoint hears of: all of them, those to come included, or some. */
import { Trans, useLingui } from "@lingui/react/macro"
import { useId } from "react"

import { EVENT_TYPES, eventName, type EventType } from "@/features/webhooks/endpoint"
import classes from "@/features/webhooks/webhooks.module.css"

interface EventChoiceProps {
  /** `null`: all, which `all` says. */
  chosen: readonly EventType[] | null
  all: string
  error: string | null
  onChange: (chosen: readonly EventType[] | null) => void
}

export function EventChoice({ chosen, all, error, onChange }: EventChoiceProps) {
  const { t, i18n } = useLingui()
  const group = useId()
  return (
    <fieldset className={classes.choice} aria-describedby={error === null ? undefined : `${group}-error`}>
      <legend className={classes.label}>
        <Trans>События</Trans>
      </legend>
      <label className={classes.option}>
        <input type="radio" name={group} checked={chosen === null} onChange={() => onChange(null)} />
        <span>{all}</span>
      </label>
      <label className={classes.option}>
        <input type="radio" name={group} checked={chosen !== null} onChange={() => onChange([])} />
        <span>{t`Только выбранные`}</span>
      </label>
      {chosen !== null && (
        <div className={classes.options}>
          {EVENT_TYPES.map((type) => (
            <label key={type} className={classes.option}>
              <input
                type="checkbox"
                checked={chosen.includes(type)}
                onChange={(event) => {
                  const rest = chosen.filter((other) => other !== type)
                  onChange(event.currentTarget.checked ? [...rest, type] : rest)
                }}
              />
              <span>
                {eventName(type, i18n)}
                <small className={classes.code}>{type}</small>
              </span>
            </label>
          ))}
        </div>
      )}
      {error !== null && (
        <p id={`${group}-error`} className={classes.error} role="alert">
          {error}
        </p>
      )}
    </fieldset>
  )
}
