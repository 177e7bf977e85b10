/** A change of number that waits for its day: what will be when, and how to hasten or stop it. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { useState } from "react"

import { type PhoneChange, type Profile, useAskOldPhone, useCancelPhoneChange, useProveOldPhone, useTakeOver } from "@/features/accounts/account"
import classes from "@/features/accounts/account.module.css"
import { OwnCode } from "@/features/accounts/own-code"
import { formatPhone } from "@/features/accounts/phone"
import stepClasses from "@/features/accounts/steps.module.css"
import { formatMoment } from "@/shared/format/moments"
import { Dialog } from "@/shared/ui/dialog"
import { ProblemNotice } from "@/shared/ui/problem-notice"

interface PendingPhoneProps {
  me: Profile
  change: PhoneChange
  onChanged: () => void
}

export function PendingPhone({ me, change, onChanged }: PendingPhoneProps) {
  const { t, i18n } = useLingui()
  const [isProving, setProving] = useState(false)
  const ask = useAskOldPhone(change.id)
  const prove = useProveOldPhone(change.id)
  const takeOver = useTakeOver()
  const cancel = useCancelPhoneChange()
  const [next, old] = [formatPhone(change.phone), formatPhone(me.phone)]
  const due = formatMoment(change.due_at, i18n.locale)
  return (
    <div className={classes.pending} data-testid="phone-change">
      <div>
        <h3>
          <Trans>{next} станет вашим номером {due}</Trans>
        </h3>
        <p>
          {me.phone === "" ? (
            <Trans>Тогда вы сможете входить по нему.</Trans>
          ) : (
            <Trans>До этого входите по прежнему. Если прежний номер под рукой, подтвердите его — и ждать не придётся.</Trans>
          )}
        </p>
      </div>
      {cancel.isError && <ProblemNotice error={cancel.error} />}
      <div className={classes.actions}>
        {me.phone !== "" && (
          <Button size="md" onClick={() => setProving(true)}>
            <Trans>Сменить сейчас</Trans>
          </Button>
        )}
        <Button variant="default" size="md" loading={cancel.isPending} onClick={() => cancel.mutate(change.id)}>
          <Trans>Отменить смену</Trans>
        </Button>
      </div>
      <Dialog isOpen={isProving} title={t`Код на прежний номер`} onClose={() => setProving(false)}>
        <div className={stepClasses.inDialog}>
          <OwnCode
            lead={
              <Trans>
                Пришлём код на <b className={stepClasses.phone}>{old}</b>. Введите его — и номер сразу сменится на{" "}
                <b className={stepClasses.phone}>{next}</b>.
              </Trans>
            }
            ask={(channel) => ask(me.phone, channel)}
            submit={prove}
            onDone={(profile) => {
              takeOver(profile)
              onChanged()
            }}
          >
            <Button variant="default" size="md" onClick={() => setProving(false)}>
              <Trans>Отмена</Trans>
            </Button>
          </OwnCode>
        </div>
      </Dialog>
    </div>
  )
}
