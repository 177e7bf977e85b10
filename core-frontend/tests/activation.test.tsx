import { screen, waitFor, within } from "@testing-library/react"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"

import { type FakeCore, installation, SHOP, startCore, tenant } from "@tests/core"
import { expectAccessible, heading, openPanel, words } from "@tests/panel"
import { problem } from "@tests/server"

let core: FakeCore
beforeEach(async () => {
  core = await startCore()
  core.isSignedIn = true
})
afterEach(() => core.close())

const status = () => screen.getByTestId("address-status")
const stateBecomes = (state: string) => waitFor(() => expect(status().dataset["state"]).toBe(state))
const activateButton = () => screen.getByRole("button", { name: "Запустить" })

async function chooseAddress(typed: string) {
  const panel = openPanel("/select-module?module=shop", core.url)
  await panel.user.type(await screen.findByRole("textbox", { name: "Адрес" }), typed)
  return panel
}

async function activate(typed = "Пекарня") {
  const panel = await chooseAddress(typed)
  await stateBecomes("available")
  await panel.user.click(activateButton())
  return panel
}

function lastInstallation() {
  const made = core.installations[0]
  if (made === undefined) throw new Error("Nothing was activated")
  return made
}

test("from the catalogue to a live storefront and into its admin", async () => {
  const { user } = openPanel("/select-module", core.url)
  await user.click(await screen.findByRole("link", { name: "Выбрать: Интернет-магазин" }))
  const field = await screen.findByRole("textbox", { name: "Адрес" })
  expect(activateButton()).toHaveProperty("disabled", true)
  await user.type(field, "Моя пекарня")
  await stateBecomes("available")
  expect(field).toHaveProperty("value", "moya-pekarnya")
  expect(screen.getByTestId("address-preview").textContent).toBe("http://moya-pekarnya.shops.test:8080")
  expect(screen.getByText("14 дней бесплатно, затем 990 ₽ в месяц", { normalizer: (text) => text.replace(/\s/g, " ") })).toBeTruthy()
  await expectAccessible()

  await user.click(activateButton())
  await heading("Запускаем…")
  expect(screen.getByTestId("progress").dataset["status"]).toBe("provisioning")
  await expectAccessible()
  await waitFor(() => expect(core.received.some(({ path }) => path.endsWith("/progress"))).toBe(true))
  core.settle(lastInstallation().id, { status: "live", failure: null })

  await heading("Готово! Адрес работает")
  expect(screen.getByRole("link", { name: "Открыть витрину" }).getAttribute("href")).toBe("http://moya-pekarnya.shops.test:8080")
  await expectAccessible()
  const posted: [string, FormDataEntryValue | null][] = []
  const submit = vi.spyOn(HTMLFormElement.prototype, "submit").mockImplementation(function (this: HTMLFormElement) {
    posted.push([this.action, new FormData(this).get("ticket")])
  })
  await user.click(screen.getByRole("button", { name: words("Войти в управление") }))
  await waitFor(() => expect(posted).toEqual([["http://moya-pekarnya.shops.test:8080/_tochka/session", "one-time"]]))
  submit.mockRestore()
})

test("plans are told apart by what they grant, in the module's words", async () => {
  const [start] = SHOP.plans
  if (start === undefined) throw new Error("The shop has no plan")
  const plans = [start, { ...start, code: "grow", name: { ru: "Рост", en: "Grow" }, entitlements: { goods: null } }]
  core.intercept = ({ path }) => (path === "/api/v1/modules/shop" ? { body: { ...SHOP, plans } } : undefined)
  openPanel("/select-module?module=shop", core.url)
  const choice = await screen.findByRole("radiogroup", { name: "Тариф" })
  expect(within(choice).getAllByRole("radio")).toHaveLength(2)
  expect(within(choice).getByText("Товаров: 100")).toBeTruthy()
  expect(within(choice).getByText("Товаров: без ограничений", { normalizer: (text) => text.replace(/\s/g, " ") })).toBeTruthy()
  await expectAccessible()
})

test("a module shows the picture that it brings, and never one that lies elsewhere", async () => {
  const picture = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"
  const items = [
    { ...SHOP, icon: picture },
    { ...SHOP, id: "other", icon: "https://elsewhere.test/icon.png" },
  ]
  core.intercept = ({ path }) => (path === "/api/v1/modules" ? { body: { items, next_cursor: null } } : undefined)
  openPanel("/select-module", core.url)
  const card = await screen.findByTestId("module-shop")
  expect(card.querySelector("img")?.getAttribute("src")).toBe(picture)
  expect(screen.getByTestId("module-other").querySelector("img")).toBeNull()
})

test("an activation carries its key, its module, its address and its plan", async () => {
  await activate()
  await heading("Запускаем…")
  const request = core.received.find(({ method, path }) => method === "POST" && path === "/api/v1/installations")
  expect(request?.body).toEqual({ module: "shop", subdomain: "pekarnya", plan: "start" })
  expect(request?.headers["idempotency-key"]).toMatch(/^[0-9a-f]{32}$/)
})

test("an activation whose answer got lost is asked for again under the same key", async () => {
  let isLost = true
  core.intercept = ({ method, path }, response) => {
    if (isLost && method === "POST" && path === "/api/v1/installations") {
      isLost = false
      response.destroy()
    }
    return undefined
  }
  await activate()
  await heading("Запускаем…")
  const keys = core.received
    .filter(({ method, path }) => method === "POST" && path === "/api/v1/installations")
    .map(({ headers }) => headers["idempotency-key"])
  expect(keys).toHaveLength(2)
  expect(new Set(keys).size).toBe(1)
})

test("a failed activation says why and keeps every choice for the next try", async () => {
  const { user } = await activate("bulki")
  await heading("Запускаем…")
  await waitFor(() => expect(core.received.some(({ path }) => path.endsWith("/progress"))).toBe(true))
  core.settle(lastInstallation().id, { status: "failed", failure: { code: "installations.deadline", detail: "Late." } })
  await heading("Не получилось запустить")
  expect(screen.getByRole("alert").textContent).toMatch(/не\sответил вовремя/)
  await expectAccessible()
  await user.click(screen.getByRole("link", { name: "Попробовать снова" }))
  expect(await screen.findByRole("textbox", { name: "Адрес" })).toHaveProperty("value", "bulki")
})

test("progress is found out by asking when the stream breaks", async () => {
  core.intercept = ({ path }, response) => {
    if (path.endsWith("/progress")) response.destroy()
    return undefined
  }
  await activate()
  await heading("Запускаем…")
  core.settle(lastInstallation().id, { status: "live", failure: null })
  await heading("Готово! Адрес работает")
})

describe("an address", () => {
  test.each([
    ["taken", "уже занят"],
    ["reserved", "зарезервирован"],
    ["quarantined", "недавно освободился"],
  ] as const)("that is %s is refused with the reason", async (reason, words) => {
    core.refusals = { pekarnya: reason }
    await chooseAddress("pekarnya")
    await stateBecomes("refused")
    expect(status().textContent).toContain(words)
    expect(activateButton()).toHaveProperty("disabled", true)
  })

  test("that cannot be one is refused without asking", async () => {
    await chooseAddress("ab")
    await stateBecomes("refused")
    expect(core.count("GET", "/api/v1/subdomains/ab")).toBe(0)
  })

  test("is asked about once, when the typing stops", async () => {
    await chooseAddress("kofeynya")
    await stateBecomes("available")
    expect(core.received.filter(({ path }) => /subdomains\/kof/.test(path)).map(({ path }) => path)).toEqual([
      "/api/v1/subdomains/kofeynya",
    ])
  })

  test("is suggested from the business's name, when it is free", async () => {
    core.refusals = { pekarnya: "taken" }
    const { user } = openPanel("/select-module?module=shop", core.url)
    const offered = await screen.findByRole("group", { name: "Варианты адреса" })
    await within(offered).findByRole("button", { name: "pekarnya-na-uglu" })
    expect(within(offered).queryByRole("button", { name: "pekarnya" })).toBeNull()
    await user.click(within(offered).getByRole("button", { name: "pekarnya-na-uglu" }))
    await stateBecomes("available")
  })

  test("that somebody took in the last second can be changed on the spot", async () => {
    const { user } = await chooseAddress("pekarnya")
    await stateBecomes("available")
    core.refusals = { pekarnya: "taken" }
    await user.click(activateButton())
    expect((await screen.findByRole("alert")).textContent).toContain("только что заняли")
    await stateBecomes("refused")
  })
})

describe("the dashboard", () => {
  test("shows each installation with what can be done with it", async () => {
    core.installations = [installation(1, "pekarnya", "live"), installation(2, "kofe", "provisioning"), installation(3, "bulki", "failed")]
    openPanel("/dashboard", core.url)
    const live = await screen.findByRole("article", { name: "pekarnya.shops.test:8080" })
    expect(within(live).getByText("Работает")).toBeTruthy()
    expect(within(live).getByText("Ещё 14 дней бесплатно")).toBeTruthy()
    expect(within(live).getByRole("button", { name: words("Войти в управление") })).toBeTruthy()
    const coming = screen.getByRole("article", { name: "kofe.shops.test:8080" })
    expect(within(coming).queryByRole("button", { name: words("Войти в управление") })).toBeNull()
    expect(within(coming).getByRole("link", { name: "Смотреть ход запуска" })).toBeTruthy()
    const failed = screen.getByRole("article", { name: "bulki.shops.test:8080" })
    expect(within(failed).getByRole("link", { name: "Попробовать снова" })).toBeTruthy()
    await expectAccessible()
  })

  test("removes one after asking", async () => {
    core.installations = [installation(1, "pekarnya", "live")]
    const { user } = openPanel("/dashboard", core.url)
    await user.click(await screen.findByRole("button", { name: "Действия: pekarnya.shops.test:8080" }))
    await user.click(await screen.findByRole("menuitem", { name: "Удалить" }))
    const dialog = await screen.findByRole("dialog", { name: "Удалить pekarnya.shops.test:8080?" })
    expect(core.installations).toHaveLength(1)
    await user.click(within(dialog).getByRole("button", { name: "Удалить" }))
    await screen.findByRole("heading", { name: "Пока здесь пусто" })
    expect(core.installations).toHaveLength(0)
  })

  test("says what is wrong and tries again when asked", async () => {
    core.intercept = ({ path }) => (path === "/api/v1/installations" ? problem(500, "internal.error") : undefined)
    const { user } = openPanel("/dashboard", core.url)
    await screen.findByText("Номер обращения: req-1")
    core.intercept = () => undefined
    await user.click(screen.getByRole("button", { name: "Повторить" }))
    await screen.findByRole("heading", { name: "Пока здесь пусто" })
  })

  test("acts for the tenant that is chosen", async () => {
    core.tenants = [tenant(1, "Пекарня"), tenant(2, "Цветы")]
    const { user } = openPanel("/dashboard", core.url)
    await user.click(await screen.findByRole("button", { name: "Меню профиля" }))
    await user.click(await screen.findByRole("menuitemradio", { name: "Цветы" }))
    await waitFor(() => expect(core.received.some((one) => one.headers["x-tenant-id"] === core.tenants[1]?.id)).toBe(true))
  })
})

test("an address that leads nowhere says so", async () => {
  openPanel("/no/such/page", core.url)
  await heading("Такой страницы нет")
  await expectAccessible()
})

test.each([
  ["not-an-id", problem(422, "request.invalid")],
  ["0197f000-0000-7000-8000-00000000ffff", problem(404, "installations.not_found")],
])("progress of what is not there, %j, says so", async (id, refusal) => {
  core.intercept = ({ path }) => (path.startsWith(`/api/v1/installations/${id}`) ? refusal : undefined)
  openPanel(`/installations/${id}/progress`, core.url)
  await heading("Такой страницы нет")
})
