/** Every try to deliver, newest first: how long it took, and what came back. */
import { Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"

import { type Attempt, type Delivery, useAttempts } from "@/features/webhooks/deliveries"
import { describeTry } from "@/features/webhooks/outcome"
import classes from "@/features/webhooks/webhooks.module.css"
import { formatMoment } from "@/shared/format/moments"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import { ShowMore } from "@/shared/ui/show-more"

export function AttemptList({ delivery }: { delivery: Delivery }) {
  const { t } = useLingui()
  const list = useAttempts(delivery)
  if (list.isPending) return <Skeleton height={44} />
  if (list.isError) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />
  if (list.data.length === 0) {
    return (
      <p className={classes.hint}>
        <Trans>Ещё не было ни одной.</Trans>
      </p>
    )
  }
  return (
    <>
      <ul className={classes.attempts} aria-label={t`Попытки`}>
        {list.data.map((attempt) => (
          <AttemptRow key={attempt.id} attempt={attempt} />
        ))}
      </ul>
      <ShowMore list={list} />
    </>
  )
}

function AttemptRow({ attempt }: { attempt: Attempt }) {
  const { t, i18n } = useLingui()
  const { number, response_status: status, error, duration_ms: ms, response_headers: headers, response_body: body } = attempt
  const what = describeTry(status, error, i18n)
  const isGood = error === null && status !== null && status < 300
  return (
    <li data-testid="attempt">
      <details className={classes.attempt}>
        <summary>
          <b data-tone={isGood ? "good" : "bad"}>
            {number}. {what}
          </b>
          <span className={classes.hint}>
            {formatMoment(attempt.started_at, i18n.locale)} · {t`${ms} мс`}
          </span>
        </summary>
        <dl className={classes.facts}>
          {attempt.address !== null && <Fact name={t`Кто ответил`}>{attempt.address}</Fact>}
          {attempt.timings !== null && <Fact name={t`Время, мс`}>{timingsOf(attempt.timings)}</Fact>}
        </dl>
        {headers !== null && (
          <>
            <h4>{t`Заголовки ответа`}</h4>
            <pre className={classes.body} tabIndex={0} aria-label={t`Заголовки ответа`}>
              {Object.entries(headers)
                .map(([name, value]) => `${name}: ${value}`)
                .join("\n")}
            </pre>
          </>
        )}
        {body !== null && body !== "" && (
          <>
            <h4>{t`Тело ответа`}</h4>
            <pre className={classes.body} tabIndex={0} aria-label={t`Тело ответа`}>
              {body}
            </pre>
          </>
        )}
      </details>
    </li>
  )
}

function Fact({ name, children }: { name: string; children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

const PARTS: Readonly<Record<string, string>> = { dns: "DNS", connect: "TCP", tls: "TLS", first_byte: "TTFB", total: "Σ" }

function timingsOf(timings: Readonly<Record<string, number>>): string {
  return Object.entries(PARTS)
    .filter(([part]) => part in timings)
    .map(([part, name]) => `${name} ${Math.round(timings[part] ?? 0)}`)
    .join(" · ")
}
