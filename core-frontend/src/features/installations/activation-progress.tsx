/** An activation from the outside: on its way, live with the doors open, or undone with the reason and a way back. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { ExternalLink, RotateCw } from "lucide-react"
import { Link, Navigate } from "react-router"

import classes from "@/features/installations/activation-progress.module.css"
import { ActivationSteps } from "@/features/installations/activation-steps"
import { CopyAddress } from "@/features/installations/copy-address"
import { EnterAdminButton } from "@/features/installations/enter-admin-button"
import { FailureText } from "@/features/installations/failure-text"
import { GrowingPoint } from "@/features/installations/growing-point"
import { type Installation, isSettling, type Step } from "@/features/installations/installation"
import { useEnterAdmin } from "@/features/installations/queries"
import { retryPath } from "@/features/installations/retry-path"
import { hostOf } from "@/shared/format/address"
import { Notice } from "@/shared/ui/notice"
import { PageHeading } from "@/shared/ui/page-heading"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface ActivationProgressProps {
  installation: Installation
  step: Step
}

export function ActivationProgress({ installation, step }: ActivationProgressProps) {
  const { status } = installation
  if (status === "suspended" || status === "gone") return <Navigate to="/dashboard" replace />
  return (
    <div className={classes.stage} data-testid="progress" data-status={status}>
      {isSettling(installation) && <Settling key="settling" installation={installation} step={step} />}
      {status === "live" && <Live key="live" installation={installation} />}
      {status === "failed" && <Undone key="undone" installation={installation} />}
    </div>
  )
}

function Settling({ installation, step }: ActivationProgressProps) {
  const { t } = useLingui()
  return (
    <>
      <GrowingPoint mood="growing" />
      <PageHeading className={classes.heading}>{t`Запускаем…`}</PageHeading>
      <p className={classes.lead}>
        <Trans>Обычно это занимает несколько секунд. Страницу можно закрыть: запуск продолжится сам.</Trans>
      </p>
      <ActivationSteps installation={installation} step={step} />
    </>
  )
}

function Live({ installation }: { installation: Installation }) {
  const { t } = useLingui()
  const entry = useEnterAdmin()
  return (
    <>
      <GrowingPoint mood="grown" />
      <PageHeading className={classes.heading}>{t`Готово! Адрес работает`}</PageHeading>
      <CopyAddress url={installation.url} />
      <p className={classes.lead}>
        <Trans>Витрина открыта для всех. Войдите в управление и наполните её.</Trans>
      </p>
      {entry.isError && <ProblemNotice error={entry.error} />}
      <div className={classes.actions}>
        <EnterAdminButton
          size="lg"
          isEntering={entry.isPending || entry.isSuccess}
          onEnter={() => entry.mutate(installation.id)}
        />
        <Button
          component="a"
          href={installation.url}
          target="_blank"
          rel="noreferrer"
          size="lg"
          variant="default"
          rightSection={<ExternalLink size={18} aria-hidden="true" />}
        >
          <Trans>Открыть витрину</Trans>
        </Button>
      </div>
      <Link to="/dashboard" className={classes.aside}>
        <Trans>К моим модулям</Trans>
      </Link>
    </>
  )
}

function Undone({ installation }: { installation: Installation }) {
  const { t } = useLingui()
  const host = hostOf(installation.url)
  return (
    <>
      <GrowingPoint mood="resting" />
      <PageHeading className={classes.heading}>{t`Не получилось запустить`}</PageHeading>
      <div className={classes.reason}>
        <Notice tone="bad">
          <FailureText failure={installation.failure} />
        </Notice>
      </div>
      <p className={classes.lead}>
        <Trans>Мы всё вернули как было: адрес {host} снова свободен, пробный период не потрачен.</Trans>
      </p>
      <div className={classes.actions}>
        <Button component={Link} to={retryPath(installation)} size="lg" leftSection={<RotateCw size={18} aria-hidden="true" />}>
          <Trans>Попробовать снова</Trans>
        </Button>
        <Button component={Link} to="/dashboard" size="lg" variant="default">
          <Trans>К моим модулям</Trans>
        </Button>
      </div>
    </>
  )
}
