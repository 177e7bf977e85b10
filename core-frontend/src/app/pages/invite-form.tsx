/** Invites a person by phone; whoever signs in with that phone finds the invitation. */
import { Button, NativeSelect } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { UserPlus } from "lucide-react"
import { type SyntheticEvent, useRef, useState } from "react"

import classes from "@/app/pages/team-page.module.css"
import { formatPhone, toE164 } from "@/features/accounts/phone"
import { PhoneField } from "@/features/accounts/phone-field"
import { useRoleName } from "@/features/tenants/role-name"
import { grantable, type Role, useInvite } from "@/features/tenants/team"
import { Notice } from "@/shared/ui/notice"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export function InviteForm({ tenantId, own }: { tenantId: string; own: Role }) {
  const { t } = useLingui()
  const roleName = useRoleName()
  const [phone, setPhone] = useState("")
  const [role, setRole] = useState<Role>("staff")
  const [isIncomplete, setIncomplete] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const invite = useInvite(tenantId)

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    const number = toE164(phone)
    setIncomplete(number === null)
    if (number === null) field.current?.focus()
    if (number === null || invite.isPending) return
    invite.mutate({ phone: number, role }, { onSuccess: () => setPhone("") })
  }

  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      <h2>
        <Trans>Пригласить</Trans>
      </h2>
      <p>
        <Trans>Приглашение увидит тот, кто войдёт по этому номеру. Оно действует 72 часа.</Trans>
      </p>
      <div className={classes.fields}>
        <PhoneField
          ref={field}
          value={phone}
          onChange={(value) => {
            setPhone(value)
            setIncomplete(false)
            if (!invite.isPending) invite.reset()
          }}
          error={isIncomplete && t`Введите номер мобильного телефона целиком`}
          autoFocus={false}
        />
        <NativeSelect
          label={t`Роль`}
          value={role}
          onChange={(event) => setRole(event.currentTarget.value as Role)}
          data={grantable(own).map((value) => ({ value, label: roleName(value) }))}
          classNames={{ input: classes.select, label: classes.label }}
        />
      </div>
      {invite.isError && <ProblemNotice error={invite.error} />}
      {invite.isSuccess && (
        <Notice tone="good">
          <Trans>Приглашён {formatPhone(invite.data.phone)}. Скажите человеку, чтобы вошёл по этому номеру.</Trans>
        </Notice>
      )}
      <Button
        type="submit"
        size="lg"
        className={classes.submit}
        loading={invite.isPending}
        leftSection={<UserPlus size={20} aria-hidden="true" />}
      >
        <Trans>Пригласить</Trans>
      </Button>
    </form>
  )
}
