import { screen, within } from "@testing-library/react"
import { afterEach, beforeEach, describe, expect, test } from "vitest"

import { CODE, type FakeCore, startCore } from "@tests/core"
import { expectAccessible, heading, openPanel, type Panel, words } from "@tests/panel"
import { problem } from "@tests/server"

const GOOD = "корабль лампа осень"

let core: FakeCore
beforeEach(async () => {
  core = await startCore()
  core.isNewUser = false
})
afterEach(() => core.close())

const button = (name: string) => screen.findByRole("button", { name: words(name) })
const phoneField = () => screen.findByRole("textbox", { name: words("Номер телефона") })

describe("with a password", () => {
  beforeEach(() => {
    core.password = GOOD
  })

  async function open(): Promise<Panel> {
    const panel = openPanel("/login?next=%2Fteam", core.url)
    await panel.user.type(await phoneField(), "9991234567")
    await panel.user.click(await button("Войти с паролем"))
    await heading("Вход с паролем")
    return panel
  }

  test("one gets to where one was going; the number need not be typed twice", async () => {
    const { user } = await open()
    await expectAccessible()
    await user.type(screen.getByLabelText("Пароль"), `${GOOD}{Enter}`)
    await heading("Команда")
    expect(core.received.find(({ path }) => path.endsWith("/login"))?.body).toEqual({ phone: "+79991234567", password: GOOD })
    expect(core.count("POST", "/api/v1/auth/challenges")).toBe(0)
  })

  test.each([
    [problem(401, "accounts.credentials_wrong"), "Номер или пароль не подошли"],
    [{ ...problem(429, "accounts.too_many_passwords"), headers: { "Retry-After": "600" } }, "Слишком много неверных паролей"],
    [problem(503, "accounts.passwords_busy"), "Сейчас входит слишком много людей"],
  ])("a refusal is explained, and the code is there all the same: %j", async (refusal, text) => {
    core.intercept = ({ path }) => (path.endsWith("/auth/login") ? refusal : undefined)
    const { user } = await open()
    await user.type(screen.getByLabelText("Пароль"), "не тот пароль{Enter}")
    expect((await screen.findByRole("alert")).textContent.replace(/\s/g, " ")).toContain(text)
    expect(core.count("POST", "/api/v1/auth/refresh")).toBe(0) // a 401 here ends no session
    await user.click(await button("Войти по коду"))
    expect(await phoneField()).toHaveProperty("value", "+7 999 123-45-67")
    await button("Получить код")
  })

  test("nothing is sent without one", async () => {
    const { user } = await open()
    await user.click(await button("Войти"))
    await screen.findByText("Введите пароль")
    expect(core.count("POST", "/api/v1/auth/login")).toBe(0)
  })

  test("nobody signs up", async () => {
    openPanel("/register", core.url)
    await phoneField()
    expect(screen.queryByRole("button", { name: words("Войти с паролем") })).toBeNull()
  })
})

describe("a number that may have changed hands", () => {
  let ways: string[]
  beforeEach(() => {
    ways = ["password", "session", "anew"]
    core.password = GOOD
    core.intercept = ({ path }) => (path.endsWith("/confirm") ? problem(409, "accounts.confirmation_needed", { ways }) : undefined)
  })

  async function confirm(): Promise<Panel> {
    const panel = openPanel("/login", core.url)
    await panel.user.type(await phoneField(), "9991234567{Enter}")
    await panel.user.type(await screen.findByRole("textbox", { name: words("Код из сообщения") }), CODE)
    await heading("Это ваш аккаунт?")
    return panel
  }

  test("is opened by the password of the account", async () => {
    const { user } = await confirm()
    await expectAccessible()
    const field = screen.getByLabelText(words("Пароль от этого аккаунта"))
    await user.type(field, "не тот пароль{Enter}")
    expect((await screen.findByRole("alert")).textContent).toMatch(/не\sпароль\sот\sэтого\sаккаунта/)
    await user.clear(field)
    await user.type(field, `${GOOD}{Enter}`)
    await heading("Мои модули")
    expect(core.received.findLast(({ path }) => path.endsWith("/recover"))?.body).toEqual({ way: "password", password: GOOD, locale: "ru" })
  })

  test("begins anew, after a question", async () => {
    const { user } = await confirm()
    await user.click(await button("Начать заново"))
    const dialog = await screen.findByRole("dialog", { name: words("Забрать номер у прежнего аккаунта?") })
    await expectAccessible()
    expect(core.received.some(({ path }) => path.endsWith("/recover"))).toBe(false)
    await user.click(within(dialog).getByRole("button", { name: words("Начать заново") }))
    await heading("Выберите модуль")
    expect(core.received.findLast(({ path }) => path.endsWith("/recover"))?.body).toEqual({ way: "anew", locale: "ru" })
  })

  test("has the ways that the core offers, and no others", async () => {
    ways = ["anew"]
    await confirm()
    expect(screen.queryByLabelText(words("Пароль от этого аккаунта"))).toBeNull()
    expect(screen.queryByText(/открыт на другом устройстве/)).toBeNull()
    expect(screen.queryByText(/другой мессенджер/)).toBeNull()
  })

  test("says to whom another messenger is known that it opens the account", async () => {
    ways = ["messenger", "anew"]
    await confirm()
    await expectAccessible()
    expect(screen.getByRole("heading", { name: words("Аккаунт мой, но код приходил в другой мессенджер") })).toBeTruthy()
  })

  test("can be left, and a page that is opened anew asks for the number again", async () => {
    const { user } = await confirm()
    expect(sessionStorage.getItem("tochka.challenge")).toBeNull()
    await user.click(await button("Вернуться к номеру"))
    expect(await phoneField()).toHaveProperty("value", "+7 999 123-45-67")
  })
})
