/** Starts the panel in a browser. */
// the theme's style sheets come first, so that those of components can differ from them
import "@/shared/theme"

import { StrictMode } from "react"
import { createRoot, hydrateRoot } from "react-dom/client"

import { App } from "@/app/app"
import { createApi } from "@/shared/api/api"
import { activateLocale, currentLocale, preferredLocale } from "@/shared/i18n/locale"

const api = createApi({
  locale: currentLocale,
  browser: {
    locks: "locks" in navigator ? navigator.locks : undefined,
    channel: "BroadcastChannel" in window ? new BroadcastChannel("tochka.session") : undefined,
    memory: window.localStorage,
  },
})

const root = document.getElementById("root")
if (root === null) throw new Error("The page has no root")

const locale = preferredLocale()
// the landing stands in the document already, written when the panel was built
const isWritten = root.hasChildNodes() && window.location.pathname === "/" && document.documentElement.lang === locale
await activateLocale(locale)
const app = (
  <StrictMode>
    <App api={api} />
  </StrictMode>
)
// where what was written differs, if only by the kind of a blank in a price, React puts its own in place and need not say so
if (isWritten) hydrateRoot(root, app, { onRecoverableError: () => undefined })
else createRoot(root).render(app)
