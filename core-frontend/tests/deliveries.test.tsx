import { screen, waitFor, within } from "@testing-library/react"
import { afterEach, beforeEach, expect, test } from "vitest"

import { type FakeCore, startCore } from "@tests/core"
import { attempt, delivery, replay } from "@tests/deliveries"
import { expectAccessible, openPanel, words } from "@tests/panel"
import { problem } from "@tests/server"
import { endpoint } from "@tests/webhooks"

let core: FakeCore
beforeEach(async () => {
  core = await startCore()
  core.isSignedIn = true
  core.endpoints = [endpoint(1)]
})
afterEach(() => core.close())

const open = () => openPanel(`/webhooks/${core.endpoints[0]?.id ?? ""}`, core.url)
const asked = (method: string, end: string) => core.received.filter((one) => one.method === method && one.path.endsWith(end))
const press = (name: string) => screen.findByRole("button", { name: words(name) })
const plainly = (element: Element) => element.textContent.replace(/\s/g, " ")
const rows = async () => (await screen.findAllByTestId("delivery")).map(plainly)

test("a test is sent, and what came of it is said", async () => {
  const { user } = open()
  await screen.findByText(/Пока\sничего\sне\sотправляли/)
  await user.click(await press("Проверить"))
  expect(plainly(await screen.findByText(/Адрес\sпринял\sпроверку/))).toContain("ответ 200")
  expect(asked("POST", "/test")[0]?.headers["idempotency-key"]).toMatch(/^[0-9a-f]{32}$/)
  await waitFor(async () => expect(await rows()).toEqual([expect.stringMatching(/^Проверка связи.*Доставлено$/)]))

  core.testAnswer = 500
  await user.click(await press("Проверить"))
  expect(plainly(await screen.findByText(/Адрес\sне\sпринял\sпроверку/))).toContain("ответ 500")
})

test("an owner sees what was sent, and narrows it down", async () => {
  core.deliveries = [
    delivery(1),
    delivery(2, { status: "pending", attempts: 3, last_response_status: 503, due_at: "2099-01-01T00:00:00Z", finished_at: null }),
    delivery(3, { status: "expired", attempts: 10, last_response_status: null, last_error: "connect", type: "member.left" }),
    delivery(4, { status: "refused", last_response_status: 302, last_error: "redirect" }),
    delivery(5, { status: "held", attempts: 0, last_response_status: null, type: "brand.new" }),
    delivery(6, { replayed: true }),
  ]
  const { user } = open()
  const seen = await rows()
  expect(seen[0]).toMatch(/^Новый участник команды.*ответ 200Доставлено$/)
  expect(seen[1]).toMatch(/ответ 5033 попыткиПовторим$/)
  expect(seen[2]).toMatch(/^Участник ушёл из команды.*нет соединения10 попытокНе доставлено$/)
  expect(seen[3]).toMatch(/ответ 302: перенаправление, за ним мы не идёмОтклонено$/)
  expect(seen[4]).toMatch(/^brand\.new.*Отложено$/)
  expect(seen[5]).toMatch(/повторноДоставлено$/)
  await expectAccessible()

  await user.selectOptions(screen.getByRole("combobox", { name: words("Чем закончилось") }), "expired")
  await waitFor(async () => expect(await rows()).toHaveLength(1))
  await user.selectOptions(screen.getByRole("combobox", { name: "Событие" }), "tenant.updated")
  expect(plainly(await screen.findByText(/Таких\sдоставок\sнет/))).toBeTruthy()
  await user.selectOptions(screen.getByRole("combobox", { name: "Когда" }), "1")
  await waitFor(() => {
    const query = Object.fromEntries(asked("GET", "/deliveries").at(-1)?.query ?? [])
    expect(query).toMatchObject({ endpoint_id: core.endpoints[0]?.id, status: "expired", type: "tenant.updated" })
    expect(Date.now() - Date.parse(query["since"] ?? "")).toBeLessThan(3_700_000)
  })
})

test("a delivery tells what was sent and what every attempt brought, and can be sent again", async () => {
  core.deliveries = [delivery(1, { status: "refused", attempts: 1, last_response_status: 404 })]
  core.attempts = [
    attempt(2, { response_status: 404, response_body: "<script>nobody home</script>" }),
    attempt(1, { response_status: null, error: "tls", response_headers: null, response_body: null, timings: { dns: 2 }, address: null }),
  ]
  const { user } = open()
  await user.click(await press("Новый участник команды"))
  const drawer = within(await screen.findByRole("dialog"))
  expect(JSON.parse((await drawer.findByLabelText(words("Тело запроса"))).textContent)).toMatchObject({
    id: core.deliveries[0]?.event_id,
    type: "member.joined",
    data: { role: "staff" },
  })
  const [last, first] = (await drawer.findAllByTestId("attempt")).map(plainly)
  expect(last).toMatch(/^2\. ответ 404.*35 мс.*203\.0\.113\.5.*DNS 2 · TCP 3 · TLS 9 · TTFB 30 · Σ 35/)
  expect(last).toMatch(/content-type: text\/plain server: nginx.*<script>nobody home<\/script>/)
  expect(first).toMatch(/^1\. сертификат не подошёл/)
  await expectAccessible()

  await user.click(drawer.getByRole("button", { name: words("Отправить ещё раз") }))
  await drawer.findByText(/Номер\sсобытия\sтот\sже/)
  expect(asked("POST", "/replay")[0]?.headers["idempotency-key"]).toMatch(/^[0-9a-f]{32}$/)
  await waitFor(() => expect(drawer.getByText("Доставлено")).toBeTruthy())
  await waitFor(() => expect(drawer.getAllByTestId("attempt")).toHaveLength(3))
})

test("what waits for its next try can be tried at once", async () => {
  core.deliveries = [delivery(1, { status: "pending", attempts: 1, due_at: "2099-01-01T00:00:00Z", finished_at: null })]
  const { user } = open()
  await user.click(await press("Новый участник команды"))
  const drawer = within(await screen.findByRole("dialog"))
  await drawer.findByText(/Следующая\sпопытка/)
  await user.click(drawer.getByRole("button", { name: words("Повторить сейчас") }))
  await waitFor(() => expect(asked("POST", "/replay")).toHaveLength(1))
})

test("what nobody has tried yet is not offered to be sent again", async () => {
  core.deliveries = [delivery(1, { status: "pending", attempts: 0, due_at: null, finished_at: null })]
  const { user } = open()
  await user.click(await press("Новый участник команды"))
  const drawer = within(await screen.findByRole("dialog"))
  await drawer.findByText(/Порядковый\sномер/)
  expect(drawer.queryByRole("button", { name: words("Отправить ещё раз") })).toBeNull()
  expect(drawer.queryByRole("button", { name: words("Повторить сейчас") })).toBeNull()
})

test("what was missed is counted before it is sent again, and its progress is shown", async () => {
  core.deliveries = [delivery(1, { status: "held" }), delivery(2, { status: "expired" }), delivery(3)]
  const { user } = open()
  await user.click(await press("Отправить ещё раз…"))
  const dialog = within(await screen.findByRole("dialog"))
  await expectAccessible()
  await user.type(dialog.getByLabelText(words("С какого времени")), "2026-11-20T10:00")
  await user.click(dialog.getByRole("button", { name: "Посчитать" }))
  expect(plainly(await dialog.findByText(/Будет\sотправлено/))).toBe("Будет отправлено: 2 события")
  expect(asked("POST", "/replays").map(({ body }) => (body as { dry_run: boolean }).dry_run)).toEqual([true])

  await user.click(dialog.getByRole("checkbox", { name: "Доставлено" })) // another question: counted anew
  expect(dialog.queryByText(/Будет\sотправлено/)).toBeNull()
  await user.click(dialog.getByRole("button", { name: "Посчитать" }))
  await dialog.findByText(/3\sсобытия/)
  await user.click(dialog.getByRole("button", { name: "Отправить" }))
  const row = await screen.findByTestId("replay")
  expect(plainly(row)).toContain("Отправляем: 0 из 3")
  expect(asked("POST", "/replays").at(-1)?.body).toEqual({
    since: new Date("2026-11-20T10:00").toISOString(),
    until: null,
    event_types: [],
    statuses: ["held", "refused", "expired", "pending", "delivered"],
    rate_per_second: 20,
    dry_run: false,
  })
  await user.click(within(row).getByRole("button", { name: "Остановить" }))
  await waitFor(() => expect(plainly(screen.getByTestId("replay"))).toContain("Остановлено"))
})

test("where nothing was missed there is nothing to send", async () => {
  const { user } = open()
  await user.click(await press("Отправить ещё раз…"))
  const dialog = within(await screen.findByRole("dialog"))
  await user.click(dialog.getByRole("button", { name: "Посчитать" }))
  await dialog.findByText(/отправлять\sнечего/)
  expect(dialog.getByRole<HTMLButtonElement>("button", { name: "Отправить" }).disabled).toBe(true)
})

test("a disabled endpoint is enabled with what it has missed, since when it began to fail", async () => {
  const [failing, disabled] = ["2026-11-15T10:00:00Z", "2026-11-20T10:00:00Z"]
  core.endpoints = [endpoint(1, { status: "disabled", disabled_reason: "failing", disabled_at: disabled, failing_since: failing })]
  let isAway = true
  core.intercept = ({ path }) => (isAway && path.endsWith("/recover") ? problem(409, "webhooks.endpoint_disabled") : undefined)
  const { user } = open()
  expect(screen.queryByRole("button", { name: "Проверить" })).toBeNull()
  await user.click(await press("Включить"))
  const dialog = within(await screen.findByRole("dialog"))
  await expectAccessible()
  await user.click(dialog.getByRole("button", { name: "Включить" }))
  await dialog.findByText(/Сначала\sвключите/) // it is enabled by now, and what it missed is not forgotten
  isAway = false
  await user.click(dialog.getByRole("button", { name: "Включить" }))
  await screen.findByTestId("replay")
  expect(asked("POST", "/recover").map(({ body }) => body)).toEqual([{ since: failing }, { since: failing }])
  expect(core.endpoints[0]?.status).toBe("enabled")
})

test("replays of before are listed with what they did", async () => {
  core.replays = [replay(2), replay(1, { status: "done", done: 7, total: 7, finished_at: "2026-11-20T10:00:00Z" })]
  open()
  const seen = (await screen.findAllByTestId("replay")).map(plainly)
  expect(seen[0]).toContain("Отправляем: 3 из 12")
  expect(seen[1]).toContain("Отправлено: 7 из 7")
  expect(screen.getByRole<HTMLProgressElement>("progressbar").value).toBe(3)
})
