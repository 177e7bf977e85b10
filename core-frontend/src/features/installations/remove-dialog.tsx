/** Asks before an installation is removed, and says what goes with it. */
import { Trans, useLingui } from "@lingui/react/macro"

import type { Installation } from "@/features/installations/installation"
import { useRemove } from "@/features/installations/queries"
import { hostOf } from "@/shared/format/address"
import { ConfirmDialog } from "@/shared/ui/confirm-dialog"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface RemoveDialogProps {
  installation: Installation | null
  onClose: () => void
}

export function RemoveDialog({ installation, onClose }: RemoveDialogProps) {
  const { t } = useLingui()
  const remove = useRemove()
  const host = installation === null ? "" : hostOf(installation.url)
  const neverWas = installation?.status === "failed"

  function close() {
    remove.reset()
    onClose()
  }

  return (
    <ConfirmDialog
      isOpen={installation !== null}
      title={neverWas ? t`Убрать ${host} из списка?` : t`Удалить ${host}?`}
      confirmLabel={neverWas ? t`Убрать` : t`Удалить`}
      isPending={remove.isPending}
      onConfirm={() => {
        if (installation !== null) remove.mutate(installation.id, { onSuccess: close })
      }}
      onClose={close}
    >
      {neverWas ? <NeverWas /> : <WhatGoes />}
      {remove.isError && <ProblemNotice error={remove.error} />}
    </ConfirmDialog>
  )
}

function WhatGoes() {
  return (
    <>
      <p>
        <Trans>Витрина закроется сразу, покупатели её больше не увидят. Подписка на этот модуль прекратится.</Trans>
      </p>
      <p>
        <Trans>Адрес останется за вами ещё 90 дней: никто другой его за это время не займёт.</Trans>
      </p>
    </>
  )
}

function NeverWas() {
  return (
    <p>
      <Trans>Модуль не запустился, так что терять нечего: ни витрины, ни подписки у него нет.</Trans>
    </p>
  )
}
