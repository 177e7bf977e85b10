/** Opens the whole panel on a page, against a core of the test's own. */
import { render, screen } from "@testing-library/react"
import userEvent, { type UserEvent } from "@testing-library/user-event"
import axe from "axe-core"
import { expect } from "vitest"

import { App } from "@/app/app"
import { type Api, createApi } from "@/shared/api/api"
import { currentLocale } from "@/shared/i18n/locale"

export interface Panel {
  api: Api
  user: UserEvent
}

export function openPanel(path: string, baseUrl: string): Panel {
  const api = createApi({
    baseUrl,
    locale: currentLocale,
    transport: { timeout: 2_000, backoff: 5 },
    browser: { memory: window.localStorage },
  })
  render(<App api={api} initialPath={path} />)
  return { api, user: userEvent.setup() }
}

export function heading(name: string): Promise<HTMLElement> {
  return screen.findByRole("heading", { level: 1, name: words(name) })
}

/** Matches a name whatever blanks it is set with: Russian short words cling to their neighbours by unbreakable ones. */
export function words(name: string): RegExp {
  const pattern = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/ /g, "\\s")
  return new RegExp(`^${pattern}$`)
}

/** No fault that a machine can find. Colours need a real browser and are looked at there. */
export async function expectAccessible(): Promise<void> {
  const { violations } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } })
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([])
}
