/** Home of a signed-in owner: what they run, and the way to run more. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { Plus } from "lucide-react"
import { Link } from "react-router"

import classes from "@/app/pages/dashboard-page.module.css"
import { ModuleGlyph } from "@/features/catalogue/module-glyph"
import { useModuleLook } from "@/features/catalogue/module-look"
import { InstallationList } from "@/features/installations/installation-list"
import { useInstallations } from "@/features/installations/queries"
import { InvitationsToMe } from "@/features/tenants/invitations-to-me"
import { useTenants } from "@/features/tenants/queries"
import { UnwellEndpoints } from "@/features/webhooks/unwell-endpoints"
import { LogoMark } from "@/shared/ui/logo"
import { PageHeading } from "@/shared/ui/page-heading"

export function DashboardPage() {
  const { t } = useLingui()
  const moduleLook = useModuleLook()
  const { current } = useTenants()
  const installations = useInstallations()
  const hasSome = (installations.data?.length ?? 0) > 0
  return (
    <>
      <InvitationsToMe />
      {current !== null && current.role !== "staff" && <UnwellEndpoints key={current.id} />}
      <div className={classes.top}>
        <PageHeading className={classes.heading}>{t`Мои модули`}</PageHeading>
        {hasSome && (
          <Button
            component={Link}
            to="/select-module"
            variant="default"
            size="md"
            leftSection={<Plus size={18} aria-hidden="true" />}
          >
            <Trans>Добавить модуль</Trans>
          </Button>
        )}
      </div>
      <InstallationList
        moduleName={(id) => moduleLook(id).name}
        glyph={(id) => <ModuleGlyph module={moduleLook(id)} size={52} />}
        empty={<Empty />}
      />
    </>
  )
}

function Empty() {
  return (
    <div className={classes.empty}>
      <LogoMark size={64} />
      <h2>
        <Trans>Пока здесь пусто</Trans>
      </h2>
      <p>
        <Trans>Выберите модуль и адрес — через минуту у вас будет витрина, а здесь появится вход в управление.</Trans>
      </p>
      <Button component={Link} to="/select-module" size="lg">
        <Trans>Выбрать модуль</Trans>
      </Button>
    </div>
  )
}
