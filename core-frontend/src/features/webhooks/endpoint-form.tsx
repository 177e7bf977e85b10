/** What an endpoint is to be: a new one, or one that is changed. */
import { Button, NativeSelect, TextInput } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { type SyntheticEvent, useRef, useState } from "react"

import { type EventType, VERSIONS } from "@/features/webhooks/endpoint"
import { EventChoice } from "@/features/webhooks/event-choice"
import type { Endpoint, EndpointWish } from "@/features/webhooks/queries"
import classes from "@/features/webhooks/webhooks.module.css"
import dialog from "@/shared/ui/dialog.module.css"
import fields from "@/shared/ui/fields.module.css"
import { ProblemNotice } from "@/shared/ui/problem-notice"

type Wish = Required<EndpointWish>

interface EndpointFormProps {
  /** `null`: a new one. */
  endpoint: Endpoint | null
  isPending: boolean
  error: unknown
  onSubmit: (wish: Wish) => void
  onCancel: () => void
}

const INPUT = { input: fields.field, label: fields.label, description: fields.description, error: fields.error }

export function EndpointForm({ endpoint, isPending, error, onSubmit, onCancel }: EndpointFormProps) {
  const { t } = useLingui()
  const [url, setUrl] = useState(endpoint?.url ?? "https://")
  const [description, setDescription] = useState(endpoint?.description ?? "")
  const [types, setTypes] = useState(endpoint === null || endpoint.event_types.length === 0 ? null : endpoint.event_types)
  const [details, setDetails] = useState(() => detailsOf(endpoint))
  const [isRefused, setRefused] = useState(false)
  const address = useRef<HTMLInputElement>(null)
  const hasAddress = /^https?:\/\/[^/]/i.test(url.trim())
  const hasEvents = types === null || types.length > 0

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    setRefused(!hasAddress || !hasEvents)
    if (!hasAddress) address.current?.focus()
    if (!hasAddress || !hasEvents || isPending) return
    const event_types = [...((types ?? []) as readonly EventType[])]
    onSubmit({ url: url.trim(), description: description.trim(), event_types, ...numbersOf(details) })
  }

  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <TextInput
        ref={address}
        label={t`Адрес`}
        description={t`Сюда будут приходить события. Нужен https.`}
        inputMode="url"
        autoComplete="off"
        spellCheck={false}
        maxLength={2048}
        value={url}
        error={isRefused && !hasAddress && t`Введите адрес целиком, например https://example.com/webhooks`}
        onChange={(event) => setUrl(event.currentTarget.value)}
        inputWrapperOrder={["label", "input", "error", "description"]}
        classNames={INPUT}
      />
      <TextInput
        label={t`Описание`}
        placeholder={t`Например: склад`}
        autoComplete="off"
        maxLength={200}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
        classNames={INPUT}
      />
      <EventChoice
        chosen={types as readonly EventType[] | null}
        all={t`Все, и те, что появятся позже`}
        error={isRefused && !hasEvents ? t`Выберите хотя бы одно событие` : null}
        onChange={(chosen) => setTypes(chosen === null ? null : [...chosen])}
      />
      <Details details={details} onChange={setDetails} />
      {error !== null && <ProblemNotice error={error} />}
      <div className={dialog.actions}>
        <Button variant="default" size="md" onClick={onCancel}>
          <Trans>Отмена</Trans>
        </Button>
        <Button type="submit" size="md" loading={isPending}>
          {endpoint === null ? <Trans>Добавить</Trans> : <Trans>Сохранить</Trans>}
        </Button>
      </div>
    </form>
  )
}

/** As they stand in the fields. */
interface DetailsAsTyped {
  ordered: boolean
  rate: string
  concurrency: string
  version: string
}

function detailsOf(endpoint: Endpoint | null): DetailsAsTyped {
  return {
    ordered: endpoint?.ordered ?? false,
    rate: String(endpoint?.rate_per_second ?? 50),
    concurrency: String(endpoint?.concurrency ?? 8),
    version: String(endpoint?.schema_version ?? VERSIONS.at(-1)),
  }
}

function numbersOf(details: DetailsAsTyped): Pick<Wish, "ordered" | "rate_per_second" | "concurrency" | "schema_version"> {
  const within = (text: string, most: number) => Math.min(most, Math.max(1, Math.round(Number(text)) || 1))
  return {
    ordered: details.ordered,
    rate_per_second: within(details.rate, 1000),
    concurrency: within(details.concurrency, 100),
    schema_version: Number(details.version),
  }
}

function Details({ details, onChange }: { details: DetailsAsTyped; onChange: (details: DetailsAsTyped) => void }) {
  const { t } = useLingui()
  return (
    <details className={classes.details}>
      <summary>
        <Trans>Дополнительно</Trans>
      </summary>
      <label className={classes.option}>
        <input
          type="checkbox"
          checked={details.ordered}
          onChange={(event) => onChange({ ...details, ordered: event.currentTarget.checked })}
        />
        <span>
          <Trans>Строго по порядку</Trans>
          <small className={classes.hint}>
            <Trans>Следующее событие об одном и том же придёт только после предыдущего. Остальные ждать не будут.</Trans>
          </small>
        </span>
      </label>
      <div className={classes.fields}>
        <TextInput
          type="number"
          min={1}
          max={1000}
          label={t`Запросов в секунду`}
          value={details.rate}
          onChange={(event) => onChange({ ...details, rate: event.currentTarget.value })}
          classNames={INPUT}
        />
        <TextInput
          type="number"
          min={1}
          max={100}
          label={t`Одновременно`}
          value={details.concurrency}
          onChange={(event) => onChange({ ...details, concurrency: event.currentTarget.value })}
          classNames={INPUT}
        />
        <NativeSelect
          label={t`Версия событий`}
          value={details.version}
          onChange={(event) => onChange({ ...details, version: event.currentTarget.value })}
          data={VERSIONS.map(String)}
          classNames={INPUT}
        />
      </div>
    </details>
  )
}
