/** The catalogue as cards, with what stands in their place while it loads, is empty or cannot be reached. */
import { Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { GraduationCap, Images, Ticket } from "lucide-react"
import type { ReactNode } from "react"

import classes from "@/features/catalogue/catalogue-grid.module.css"
import { ModuleCard } from "@/features/catalogue/module-card"
import cardClasses from "@/features/catalogue/module-card.module.css"
import { type Module, useModules } from "@/features/catalogue/queries"
import { Notice } from "@/shared/ui/notice"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface CatalogueGridProps {
  action: (module: Module, name: string) => ReactNode
  headingLevel: 2 | 3
}

export function CatalogueGrid({ action, headingLevel }: CatalogueGridProps) {
  const { t } = useLingui()
  const modules = useModules()
  if (modules.isPending) {
    return (
      <div className={classes.grid} role="status" aria-label={t`Загружаем каталог`}>
        <CardSkeleton />
        <CardSkeleton />
      </div>
    )
  }
  if (modules.isError) return <ProblemNotice error={modules.error} onRetry={() => void modules.refetch()} />
  if (modules.data.length === 0) {
    return (
      <Notice tone="plain">
        <Trans>В каталоге пока нет модулей. Загляните чуть позже.</Trans>
      </Notice>
    )
  }
  return (
    <div className={classes.grid}>
      {modules.data.map((module) => (
        <ModuleCard key={module.id} module={module} action={(name) => action(module, name)} headingLevel={headingLevel} />
      ))}
      {modules.data.length < 3 && <ComingCard headingLevel={headingLevel} />}
    </div>
  )
}

function ComingCard({ headingLevel }: { headingLevel: 2 | 3 }) {
  const Heading = headingLevel === 2 ? "h2" : "h3"
  return (
    <div className={`${cardClasses.card} ${cardClasses.soon}`}>
      <div className={cardClasses.soonIcons} aria-hidden="true">
        <span>
          <Ticket size={26} strokeWidth={1.6} />
        </span>
        <span>
          <GraduationCap size={26} strokeWidth={1.6} />
        </span>
        <span>
          <Images size={26} strokeWidth={1.6} />
        </span>
      </div>
      <Heading className={cardClasses.name}>
        <Trans>Скоро в каталоге</Trans>
      </Heading>
      <p className={cardClasses.description}>
        <Trans>Мероприятия с билетами, онлайн-курсы, портфолио. Всё это откроется здесь же, тем же входом.</Trans>
      </p>
    </div>
  )
}

function CardSkeleton() {
  return (
    <div className={`${cardClasses.card} ${cardClasses.skeleton}`}>
      <Skeleton height={56} width={56} radius={17} />
      <Skeleton height={22} width="60%" />
      <Skeleton height={16} />
      <Skeleton height={16} width="85%" />
      <Skeleton height={44} mt={12} />
    </div>
  )
}
