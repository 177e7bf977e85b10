/** Asks before a tenant is offered to another member. */
import { Trans, useLingui } from "@lingui/react/macro"

import { useOfferHandover } from "@/features/tenants/handover"
import type { Member } from "@/features/tenants/team"
import { ConfirmDialog } from "@/shared/ui/confirm-dialog"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface HandoverDialogProps {
  tenantId: string
  member: Member | null
  showPhone: (phone: string) => string
  onClose: () => void
}

export function HandoverDialog({ tenantId, member, showPhone, onClose }: HandoverDialogProps) {
  const { t } = useLingui()
  const offer = useOfferHandover(tenantId)
  const name = member === null ? "" : member.name || showPhone(member.phone)

  function close() {
    offer.reset()
    onClose()
  }

  return (
    <ConfirmDialog
      isOpen={member !== null}
      title={t`Передать бизнес?`}
      confirmLabel={t`Передать`}
      isPending={offer.isPending}
      onConfirm={() => {
        if (member !== null) offer.mutate(member.user_id, { onSuccess: close })
      }}
      onClose={close}
    >
      <p>
        <Trans>Новым владельцем станет {name} — после согласия, на которое есть 72 часа. Вы останетесь администратором.</Trans>
      </p>
      {offer.isError && <ProblemNotice error={offer.error} />}
    </ConfirmDialog>
  )
}
