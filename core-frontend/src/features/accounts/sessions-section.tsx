/** Where one is signed in, and the way out of each place. */
import { Button, Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { Monitor, Smartphone } from "lucide-react"

import { type OwnSession, useEndOtherSessions, useEndSession, useSessions } from "@/features/accounts/account"
import { deviceOf } from "@/features/accounts/device"
import { formatAgo } from "@/shared/format/moments"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import rows from "@/shared/ui/rows.module.css"
import { Section } from "@/shared/ui/section"
import { ShowMore } from "@/shared/ui/show-more"

export function SessionsSection() {
  const { t } = useLingui()
  return (
    <Section title={t`Где вы вошли`} lead={t`Не узнаёте устройство — завершите его сеанс и смените пароль, если он задан.`}>
      <Sessions />
    </Section>
  )
}

function Sessions() {
  const { t } = useLingui()
  const list = useSessions()
  const end = useEndSession()
  const endOthers = useEndOtherSessions()
  if (list.isPending) {
    return (
      <div className={rows.row} role="status" aria-label={t`Загружаем список устройств`}>
        <Skeleton height={44} />
      </div>
    )
  }
  if (list.isError) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />
  // this one first, then those that were used last
  const sessions = list.data.toSorted(
    (one, other) => Number(other.current) - Number(one.current) || other.last_used_at.localeCompare(one.last_used_at),
  )
  const problem = end.error ?? endOthers.error
  const hasOthers = sessions.some(({ current }) => !current)
  return (
    <>
      <ul aria-label={t`Устройства`}>
        {sessions.map((session) => (
          <SessionRow
            key={session.id}
            session={session}
            isEnding={end.isPending && end.variables === session.id}
            onEnd={() => end.mutate(session.id)}
          />
        ))}
      </ul>
      {(hasOthers || list.hasNextPage || problem !== null) && (
        <div className={rows.end}>
          {problem !== null && <ProblemNotice error={problem} />}
          <ShowMore list={list} />
          {hasOthers && (
            <Button variant="default" size="md" className={rows.wide} loading={endOthers.isPending} onClick={() => endOthers.mutate()}>
              <Trans>Выйти на всех остальных</Trans>
            </Button>
          )}
        </div>
      )}
    </>
  )
}

interface SessionRowProps {
  session: OwnSession
  isEnding: boolean
  onEnd: () => void
}

function SessionRow({ session, isEnding, onEnd }: SessionRowProps) {
  const { t, i18n } = useLingui()
  const { browser, system, isHandheld } = deviceOf(session.user_agent)
  const name = [browser, system].filter((part) => part !== "").join(", ") || t`Неизвестное устройство`
  const Sign = isHandheld ? Smartphone : Monitor
  return (
    <li className={rows.row} data-testid="session" data-current={session.current}>
      <span className={rows.sign} data-tone={session.current ? "good" : undefined}>
        <Sign size={20} aria-hidden="true" />
      </span>
      <div className={rows.what}>
        <b>{name}</b>
        <span className={rows.facts}>
          {session.current ? (
            <span className={rows.here}>
              <Trans>Это устройство</Trans>
            </span>
          ) : (
            <span>{formatAgo(session.last_used_at, i18n.locale)}</span>
          )}
          {session.ip !== null && <span>{session.ip}</span>}
        </span>
      </div>
      {!session.current && (
        <Button variant="default" size="sm" loading={isEnding} onClick={onEnd} aria-label={t`Завершить сеанс: ${name}`}>
          <Trans>Завершить</Trans>
        </Button>
      )}
    </li>
  )
}
