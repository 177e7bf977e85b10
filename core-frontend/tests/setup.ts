/** What jsdom lacks and the panel's parts expect of a browser; and a clean slate between tests. */
import { cleanup, configure } from "@testing-library/react"
import { afterEach, beforeEach } from "vitest"

import { activateLocale } from "@/shared/i18n/locale"

if (typeof window !== "undefined") {
  configure({ asyncUtilTimeout: 10_000, getElementError: (message) => new Error(message ?? "Not found") })
  window.matchMedia = (query: string) => ({
    matches: false,
    media: query,
    onchange: null,
    addListener: () => undefined,
    removeListener: () => undefined,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    dispatchEvent: () => false,
  })
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
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true
  }
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
    this.open = false
    this.dispatchEvent(new Event("close"))
  }

  beforeEach(() => activateLocale("ru"))
  afterEach(() => {
    cleanup()
    localStorage.clear()
    sessionStorage.clear()
  })
}
