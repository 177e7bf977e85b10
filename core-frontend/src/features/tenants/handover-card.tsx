/** An offer of the tenant that waits for an answer, for the two whom it concerns. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"

import { useHandover, useSettleHandover } from "@/features/tenants/handover"
import { useMembers } from "@/features/tenants/team"
import classes from "@/features/tenants/team.module.css"
import { formatMoment } from "@/shared/format/moments"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface HandoverCardProps {
  tenantId: string
  me: string
  showPhone: (phone: string) => string
}

export function HandoverCard({ tenantId, me, showPhone }: HandoverCardProps) {
  const { t, i18n } = useLingui()
  const { data: offer = null } = useHandover(tenantId)
  const members = useMembers(tenantId)
  const settle = useSettleHandover(tenantId)
  if (offer === null || ![offer.from_user_id, offer.to_user_id].includes(me)) return null
  if (members.isPending) return null // whom it is about is part of the question

  const isToMe = offer.to_user_id === me
  const other = members.data?.find(({ user_id: id }) => id === (isToMe ? offer.from_user_id : offer.to_user_id))
  const name = other === undefined ? t`Участник` : other.name || showPhone(other.phone) || t`Участник`
  const until = formatMoment(offer.expires_at, i18n.locale)
  return (
    <section className={classes.card} data-testid="handover">
      <h2>{isToMe ? <Trans>Вам передают этот бизнес</Trans> : <Trans>Бизнес ждёт нового владельца</Trans>}</h2>
      <p>
        {isToMe ? (
          <Trans>{name} предлагает вам стать владельцем. Ответить можно до {until}.</Trans>
        ) : (
          <Trans>{name} может принять передачу до {until}. После этого вы станете администратором.</Trans>
        )}
      </p>
      {settle.isError && <ProblemNotice error={settle.error} />}
      <div className={classes.answers}>
        {isToMe ? (
          <>
            <Button size="md" loading={settle.isPending} onClick={() => settle.mutate("accept")}>
              <Trans>Стать владельцем</Trans>
            </Button>
            <Button size="md" variant="default" disabled={settle.isPending} onClick={() => settle.mutate("decline")}>
              <Trans>Отклонить</Trans>
            </Button>
          </>
        ) : (
          <Button size="md" variant="default" loading={settle.isPending} onClick={() => settle.mutate("withdraw")}>
            <Trans>Отозвать передачу</Trans>
          </Button>
        )}
      </div>
    </section>
  )
}
