/** Deeds, newest first, day by day. */
import { Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { KeyRound, LogIn, LogOut, type LucideIcon, Phone, ShieldAlert, Store, UserRound, UsersRound, Webhook } from "lucide-react"

import { describeDeed, isByStranger, whomOf } from "@/features/audit/deed"
import classes from "@/features/audit/entry-list.module.css"
import type { AuditEntry } from "@/features/audit/queries"
import type { usePages } from "@/shared/api/pages"
import { formatDayHeading, formatTime } from "@/shared/format/moments"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import rows from "@/shared/ui/rows.module.css"
import { ShowMore } from "@/shared/ui/show-more"

/** By the deed, else by what stands before its point. */
const SIGNS: Record<string, LucideIcon> = {
  "person.signed_in": LogIn,
  "person.signed_out": LogOut,
  "session.ended": LogOut,
  installation: Store,
  tenant: Store,
  member: UsersRound,
  invitation: UsersRound,
  handover: UsersRound,
  keys: KeyRound,
  password: KeyRound,
  phone: Phone,
  codes: ShieldAlert,
  session: ShieldAlert,
  webhook_endpoint: Webhook,
}

interface EntryListProps {
  list: ReturnType<typeof usePages<AuditEntry>>
  label: string
  /** Of the headings above each day: one below that of the page or section which the list stands in. */
  heading: "h2" | "h3"
  /** What somebody is called, `null` being the platform; absent where it is always the same person. */
  nameOf?: (userId: string | null) => string
}

export function EntryList({ list, label, heading: Heading, nameOf }: EntryListProps) {
  const { t, i18n } = useLingui()
  if (list.isPending) {
    return (
      <div className={rows.row} role="status" aria-label={t`Загружаем действия`}>
        <Skeleton height={44} />
      </div>
    )
  }
  if (list.isError) {
    return (
      <div className={classes.problem}>
        <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />
      </div>
    )
  }
  if (list.data.length === 0) {
    return (
      <p className={classes.nothing}>
        <Trans>Пока ничего не было.</Trans>
      </p>
    )
  }
  return (
    <>
      <div role="group" aria-label={label}>
        {byDay(list.data, i18n.locale).map(([day, entries]) => (
          <div key={day} className={classes.day}>
            <Heading>{day}</Heading>
            <ul>
              {entries.map((entry) => (
                <EntryRow key={entry.id} entry={entry} nameOf={nameOf} />
              ))}
            </ul>
          </div>
        ))}
      </div>
      {list.hasNextPage && (
        <div className={rows.end}>
          <ShowMore list={list} />
        </div>
      )}
    </>
  )
}

function EntryRow({ entry, nameOf }: { entry: AuditEntry; nameOf: EntryListProps["nameOf"] }) {
  const { t, i18n } = useLingui()
  const whom = whomOf(entry)
  const phone = String(entry.data["phone"] ?? "")
  const { text, tone } = describeDeed(entry, i18n)
  const Sign = SIGNS[entry.action] ?? SIGNS[entry.action.split(".")[0] ?? ""] ?? UserRound
  return (
    <li className={rows.row} data-testid="audit-entry" data-action={entry.action}>
      <span className={rows.sign} data-tone={tone}>
        <Sign size={18} aria-hidden="true" />
      </span>
      <div className={rows.what}>
        <b>{text}</b>
        <span className={rows.facts}>
          {nameOf !== undefined && (
            <span>
              {isByStranger(entry) ? t`Кто-то, по номеру ${phone}` : nameOf(entry.user_id)}
              {whom !== null && ` → ${nameOf(whom)}`}
            </span>
          )}
          <time dateTime={entry.occurred_at}>{formatTime(entry.occurred_at, i18n.locale)}</time>
          {entry.address !== null && <span>{entry.address}</span>}
        </span>
      </div>
    </li>
  )
}

function byDay(entries: readonly AuditEntry[], locale: string): [string, AuditEntry[]][] {
  const days = new Map<string, AuditEntry[]>()
  for (const entry of entries) {
    const day = formatDayHeading(entry.occurred_at, locale)
    const others = days.get(day)
    if (others === undefined) days.set(day, [entry])
    else others.push(entry)
  }
  return [...days]
}
