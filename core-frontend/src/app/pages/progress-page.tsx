/** An activation, watched. */
import { Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { Link, useParams } from "react-router"

import classes from "@/app/pages/select-module-page.module.css"
import { NotFoundPage } from "@/app/pages/not-found-page"
import { StepTrail } from "@/app/pages/step-trail"
import { ActivationProgress } from "@/features/installations/activation-progress"
import { useInstallation } from "@/features/installations/queries"
import { isApiError } from "@/shared/api/errors"
import { PageHeading } from "@/shared/ui/page-heading"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export function ProgressPage() {
  const { id = "" } = useParams()
  return <Watched key={id} id={id} />
}

function Watched({ id }: { id: string }) {
  const { t } = useLingui()
  const installation = useInstallation(id)
  if (installation.data !== undefined) {
    return (
      <div className={classes.watched}>
        <StepTrail current={installation.data.status === "live" ? "done" : 3} />
        <ActivationProgress installation={installation.data} step={installation.step} />
      </div>
    )
  }
  if (installation.isPending) return <Skeleton height={320} radius="xl" aria-label={t`Загружаем`} />
  // an id that cannot be one is not found either
  if (isApiError(installation.error) && [404, 422].includes(installation.error.status)) return <NotFoundPage />
  return (
    <div className={classes.form}>
      <PageHeading className={classes.heading}>{t`Запуск`}</PageHeading>
      <ProblemNotice error={installation.error} onRetry={() => void installation.refetch()} />
      <Link to="/dashboard">
        <Trans>К моим модулям</Trans>
      </Link>
    </div>
  )
}
