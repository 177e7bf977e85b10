/** The number that one signs in with: proving it again, and changing it. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { useState } from "react"

import type { Profile } from "@/features/accounts/account"
import classes from "@/features/accounts/account.module.css"
import { NewPhone } from "@/features/accounts/new-phone"
import { PendingPhone } from "@/features/accounts/pending-phone"
import { formatPhone } from "@/features/accounts/phone"
import { ByCode } from "@/features/accounts/step-up-dialog"
import stepClasses from "@/features/accounts/steps.module.css"
import { Dialog } from "@/shared/ui/dialog"
import { Notice } from "@/shared/ui/notice"
import { Section } from "@/shared/ui/section"

export function PhoneSection({ me }: { me: Profile }) {
  const { t } = useLingui()
  const [isChanging, setChanging] = useState(false)
  const [isProving, setProving] = useState(false)
  const [done, setDone] = useState<"changed" | "proven" | null>(null)

  return (
    <Section title={t`Телефон`} lead={t`По нему вы входите. На него приходят коды.`}>
      <div className={classes.body}>
        {isChanging ? (
          <NewPhone onDone={() => setChanging(false)} onCancel={() => setChanging(false)} />
        ) : (
          <>
            <div className={classes.state}>
              <p className={classes.value} data-testid="own-phone">{me.phone === "" ? t`Номера нет` : formatPhone(me.phone)}</p>
              <div className={classes.actions}>
                {me.phone !== "" && (
                  <Button variant="default" size="md" onClick={() => setProving(true)}>
                    <Trans>Подтвердить номер</Trans>
                  </Button>
                )}
                {me.phone_change === null && (
                  <Button
                    variant="default"
                    size="md"
                    onClick={() => {
                      setDone(null)
                      setChanging(true)
                    }}
                  >
                    {me.phone === "" ? <Trans>Указать номер</Trans> : <Trans>Сменить номер</Trans>}
                  </Button>
                )}
              </div>
            </div>
            {me.phone === "" && me.phone_change === null && (
              <Notice tone="plain">{t`Ваш прежний номер теперь у другого человека. Укажите новый, чтобы входить по нему.`}</Notice>
            )}
            {me.phone_change !== null && (
              <PendingPhone key={me.phone_change.id} me={me} change={me.phone_change} onChanged={() => setDone("changed")} />
            )}
            {done === "changed" && (
              <Notice tone="good">{t`Номер изменён: теперь входите по новому. На других устройствах нужно будет войти заново.`}</Notice>
            )}
            {done === "proven" && <Notice tone="good">{t`Номер подтверждён.`}</Notice>}
          </>
        )}
      </div>
      <Dialog isOpen={isProving} title={t`Подтвердить номер`} onClose={() => setProving(false)}>
        <div className={stepClasses.inDialog}>
          <ByCode
            phone={me.phone}
            onPassword={null}
            onCancel={() => setProving(false)}
            onProven={() => {
              setProving(false)
              setDone("proven")
            }}
          />
        </div>
      </Dialog>
    </Section>
  )
}
