/** A page with one thing to say. */
import { Outlet } from "react-router"

import classes from "@/app/layouts/layouts.module.css"
import { LanguageSwitch } from "@/shared/ui/language-switch"
import { Logo } from "@/shared/ui/logo"

export function FocusLayout() {
  return (
    <>
      <header className={classes.bar}>
        <Logo to="/" />
        <LanguageSwitch />
      </header>
      <main id="content" className={classes.focus}>
        <Outlet />
      </main>
    </>
  )
}
