/** The members of a tenant, and for those who may: changing what they are, removing them, leaving. */
import { ActionIcon, Menu, Skeleton } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { Crown, LogOut, MoreHorizontal, ShieldCheck, UserRound, UserMinus } from "lucide-react"
import { useState } from "react"

import { HandoverDialog } from "@/features/tenants/handover-dialog"
import { RemoveMemberDialog } from "@/features/tenants/remove-member-dialog"
import { useRoleName } from "@/features/tenants/role-name"
import { type Member, mayRemove, type Role, useAppoint, useMembers } from "@/features/tenants/team"
import classes from "@/features/tenants/team.module.css"
import { ProblemNotice } from "@/shared/ui/problem-notice"
import { ShowMore } from "@/shared/ui/show-more"

interface MemberListProps {
  tenantId: string
  own: Role
  me: string
  showPhone: (phone: string) => string
}

export function MemberList({ tenantId, own, me, showPhone }: MemberListProps) {
  const { t } = useLingui()
  const list = useMembers(tenantId)
  const appoint = useAppoint(tenantId)
  const [leaving, setLeaving] = useState<Member | null>(null)
  const [heir, setHeir] = useState<Member | null>(null)
  if (list.isPending) {
    return (
      <div role="status" aria-label={t`Загружаем команду`}>
        <Skeleton height={72} radius="lg" />
      </div>
    )
  }
  if (list.isError) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />
  return (
    <>
      {appoint.isError && <ProblemNotice error={appoint.error} />}
      <ul className={classes.list} aria-label={t`Участники`}>
        {list.data.map((member) => (
          <MemberRow
            key={member.user_id}
            member={member}
            own={own}
            isMe={member.user_id === me}
            showPhone={showPhone}
            onAppoint={(role) => appoint.mutate({ userId: member.user_id, role })}
            onHandOver={() => setHeir(member)}
            onRemove={() => setLeaving(member)}
          />
        ))}
      </ul>
      <ShowMore list={list} />
      <HandoverDialog tenantId={tenantId} member={heir} showPhone={showPhone} onClose={() => setHeir(null)} />
      <RemoveMemberDialog tenantId={tenantId} member={leaving} me={me} showPhone={showPhone} onClose={() => setLeaving(null)} />
    </>
  )
}

interface MemberRowProps {
  member: Member
  own: Role
  isMe: boolean
  showPhone: (phone: string) => string
  onAppoint: (role: "admin" | "staff") => void
  onHandOver: () => void
  onRemove: () => void
}

function MemberRow({ member, own, isMe, showPhone, onAppoint, onHandOver, onRemove }: MemberRowProps) {
  const { t } = useLingui()
  const roleName = useRoleName()
  const phone = showPhone(member.phone)
  const name = member.name || phone || t`Участник`
  const canAppoint = own === "owner" && !isMe
  const canRemove = isMe || mayRemove(own, member.role)
  return (
    <li className={classes.row} data-testid="member" data-role={member.role}>
      <div className={classes.names}>
        <b>
          {name} {isMe && <Trans>(вы)</Trans>}
        </b>
        {member.name !== "" && phone !== "" && <span className={classes.phone}>{phone}</span>}
      </div>
      <span className={classes.role}>{roleName(member.role)}</span>
      {(canAppoint || canRemove) && (
        <Menu width={264} classNames={{ dropdown: classes.dropdown }}>
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size={44} radius="xl" aria-label={t`Действия: ${name}`}>
              <MoreHorizontal size={22} aria-hidden="true" />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {canAppoint && member.role !== "admin" && (
              <Menu.Item leftSection={<ShieldCheck size={18} aria-hidden="true" />} onClick={() => onAppoint("admin")}>
                <Trans>Сделать администратором</Trans>
              </Menu.Item>
            )}
            {canAppoint && member.role !== "staff" && (
              <Menu.Item leftSection={<UserRound size={18} aria-hidden="true" />} onClick={() => onAppoint("staff")}>
                <Trans>Сделать сотрудником</Trans>
              </Menu.Item>
            )}
            {canAppoint && member.role !== "owner" && (
              <Menu.Item leftSection={<Crown size={18} aria-hidden="true" />} onClick={onHandOver}>
                <Trans>Передать бизнес</Trans>
              </Menu.Item>
            )}
            {canRemove && (
              <Menu.Item
                color="red"
                leftSection={isMe ? <LogOut size={18} aria-hidden="true" /> : <UserMinus size={18} aria-hidden="true" />}
                onClick={onRemove}
              >
                {isMe ? <Trans>Покинуть команду</Trans> : <Trans>Удалить из команды</Trans>}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
    </li>
  )
}
