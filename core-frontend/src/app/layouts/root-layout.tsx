/** Above every page: the scroll position between pages, and the way past the header for keyboards. */
import { Trans } from "@lingui/react/macro"
import { Outlet, ScrollRestoration } from "react-router"

import classes from "@/app/layouts/layouts.module.css"

export function RootLayout() {
  return (
    <>
      <a href="#content" className={classes.skip}>
        <Trans>К содержанию</Trans>
      </a>
      <Outlet />
      <ScrollRestoration />
    </>
  )
}
