/** Pages of a signed-in owner. */
import { Menu } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { ScrollText, UserRound, UsersRound, Webhook } from "lucide-react"
import { Suspense, useState } from "react"
import { Link, Outlet } from "react-router"

import classes from "@/app/layouts/layouts.module.css"
import { SessionGate } from "@/app/layouts/session-gate"
import { ProfileMenu } from "@/features/accounts/profile-menu"
import { StepUpDialog } from "@/features/accounts/step-up-dialog"
import { useTenants } from "@/features/tenants/queries"
import { TenantItems } from "@/features/tenants/tenant-items"
import { TenantName } from "@/features/tenants/tenant-name"
import { useApi } from "@/shared/api/api-context"
import { Logo } from "@/shared/ui/logo"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export function PanelLayout() {
  const { t } = useLingui()
  const { session } = useApi()
  const { current } = useTenants()
  const [problem, setProblem] = useState<unknown>(null)

  async function signOut() {
    setProblem(null)
    try {
      await session.signOut()
    } catch (error) {
      setProblem(error)
    }
  }

  return (
    <SessionGate>
      <header className={classes.panelHeader}>
        <div className={classes.bar}>
          <div className={classes.whose}>
            <Logo to="/dashboard" />
            <TenantName />
          </div>
          <nav aria-label={t`Профиль`}>
            <ProfileMenu onSignOut={() => void signOut()}>
              <Menu.Item component={Link} to="/account" leftSection={<UserRound size={18} aria-hidden="true" />}>
                <Trans>Аккаунт</Trans>
              </Menu.Item>
              <TenantItems />
              <Menu.Divider />
              <Menu.Item component={Link} to="/team" leftSection={<UsersRound size={18} aria-hidden="true" />}>
                <Trans>Команда</Trans>
              </Menu.Item>
              {current !== null && current.role !== "staff" && (
                <>
                  <Menu.Item component={Link} to="/webhooks" leftSection={<Webhook size={18} aria-hidden="true" />}>
                    <Trans>Вебхуки</Trans>
                  </Menu.Item>
                  <Menu.Item component={Link} to="/audit" leftSection={<ScrollText size={18} aria-hidden="true" />}>
                    <Trans>Журнал</Trans>
                  </Menu.Item>
                </>
              )}
            </ProfileMenu>
          </nav>
        </div>
      </header>
      <main id="content" className={classes.panel}>
        {problem !== null && <ProblemNotice error={problem} />}
        <Suspense>
          <Outlet />
        </Suspense>
      </main>
      <StepUpDialog />
    </SessionGate>
  )
}
