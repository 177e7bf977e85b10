/** A person's own account: who they are, how they sign in, where they are signed in, and what was done in their name. */
import { Skeleton } from "@mantine/core"
import { useLingui } from "@lingui/react/macro"

import classes from "@/app/pages/account-page.module.css"
import { PasswordSection } from "@/features/accounts/password-section"
import { PhoneSection } from "@/features/accounts/phone-section"
import { ProfileSection } from "@/features/accounts/profile-section"
import { useMe } from "@/features/accounts/queries"
import { SessionsSection } from "@/features/accounts/sessions-section"
import { OwnTrailSection } from "@/features/audit/own-trail-section"
import { PageHeading } from "@/shared/ui/page-heading"
import { ProblemNotice } from "@/shared/ui/problem-notice"

export function AccountPage() {
  const { t } = useLingui()
  const me = useMe()
  return (
    <>
      <PageHeading className={classes.heading}>{t`Аккаунт`}</PageHeading>
      {me.isError && <ProblemNotice error={me.error} onRetry={() => void me.refetch()} />}
      {me.isPending && (
        <div role="status" aria-label={t`Загружаем аккаунт`}>
          <Skeleton height={240} radius="xl" />
        </div>
      )}
      {me.data !== undefined && (
        <div className={classes.sections}>
          <ProfileSection me={me.data} />
          <PhoneSection me={me.data} />
          <PasswordSection me={me.data} />
          <SessionsSection />
          <OwnTrailSection />
        </div>
      )}
    </>
  )
}
