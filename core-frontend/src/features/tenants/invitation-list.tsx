/** Who has been invited and has not answered yet. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"

import { useRoleName } from "@/features/tenants/role-name"
import { grantable, type Role, useInvitations, useWithdraw } from "@/features/tenants/team"
import classes from "@/features/tenants/team.module.css"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import { ShowMore } from "@/shared/ui/show-more"

interface InvitationListProps {
  tenantId: string
  own: Role
  showPhone: (phone: string) => string
}

export function InvitationList({ tenantId, own, showPhone }: InvitationListProps) {
  const { t, i18n } = useLingui()
  const roleName = useRoleName()
  const list = useInvitations(tenantId, own !== "staff")
  const withdraw = useWithdraw(tenantId)
  if (list.isError) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />
  if (list.data === undefined || list.data.length === 0) return null
  const until = new Intl.DateTimeFormat(i18n.locale, { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" })
  return (
    <section className={classes.section}>
      <h2>
        <Trans>Приглашены</Trans>
      </h2>
      {withdraw.isError && <ProblemNotice error={withdraw.error} />}
      <ul className={classes.list} aria-label={t`Приглашения`}>
        {list.data.map(({ id, phone, role, expires_at }) => (
          <li key={id} className={classes.row} data-testid="invitation">
            <div className={classes.names}>
              <b className={classes.phone}>{showPhone(phone)}</b>
              <span className={classes.hint}>
                <Trans>ждём ответа до {until.format(new Date(expires_at))}</Trans>
              </span>
            </div>
            <span className={classes.role}>{roleName(role)}</span>
            {grantable(own).includes(role) && (
              <Button
                variant="default"
                size="sm"
                loading={withdraw.isPending && withdraw.variables === id}
                onClick={() => withdraw.mutate(id)}
                aria-label={t`Отозвать: ${showPhone(phone)}`}
              >
                <Trans>Отозвать</Trans>
              </Button>
            )}
          </li>
        ))}
      </ul>
      <ShowMore list={list} />
    </section>
  )
}
