import { screen, waitFor } from "@testing-library/react"
import { afterEach, beforeEach, expect, test } from "vitest"

import { entry } from "@tests/account"
import { type FakeCore, startCore, tenant } from "@tests/core"
import { expectAccessible, heading, openPanel, words } from "@tests/panel"

let core: FakeCore
beforeEach(async () => {
  core = await startCore()
  core.isSignedIn = true
})
afterEach(() => core.close())

test("an owner reads who did what, when and from where", async () => {
  core.trail = [
    entry(1, "installation.activated", { module: "shop", host: "pekarnya.shops.test" }),
    { ...entry(2, "person.signed_in", { method: "pwd" }), user_id: "0197f000-0000-7000-8000-0000000000ab" },
    { ...entry(3, "installation.undone", { reason: "timeout" }), user_id: null, address: null },
    entry(4, "brand.new"),
    { ...entry(5, "member.role_changed", { before: "staff", role: "admin" }), subject_id: "0197f000-0000-7000-8000-0000000000ac" },
    { ...entry(6, "password.refused", { phone: "+7******0915" }), user_id: null },
  ]
  const { user } = openPanel("/dashboard", core.url)
  await user.click(await screen.findByRole("button", { name: words("Меню профиля") }))
  await user.click(await screen.findByRole("menuitem", { name: "Журнал" }))
  await heading("Журнал")
  await waitFor(() => expect(screen.getAllByTestId("audit-entry")[0]?.textContent).toContain("Анна"))
  const rows = screen.getAllByTestId("audit-entry").map(({ textContent }) => textContent.replace(/\s/g, " "))
  expect(rows[0]).toMatch(/^Запущен модуль pekarnya\.shops\.test\s?Анна\s?\d\d:\d\d\s?198\.51\.100\.7$/)
  expect(rows[1]).toMatch(/^Вход по паролю\s?Бывший участник/)
  expect(rows[2]).toMatch(/запуск отменён\s?Платформа\s?\d\d:\d\d$/)
  expect(rows[3]).toContain("brand.new")
  expect(rows[4]).toMatch(/^Роль изменена: сотрудник → администратор\s?Анна → Бывший участник/)
  expect(rows[5]).toMatch(/^Слишком много неверных паролей\s?Кто-то, по номеру \+7\*{6}0915\s?\d\d:\d\d/)
  await expectAccessible()
})

test("a long trail comes page by page", async () => {
  core.trail = Array.from({ length: 60 }, (_, number) => entry(number + 1, "installation.entered"))
  const { user } = openPanel("/audit", core.url)
  await waitFor(() => expect(screen.getAllByTestId("audit-entry")).toHaveLength(50))
  await user.click(screen.getByRole("button", { name: words("Показать ещё") }))
  await waitFor(() => expect(screen.getAllByTestId("audit-entry")).toHaveLength(60))
  expect(screen.queryByRole("button", { name: words("Показать ещё") })).toBeNull()
})

test("one's own trail shows a few, then more", async () => {
  core.ownTrail = Array.from({ length: 12 }, (_, number) => entry(number + 1, "person.signed_in", { method: "otp" }))
  const { user } = openPanel("/account", core.url)
  await waitFor(() => expect(screen.getAllByTestId("audit-entry")).toHaveLength(10))
  await user.click(screen.getByRole("button", { name: words("Показать ещё") }))
  await waitFor(() => expect(screen.getAllByTestId("audit-entry")).toHaveLength(12))
})

test("staff have no way to it, and whoever comes by the address is told who has", async () => {
  core.tenants = [{ ...tenant(1, "Пекарня"), role: "staff" }]
  const { user } = openPanel("/audit", core.url)
  await screen.findByText(/Журнал видят владелец/)
  expect(core.received.some(({ path }) => /^\/api\/v1\/tenants\/.*\/audit$/.test(path))).toBe(false)
  await user.click(screen.getByRole("button", { name: words("Меню профиля") }))
  await screen.findByRole("menuitem", { name: "Команда" })
  expect(screen.queryByRole("menuitem", { name: "Журнал" })).toBeNull()
})
