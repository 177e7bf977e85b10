/** When a page breaks, or its file is gone because a newer panel has been put in place. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"

import classes from "@/app/pages/plain-page.module.css"
import { Logo } from "@/shared/ui/logo"
import { PageHeading } from "@/shared/ui/page-heading"

export function RouteErrorPage() {
  const { t } = useLingui()
  return (
    <main className={classes.page} role="alert">
      <Logo to="/" />
      <PageHeading className={classes.heading}>{t`Страница не открылась`}</PageHeading>
      <p className={classes.text}>
        <Trans>Возможно, пропала связь или мы только что обновили панель. Обновите страницу — ваши данные на месте.</Trans>
      </p>
      <Button size="md" onClick={() => window.location.reload()}>
        <Trans>Обновить страницу</Trans>
      </Button>
    </main>
  )
}
