/** The people of the tenant: who is in, who is invited and, for those who may, how to invite one more. */
import { useLingui } from "@lingui/react/macro"

import { InviteForm } from "@/app/pages/invite-form"
import classes from "@/app/pages/team-page.module.css"
import { formatPhone } from "@/features/accounts/phone"
import { useMe } from "@/features/accounts/queries"
import { HandoverCard } from "@/features/tenants/handover-card"
import { InvitationList } from "@/features/tenants/invitation-list"
import { MemberList } from "@/features/tenants/member-list"
import { useTenants } from "@/features/tenants/queries"
import { PageHeading } from "@/shared/ui/page-heading"

export function TeamPage() {
  const { t } = useLingui()
  const { current } = useTenants()
  const me = useMe()
  return (
    <>
      <PageHeading className={classes.heading}>{t`Команда`}</PageHeading>
      {current !== null && me.data !== undefined && (
        <div className={classes.sections} key={current.id}>
          <HandoverCard tenantId={current.id} me={me.data.id} showPhone={showPhone} />
          <MemberList tenantId={current.id} own={current.role} me={me.data.id} showPhone={showPhone} />
          <InvitationList tenantId={current.id} own={current.role} showPhone={formatPhone} />
          {current.role !== "staff" && <InviteForm tenantId={current.id} own={current.role} />}
        </div>
      )}
    </>
  )
}

/** Staff get phones with stars in them, which are shown as they come. */
function showPhone(phone: string): string {
  return /^\+\d+$/.test(phone) ? formatPhone(phone) : phone
}
