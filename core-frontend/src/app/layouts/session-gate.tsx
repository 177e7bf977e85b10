/** Lets a signed-in person through; asks others to sign in, and remembers where they were going. */
import { Skeleton } from "@mantine/core"
import { useLingui } from "@lingui/react/macro"
import { useQuery } from "@tanstack/react-query"
import { type ReactNode, useState } from "react"
import { Navigate, useLocation } from "react-router"

import classes from "@/app/layouts/layouts.module.css"
import { signInPath } from "@/app/next-path"
import { useApi, useSessionStatus } from "@/shared/api/api-context"
import { Logo } from "@/shared/ui/logo"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export function SessionGate({ children }: { children: ReactNode }) {
  const { t } = useLingui()
  const { session } = useApi()
  const status = useSessionStatus()
  const location = useLocation()
  const [wasActive, setWasActive] = useState(false)
  const restoring = useQuery({
    queryKey: ["session"],
    queryFn: () => session.restore(),
    enabled: status === "unknown",
    gcTime: 0,
  })
  if (status === "active" && !wasActive) setWasActive(true)
  if (status === "active") return children
  if (status === "unknown") {
    return (
      <>
        <header className={classes.panelHeader}>
          <div className={classes.bar}>
            <Logo to="/" />
          </div>
        </header>
        <main className={classes.panel} aria-busy={!restoring.isError} aria-label={t`Открываем панель`}>
          {restoring.isError ? (
            <ProblemNotice error={restoring.error} onRetry={() => void restoring.refetch()} />
          ) : (
            <div className={classes.opening}>
              <Skeleton height={38} width="45%" />
              <Skeleton height={200} radius="xl" />
            </div>
          )}
        </main>
      </>
    )
  }
  // signed out on purpose, here or in another tab: nothing to come back to
  if (status === "anonymous" && wasActive) return <Navigate to="/" replace />
  return <Navigate to={signInPath(location, status)} replace />
}
