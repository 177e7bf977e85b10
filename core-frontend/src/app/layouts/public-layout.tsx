/** Pages for everyone: the way in at the top, the house at the bottom. */
import { Button } from "@mantine/core"
import { Trans } from "@lingui/react/macro"
import { useEffect } from "react"
import { Link, Outlet } from "react-router"

import classes from "@/app/layouts/layouts.module.css"
import { useApi, useSessionStatus } from "@/shared/api/api-context"
import { LanguageSwitch } from "@/shared/ui/language-switch"
import { Logo, LogoMark } from "@/shared/ui/logo"

export function PublicLayout() {
  const { session } = useApi()
  const isSignedIn = useSessionStatus() === "active"
  useEffect(() => {
    // an unreachable core is no reason to trouble a visitor: the page is the same, with other links
    if (session.maybeSignedIn) session.restore().catch(() => undefined)
  }, [session])
  return (
    <>
      <header className={classes.publicHeader}>
        <div className={classes.bar}>
          <Logo to="/" />
          <nav className={classes.nav}>
            <LanguageSwitch />
            {isSignedIn ? (
              <Button component={Link} to="/dashboard" size="md">
                <Trans>Открыть панель</Trans>
              </Button>
            ) : (
              <>
                <Link to="/login" className={classes.signIn}>
                  <Trans>Войти</Trans>
                </Link>
                <Button component={Link} to="/register" size="md" className={classes.headerAction}>
                  <Trans>Начать бесплатно</Trans>
                </Button>
              </>
            )}
          </nav>
        </div>
      </header>
      <main id="content" className={classes.grow}>
        <Outlet />
      </main>
      <Footer />
    </>
  )
}

function Footer() {
  return (
    <footer className={classes.footer}>
      <div className={classes.footerRow}>
        <div className={classes.footerBrand}>
          <LogoMark size={28} />
          <p>
            <Trans>Точка Роста — площадка, где предприниматель за минуту открывает своё дело в интернете.</Trans>
          </p>
        </div>
        <ul className={classes.footerLinks}>
          <li>
            <Link to="/register">
              <Trans>Открыть своё дело</Trans>
            </Link>
          </li>
          <li>
            <Link to="/login">
              <Trans>Войти в панель</Trans>
            </Link>
          </li>
          <li>
            <a href="/docs">
              <Trans>API для разработчиков</Trans>
            </a>
          </li>
        </ul>
      </div>
    </footer>
  )
}
