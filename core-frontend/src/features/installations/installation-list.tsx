/** All installations of the tenant, with what stands in their place while there are none to show. */
import { Button, Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { type ReactNode, useState } from "react"

import type { Installation } from "@/features/installations/installation"
import { InstallationCard } from "@/features/installations/installation-card"
import classes from "@/features/installations/installation-list.module.css"
import { useInstallations } from "@/features/installations/queries"
import { RemoveDialog } from "@/features/installations/remove-dialog"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface InstallationListProps {
  moduleName: (id: string) => string
  glyph: (id: string) => ReactNode
  empty: ReactNode
}

export function InstallationList({ moduleName, glyph, empty }: InstallationListProps) {
  const { t } = useLingui()
  const list = useInstallations()
  const [leaving, setLeaving] = useState<Installation | null>(null)
  if (list.isPending) {
    return (
      <div className={classes.grid} role="status" aria-label={t`Загружаем модули`}>
        <Skeleton height={212} radius="xl" />
        <Skeleton height={212} radius="xl" />
      </div>
    )
  }
  if (list.isError) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />
  if (list.data.length === 0) return empty
  return (
    <>
      <div className={classes.grid}>
        {list.data.map((installation) => (
          <InstallationCard
            key={installation.id}
            installation={installation}
            moduleName={moduleName(installation.module)}
            glyph={glyph(installation.module)}
            onRemove={() => setLeaving(installation)}
          />
        ))}
      </div>
      {list.hasNextPage && (
        <Button variant="default" size="md" mt="lg" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          <Trans>Показать ещё</Trans>
        </Button>
      )}
      <RemoveDialog installation={leaving} onClose={() => setLeaving(null)} />
    </>
  )
}
