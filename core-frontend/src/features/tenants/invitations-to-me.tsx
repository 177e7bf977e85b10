/** Invitations that wait for the answer of whoever is signed in; nothing at all where there are none. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"

import { useRoleName } from "@/features/tenants/role-name"
import { type InvitationToMe, useAccept, useDecline, useMyInvitations } from "@/features/tenants/team"
import classes from "@/features/tenants/team.module.css"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export function InvitationsToMe() {
  const { t } = useLingui()
  const { data } = useMyInvitations()
  if (data === undefined || data.length === 0) return null
  return (
    <section className={classes.toMe} aria-label={t`Вас приглашают`}>
      {data.map((invitation) => (
        <InvitationCard key={invitation.id} invitation={invitation} />
      ))}
    </section>
  )
}

function InvitationCard({ invitation }: { invitation: InvitationToMe }) {
  const roleName = useRoleName()
  const accept = useAccept()
  const decline = useDecline()
  const { id, tenant_name: tenantName, role, invited_by_name: inviter } = invitation
  const what = roleName(role).toLowerCase()
  const problem = accept.error ?? decline.error
  return (
    <article className={classes.card} data-testid="invitation-to-me">
      <h2>
        <Trans>Приглашение в «{tenantName}»</Trans>
      </h2>
      <p>
        {inviter === "" ? (
          <Trans>Ваша роль: {what}.</Trans>
        ) : (
          <Trans>
            Вас приглашает {inviter}. Ваша роль: {what}.
          </Trans>
        )}
      </p>
      {problem !== null && <ProblemNotice error={problem} />}
      <div className={classes.answers}>
        <Button size="md" loading={accept.isPending} disabled={decline.isPending} onClick={() => accept.mutate(id)}>
          <Trans>Принять</Trans>
        </Button>
        <Button
          size="md"
          variant="default"
          loading={decline.isPending}
          disabled={accept.isPending}
          onClick={() => decline.mutate(id)}
        >
          <Trans>Отклонить</Trans>
        </Button>
      </div>
    </article>
  )
}
