/** What jsdom lacks and the panel's parts expect of a browser; and a clean slate between tests. */
import { cleanup, configure } from "@testing-library/react"
import { afterEach, beforeEach } from "vitest"

import { activateLocale } from "@/shared/i18n/locale"

if (typeof window !== "undefined") {
  configure({ asyncUtilTimeout: 10_000, getElementError: (message) => new Error(message ?? "Not found") })
  window.matchMedia = (media: string) =>
    Object.assign(new EventTarget(), { matches: false, media, onchange: null }) as MediaQueryList
  window.ResizeObserver = class {
    observe() {
      /* nothing is ever laid out */
    }
    unobserve() {
      /* nothing is ever laid out */
    }
    disconnect() {
      /* nothing is ever laid out */
    }
  }
  window.scrollTo = () => undefined
  HTMLCanvasElement.prototype.getContext = () => null
  Object.assign(HTMLDialogElement.prototype, {
    showModal(this: HTMLDialogElement) {
      this.open = true
    },
    close(this: HTMLDialogElement) {
      if (!this.open) return
      this.open = false
      this.dispatchEvent(new Event("close"))
    },
  })

  beforeEach(() => activateLocale("ru"))
  afterEach(() => {
    cleanup()
    localStorage.clear()
    sessionStorage.clear()
  })
}
