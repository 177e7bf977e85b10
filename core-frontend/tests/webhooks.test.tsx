import { screen, waitFor, within } from "@testing-library/react"
import { afterEach, beforeEach, describe, expect, test } from "vitest"

import { type FakeCore, startCore, tenant } from "@tests/core"
import { expectAccessible, heading, openPanel, words } from "@tests/panel"
import { problem } from "@tests/server"
import { endpoint, NEW_SECRET, SECRET } from "@tests/webhooks"

let core: FakeCore
beforeEach(async () => {
  core = await startCore()
  core.isSignedIn = true
})
afterEach(() => core.close())

const asked = (method: string, end: string) => core.received.filter((one) => one.method === method && one.path.endsWith(end))
const press = (name: string) => screen.findByRole("button", { name: words(name) })
const field = (name: string) => screen.findByRole("textbox", { name: words(name) })
const plainly = (element: Element) => element.textContent.replace(/\s/g, " ")

test("an owner adds a webhook and is shown its secret once", async () => {
  const { user } = openPanel("/dashboard", core.url)
  await user.click(await press("Меню профиля"))
  await user.click(await screen.findByRole("menuitem", { name: "Вебхуки" }))
  await heading("Вебхуки")
  await screen.findByText(/Пока\sнет\sни\sодного\sвебхука/)
  await user.click(await press("Добавить вебхук"))
  await user.click(await press("Добавить"))
  expect(await screen.findByText(/Введите\sадрес\sцеликом/)).toBeTruthy()
  const address = await field("Адрес")
  await user.clear(address)
  await user.type(address, "https://crm.example.com/hooks ")
  await user.type(await field("Описание"), "Склад")
  await user.click(screen.getByRole("radio", { name: words("Только выбранные") }))
  await user.click(await press("Добавить"))
  expect(await screen.findByText(/Выберите\sхотя\sбы\sодно/)).toBeTruthy()
  await user.click(screen.getByRole("checkbox", { name: /Новый\sучастник/ }))
  await expectAccessible()
  expect(asked("POST", "/webhook-endpoints")).toHaveLength(0)
  await user.click(await press("Добавить"))

  expect((await screen.findByTestId("secret")).textContent).toBe(SECRET)
  await expectAccessible()
  const [request] = asked("POST", "/webhook-endpoints")
  expect(request?.headers["idempotency-key"]).toMatch(/^[0-9a-f]{32}$/)
  expect(request?.body).toEqual({
    url: "https://crm.example.com/hooks",
    description: "Склад",
    event_types: ["member.joined"],
    ordered: false,
    rate_per_second: 50,
    concurrency: 8,
    schema_version: 1,
  })
  await user.click(await press("Скопировать секрет"))
  expect(await navigator.clipboard.readText()).toBe(SECRET)
  await user.click(await press("Готово"))
  const row = await screen.findByTestId("endpoint")
  expect(plainly(row)).toMatch(/crm\.example\.com\/hooksСклад1 событиеРаботает/)
  expect(document.body.textContent).not.toContain(SECRET)
})

test("an address that nothing can be sent to is refused in words", async () => {
  core.intercept = ({ method, path }) =>
    method === "POST" && path.endsWith("/webhook-endpoints") ? problem(422, "endpoints.url_refused") : undefined
  const { user } = openPanel("/webhooks", core.url)
  await user.click(await press("Добавить вебхук"))
  await user.type(await field("Адрес"), "10.0.0.1/")
  await user.click(await press("Добавить"))
  expect(plainly(await screen.findByRole("alert"))).toContain("На такой адрес отправлять нельзя")
})

test("an endpoint is changed, disabled and enabled again", async () => {
  core.endpoints = [endpoint(1, { event_types: ["member.left"], description: "CRM" })]
  const { user } = openPanel("/webhooks", core.url)
  await user.click(await screen.findByRole("link", { name: "crm1.example.com/webhooks" }))
  await heading("crm1.example.com")
  await expectAccessible()
  await user.click(await press("Изменить"))
  expect(screen.getByRole<HTMLInputElement>("checkbox", { name: /Участник\sушёл/ }).checked).toBe(true)
  await user.click(screen.getByRole("radio", { name: /^Все/ }))
  await user.click(screen.getByText("Дополнительно"))
  await user.click(screen.getByRole("checkbox", { name: /Строго/ }))
  await user.clear(screen.getByRole("spinbutton", { name: words("Запросов в секунду") }))
  await user.type(screen.getByRole("spinbutton", { name: words("Запросов в секунду") }), "5000")
  await user.click(await press("Сохранить"))
  await screen.findByText(/До\s1000\sв\sсекунду/)
  expect(asked("PATCH", core.endpoints[0]?.id ?? "")[0]?.body).toMatchObject({ event_types: [], ordered: true, rate_per_second: 1000 })

  await user.click(await press("Отключить"))
  expect(plainly(await screen.findByText(/отключили\sвы/))).toContain("администратор")
  await user.click(await press("Включить"))
  const dialog = within(await screen.findByRole("dialog"))
  await user.click(dialog.getByRole("checkbox", { name: /не\sдошло/ }))
  await user.click(dialog.getByRole("button", { name: "Включить" }))
  await waitFor(() => expect(screen.queryByText(/отключили\sвы/)).toBeNull())
  expect(core.endpoints[0]?.status).toBe("enabled")
  expect(asked("POST", "/recover")).toHaveLength(0)
})

test("a new secret is shown once, and the one before holds for as long as was chosen", async () => {
  core.endpoints = [endpoint(1)]
  const { user } = openPanel(`/webhooks/${core.endpoints[0]?.id ?? ""}`, core.url)
  await user.click(await press("Сменить секрет"))
  await user.selectOptions(screen.getByRole("combobox", { name: words("Прежний секрет действует ещё") }), "3600")
  await expectAccessible()
  expect(asked("POST", "/rotate-secret")).toHaveLength(0)
  await user.click(await press("Сменить"))
  expect((await screen.findByTestId("secret")).textContent).toBe(NEW_SECRET)
  expect(asked("POST", "/rotate-secret")[0]?.body).toEqual({ grace_seconds: 3600 })
  await user.click(await press("Готово"))
  expect(document.body.textContent).not.toContain(NEW_SECRET)
  await screen.findByText(/Подписывает\sвместе\sс\sновым/)
})

test("an endpoint is deleted only after a question", async () => {
  core.endpoints = [endpoint(1)]
  const { user } = openPanel(`/webhooks/${core.endpoints[0]?.id ?? ""}`, core.url)
  await user.click(await press("Удалить"))
  const dialog = await screen.findByRole("dialog")
  expect(asked("DELETE", core.endpoints[0]?.id ?? "")).toHaveLength(0)
  await user.click(within(dialog).getByRole("button", { name: "Удалить" }))
  await heading("Вебхуки")
  await screen.findByText(/Пока\sнет\sни\sодного/)
})

describe("an owner is told what is wrong with an endpoint", () => {
  const since = "2026-11-20T10:00:00Z"
  test.each([
    [50, /Прошло больше 50 % этого срока/],
    [70, /Прошло больше 70 % этого срока/],
    [90, /Прошло больше 90 % этого срока/],
  ])("that fails, at %i percent", async (percent, expected) => {
    core.endpoints = [endpoint(1, { failing_since: since, warned_percent: percent })]
    openPanel(`/webhooks/${core.endpoints[0]?.id ?? ""}`, core.url)
    expect(plainly(await screen.findByRole("alert"))).toMatch(expected)
    expect(screen.getByRole<HTMLProgressElement>("progressbar").value).toBe(percent)
    await expectAccessible()
  })

  test.each([
    ["gone", /ответил, что его больше нет/],
    ["failing", /пять дней подряд адрес не принимал события/],
  ] as const)("that was disabled: %s", async (reason, expected) => {
    core.endpoints = [endpoint(1, { status: "disabled", disabled_at: since, disabled_reason: reason, failing_since: since })]
    openPanel(`/webhooks/${core.endpoints[0]?.id ?? ""}`, core.url)
    expect(plainly(await screen.findByRole("alert"))).toMatch(expected)
  })

  test("unless it failed but lately", async () => {
    core.endpoints = [endpoint(1, { failing_since: since })]
    openPanel(`/webhooks/${core.endpoints[0]?.id ?? ""}`, core.url)
    await heading("crm1.example.com")
    expect(screen.queryByRole("alert")).toBeNull()
  })
})

describe("the dashboard tells of endpoints that are not well", () => {
  const since = "2026-11-20T10:00:00Z"
  const failing = (number: number) => endpoint(number, { failing_since: since, warned_percent: 50 })
  const disabled = { status: "disabled", disabled_at: since } as const

  test("by their addresses, which lead to them", async () => {
    core.endpoints = [failing(1), endpoint(2, { ...disabled, disabled_reason: "gone" }), endpoint(3)]
    const { user } = openPanel("/dashboard", core.url)
    const notice = await screen.findByRole("alert")
    expect(plainly(notice)).toMatch(/^Вебхук crm1\.example\.com не принимает события с 20 ноября/)
    expect(plainly(notice)).toMatch(/Вебхук crm2\.example\.com отключён с 20 ноября/)
    expect(within(notice).getAllByRole("link")).toHaveLength(2)
    await expectAccessible()
    await user.click(within(notice).getByRole("link", { name: "crm2.example.com" }))
    await heading("crm2.example.com")
  })

  test("and the rest of many on their page", async () => {
    core.endpoints = [1, 2, 3, 4].map(failing)
    openPanel("/dashboard", core.url)
    const links = within(await screen.findByRole("alert")).getAllByRole("link")
    expect(links.map((link) => link.getAttribute("href")).slice(2)).toEqual([`/webhooks/${core.endpoints[2]?.id ?? ""}`, "/webhooks"])
  })

  test("and of no others", async () => {
    core.endpoints = [endpoint(1), endpoint(2, { failing_since: since }), endpoint(3, { ...disabled, disabled_reason: "owner" })]
    openPanel("/dashboard", core.url)
    await waitFor(() => expect(asked("GET", "/webhook-endpoints")).toHaveLength(1))
    await screen.findByText(/Пока\sздесь\sпусто/)
    expect(screen.queryByRole("alert")).toBeNull()
  })

  test("and not to staff, who could do nothing about it", async () => {
    core.tenants = [{ ...tenant(1, "Пекарня"), role: "staff" }]
    core.endpoints = [failing(1)]
    openPanel("/dashboard", core.url)
    await screen.findByText(/Пока\sздесь\sпусто/)
    expect(asked("GET", "/webhook-endpoints")).toHaveLength(0)
  })
})

test("an endpoint that is gone is said to be", async () => {
  openPanel("/webhooks/0197f000-0000-7000-8000-000000000999", core.url)
  expect(plainly(await screen.findByRole("alert"))).toContain("Этого вебхука больше нет")
})

test("staff have no way to webhooks, and whoever comes by the address is told who has", async () => {
  core.tenants = [{ ...tenant(1, "Пекарня"), role: "staff" }]
  const { user } = openPanel("/webhooks", core.url)
  await screen.findByText(/Вебхуками\sуправляют\sвладелец/)
  expect(asked("GET", "/webhook-endpoints")).toHaveLength(0)
  expect(screen.queryByRole("button", { name: words("Добавить вебхук") })).toBeNull()
  await user.click(await press("Меню профиля"))
  await screen.findByRole("menuitem", { name: "Команда" })
  expect(screen.queryByRole("menuitem", { name: "Вебхуки" })).toBeNull()
})
