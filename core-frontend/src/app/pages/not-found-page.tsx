/** For addresses that lead nowhere. */
import { Button } from "@mantine/core"
import { Trans, useLingui } from "@lingui/react/macro"
import { Link } from "react-router"

import classes from "@/app/pages/plain-page.module.css"
import { PageHeading } from "@/shared/ui/page-heading"

export function NotFoundPage() {
  const { t } = useLingui()
  return (
    <div className={classes.page}>
      <p className={classes.sign} aria-hidden="true">
        404
      </p>
      <PageHeading className={classes.heading}>{t`Такой страницы нет`}</PageHeading>
      <p className={classes.text}>
        <Trans>Возможно, ссылка устарела или в адресе опечатка.</Trans>
      </p>
      <div className={classes.actions}>
        <Button component={Link} to="/" size="md">
          <Trans>На главную</Trans>
        </Button>
        <Button component={Link} to="/dashboard" size="md" variant="default">
          <Trans>Мои модули</Trans>
        </Button>
      </div>
    </div>
  )
}
