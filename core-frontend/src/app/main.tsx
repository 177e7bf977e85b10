/** Starts the panel in a browser. */
// the theme's style sheets come first, so that those of components can differ from them
import "@/shared/theme"

import { StrictMode } from "react"
import { createRoot } from "react-dom/client"

import { App } from "@/app/app"
import { createApi } from "@/shared/api/api"
import { activateLocale, currentLocale, storedLocale } from "@/shared/i18n/locale"

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

await activateLocale(storedLocale())
createRoot(root).render(
  <StrictMode>
    <App api={api} />
  </StrictMode>,
)
