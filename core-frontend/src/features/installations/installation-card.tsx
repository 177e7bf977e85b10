/** One installation on the dashboard: where it lives, how it is, and the ways in. */
import { ActionIcon, Button, Menu } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { ArrowRight, ExternalLink, MoreHorizontal, RotateCw, Trash2 } from "lucide-react"
import type { ReactNode } from "react"
import { Link } from "react-router"

import { EnterAdminButton } from "@/features/installations/enter-admin-button"
import { FailureText } from "@/features/installations/failure-text"
import { type Installation, isSettling } from "@/features/installations/installation"
import classes from "@/features/installations/installation-card.module.css"
import { useEnterAdmin } from "@/features/installations/queries"
import { retryPath } from "@/features/installations/retry-path"
import { StatusBadge } from "@/features/installations/status-badge"
import { Trial } from "@/features/installations/trial"
import { hostOf } from "@/shared/format/address"
import { HostText } from "@/shared/ui/host-text"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface InstallationCardProps {
  installation: Installation
  moduleName: string
  glyph: ReactNode
  onRemove: () => void
}

export function InstallationCard({ installation, moduleName, glyph, onRemove }: InstallationCardProps) {
  const { t } = useLingui()
  const entry = useEnterAdmin()
  const { status, url, subscription, failure } = installation
  const host = hostOf(url)
  return (
    <article className={classes.card} aria-label={host} data-testid="installation" data-status={status}>
      <header className={classes.header}>
        {glyph}
        <div className={classes.names}>
          <p className={classes.module}>{moduleName}</p>
          <h2 className={classes.host}>
            {status === "live" ? (
              <a href={url} target="_blank" rel="noreferrer">
                <HostText host={host} />
              </a>
            ) : (
              <HostText host={host} />
            )}
          </h2>
        </div>
        <Menu width={216} classNames={{ dropdown: classes.dropdown }}>
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size={44} radius="xl" aria-label={t`Действия: ${host}`}>
              <MoreHorizontal size={22} aria-hidden="true" />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item color="red" leftSection={<Trash2 size={18} aria-hidden="true" />} onClick={onRemove}>
              {status === "failed" ? <Trans>Убрать из списка</Trans> : <Trans>Удалить</Trans>}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </header>
      <div className={classes.facts}>
        <StatusBadge status={status} />
        {status !== "failed" && <Trial subscription={subscription} />}
      </div>
      {status === "failed" && (
        <p className={classes.failure}>
          <FailureText failure={failure} />
        </p>
      )}
      {entry.isError && <ProblemNotice error={entry.error} />}
      <footer className={classes.actions}>
        {status === "live" && (
          <>
            <EnterAdminButton
              size="md"
              isEntering={entry.isPending || entry.isSuccess}
              onEnter={() => entry.mutate(installation.id)}
            />
            <Button
              component="a"
              href={url}
              target="_blank"
              rel="noreferrer"
              variant="default"
              size="md"
              rightSection={<ExternalLink size={17} aria-hidden="true" />}
            >
              <Trans>Открыть витрину</Trans>
            </Button>
          </>
        )}
        {isSettling(installation) && (
          <Button
            component={Link}
            to={`/installations/${installation.id}/progress`}
            variant="light"
            size="md"
            rightSection={<ArrowRight size={18} aria-hidden="true" />}
          >
            <Trans>Смотреть ход запуска</Trans>
          </Button>
        )}
        {status === "failed" && (
          <Button
            component={Link}
            to={retryPath(installation)}
            variant="default"
            size="md"
            leftSection={<RotateCw size={17} aria-hidden="true" />}
          >
            <Trans>Попробовать снова</Trans>
          </Button>
        )}
      </footer>
    </article>
  )
}
