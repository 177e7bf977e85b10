/** Asks before somebody loses access, or gives it up. */
import { Trans, useLingui } from "@lingui/react/macro"

import { type Member, useRemoveMember } from "@/features/tenants/team"
import { ConfirmDialog } from "@/shared/ui/confirm-dialog"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface RemoveMemberDialogProps {
  tenantId: string
  member: Member | null
  me: string
  showPhone: (phone: string) => string
  onClose: () => void
}

export function RemoveMemberDialog({ tenantId, member, me, showPhone, onClose }: RemoveMemberDialogProps) {
  const { t } = useLingui()
  const remove = useRemoveMember(tenantId, me)
  const isMe = member?.user_id === me
  const name = member === null ? "" : member.name || showPhone(member.phone)

  function close() {
    remove.reset()
    onClose()
  }

  return (
    <ConfirmDialog
      isOpen={member !== null}
      title={isMe ? t`Покинуть команду?` : t`Удалить ${name} из команды?`}
      confirmLabel={isMe ? t`Покинуть` : t`Удалить`}
      isPending={remove.isPending}
      onConfirm={() => {
        if (member !== null) remove.mutate(member.user_id, { onSuccess: close })
      }}
      onClose={close}
    >
      <p>
        {isMe ? (
          <Trans>Вы сразу потеряете доступ к этому бизнесу. Вернуться можно будет только по новому приглашению.</Trans>
        ) : (
          <Trans>Доступ к бизнесу пропадёт сразу. Вернуть его можно будет новым приглашением.</Trans>
        )}
      </p>
      {remove.isError && <ProblemNotice error={remove.error} />}
    </ConfirmDialog>
  )
}
