/** Which deliveries are shown: by what became of them, by event, by time. */
import { NativeSelect } from "@mantine/core"
import { useLingui } from "@lingui/react/macro"
import { useState } from "react"

import type { DeliveryFilter, DeliveryStatus } from "@/features/webhooks/deliveries"
import { EVENT_TYPES, eventName } from "@/features/webhooks/endpoint"
import { STATUSES } from "@/features/webhooks/outcome"
import classes from "@/features/webhooks/webhooks.module.css"

const HOUR = 3_600_000
const SHOWN: readonly DeliveryStatus[] = ["delivered", "pending", "held", "refused", "expired", "cancelled"]

interface DeliveryFiltersProps {
  filter: DeliveryFilter
  onChange: (filter: DeliveryFilter) => void
}

export function DeliveryFilters({ filter, onChange }: DeliveryFiltersProps) {
  const { t, i18n } = useLingui()
  const [hours, setHours] = useState("")
  const periods = [
    { value: "", label: t`За всё время` },
    { value: "1", label: t`За последний час` },
    { value: "24", label: t`За последние сутки` },
    { value: "168", label: t`За последние 7 дней` },
  ]

  function choosePeriod(chosen: string) {
    setHours(chosen)
    onChange({ ...filter, since: chosen === "" ? null : new Date(Date.now() - Number(chosen) * HOUR).toISOString() })
  }

  return (
    <div className={classes.filters} role="group" aria-label={t`Какие доставки показать`}>
      <NativeSelect
        aria-label={t`Чем закончилось`}
        value={filter.status ?? ""}
        onChange={(event) => onChange({ ...filter, status: (event.currentTarget.value || null) as DeliveryStatus | null })}
        data={[{ value: "", label: t`Любой итог` }, ...SHOWN.map((value) => ({ value, label: i18n._(STATUSES[value].name) }))]}
        classNames={{ input: classes.select }}
      />
      <NativeSelect
        aria-label={t`Событие`}
        value={filter.type ?? ""}
        onChange={(event) => onChange({ ...filter, type: event.currentTarget.value || null })}
        data={[
          { value: "", label: t`Любое событие` },
          ...[...EVENT_TYPES, "ping"].map((value) => ({ value, label: eventName(value, i18n) })),
        ]}
        classNames={{ input: classes.select }}
      />
      <NativeSelect
        aria-label={t`Когда`}
        value={hours}
        onChange={(event) => choosePeriod(event.currentTarget.value)}
        data={periods}
        classNames={{ input: classes.select }}
      />
    </div>
  )
}
