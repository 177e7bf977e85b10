/** What was done in the tenant, by whom and from where: for its owner and administrators. */
import { Trans, useLingui } from "@lingui/react/macro"

import classes from "@/app/pages/account-page.module.css"
import { formatPhone } from "@/features/accounts/phone"
import { EntryList } from "@/features/audit/entry-list"
import { useTenantTrail } from "@/features/audit/queries"
import { type Tenant, useTenants } from "@/features/tenants/queries"
import { useMembers } from "@/features/tenants/team"
import { Notice } from "@/shared/ui/notice"
import { PageHeading } from "@/shared/ui/page-heading"

export function AuditPage() {
  const { t } = useLingui()
  const { current } = useTenants()
  return (
    <>
      <PageHeading className={classes.heading}>{t`Журнал`}</PageHeading>
      <p className={classes.lead}>
        <Trans>Кто и что делал в этом бизнесе. Записи нельзя изменить или удалить.</Trans>
      </p>
      {current?.role === "staff" && <Notice tone="plain">{t`Журнал видят владелец и администраторы.`}</Notice>}
      {current !== null && current.role !== "staff" && <Trail key={current.id} tenant={current} />}
    </>
  )
}

function Trail({ tenant }: { tenant: Tenant }) {
  const { t } = useLingui()
  const members = useMembers(tenant.id)

  function nameOf(userId: string | null): string {
    if (userId === null) return t`Платформа`
    const known = members.data?.find((member) => member.user_id === userId)
    if (known !== undefined) return known.name || formatPhone(known.phone) || t`Участник`
    // until all are known, nobody is said to have left
    return members.data === undefined || members.hasNextPage ? t`Участник` : t`Бывший участник`
  }

  return (
    <div className={classes.trail}>
      <EntryList list={useTenantTrail(tenant.id, true)} label={t`Журнал`} heading="h2" nameOf={nameOf} />
    </div>
  )
}
