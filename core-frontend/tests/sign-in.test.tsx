import { cleanup, screen, waitFor, within } from "@testing-library/react"
import { afterEach, beforeEach, describe, expect, test } from "vitest"

import { challenge, CODE, type FakeCore, startCore } from "@tests/core"
import { expectAccessible, heading, openPanel, words } from "@tests/panel"
import { problem } from "@tests/server"

let core: FakeCore
beforeEach(async () => {
  core = await startCore()
})
afterEach(() => core.close())

async function askForCode(path = "/register") {
  const panel = openPanel(path, core.url)
  const phone = await screen.findByRole("textbox", { name: "Номер телефона" })
  await panel.user.click(phone)
  await panel.user.paste("8 (999) 123-45-67")
  expect(phone).toHaveProperty("value", "+7 999 123-45-67")
  return panel
}

const codeField = () => screen.findByRole("textbox", { name: words("Код из сообщения") })

test("a new person gets from a phone number to the choice of a module", async () => {
  const { user } = await askForCode()
  await expectAccessible()
  await user.click(screen.getByRole("radio", { name: "Telegram" }))
  await user.type(screen.getByRole("textbox", { name: "Название бизнеса" }), "Пекарня")
  await user.click(screen.getByRole("button", { name: "Получить код" }))

  await user.type(await codeField(), CODE)
  await heading("Выберите модуль")
  expect(core.received.find(({ path }) => path === "/api/v1/auth/challenges")?.body).toEqual({
    phone: "+79991234567",
    channel: "telegram",
  })
  expect(core.received.find(({ path }) => path.endsWith("/confirm"))?.body).toEqual({
    code: CODE,
    locale: "ru",
    tenant_name: "Пекарня",
  })
  await expectAccessible()
})

test("a returning person lands where they were going", async () => {
  core.isNewUser = false
  const { user } = await askForCode("/dashboard")
  await user.keyboard("{Enter}")
  await user.type(await codeField(), CODE)
  await heading("Мои модули")
})

describe("of the ways for a code", () => {
  test("the only one needs no choice", async () => {
    core.channels = [{ channel: "telegram", carrier: "bot" }]
    const { user } = await askForCode()
    await waitFor(() => expect(screen.queryByRole("radio")).toBeNull())
    await user.click(screen.getByRole("button", { name: "Получить код" }))
    await codeField()
    expect(core.received.find(({ path }) => path === "/api/v1/auth/challenges")?.body).toMatchObject({ channel: "telegram" })
  })

  test("SMS is offered once beside a messenger", async () => {
    core.channels = [
      { channel: "max", carrier: "bot" },
      { channel: "telegram", carrier: "sms" },
    ]
    await askForCode()
    await screen.findByRole("radio", { name: "СМС" })
    expect(screen.getAllByRole("radio")).toHaveLength(2)
  })

  test("there may be none, and one is told", async () => {
    core.channels = []
    await askForCode()
    await screen.findByText(/не настроена отправка кодов/)
  })
})

test("an unfinished number is not sent", async () => {
  const { user } = openPanel("/register", core.url)
  await user.type(await screen.findByRole("textbox", { name: "Номер телефона" }), "999123{Enter}")
  await screen.findByText("Введите номер мобильного телефона целиком")
  expect(core.count("POST", "/api/v1/auth/challenges")).toBe(0)
})

describe("the code", () => {
  test("that is wrong can be typed again, and one is told how often", async () => {
    const { user } = await askForCode()
    await user.keyboard("{Enter}")
    const field = await codeField()
    await expectAccessible()
    await user.type(field, "000000")
    expect((await screen.findByRole("alert")).textContent).toContain("Осталось 4 попытки")
    expect(field).toHaveProperty("value", "")
    await user.type(field, CODE)
    await heading("Выберите модуль")
  })

  test("that was wrong for the last time is over, and a new one is offered", async () => {
    core.intercept = ({ path }) => (path.endsWith("/confirm") ? problem(422, "accounts.code_wrong", { tries_left: 0 }) : undefined)
    const { user } = await askForCode()
    await user.keyboard("{Enter}")
    await user.type(await codeField(), "000000")
    expect((await screen.findByRole("alert")).textContent).toContain("Запросите новый код")
  })

  test("can be pasted with blanks and words around it", async () => {
    const { user } = await askForCode()
    await user.keyboard("{Enter}")
    await user.click(await codeField())
    await user.paste("Код: 123 456")
    await heading("Выберите модуль")
  })

  test("is asked for again only when its time has come", async () => {
    const { user } = await askForCode()
    await user.keyboard("{Enter}")
    const again = await screen.findByRole("button", { name: /Отправить ещё раз через (1:00|0:5\d)/ })
    expect(again).toHaveProperty("disabled", true)
  })

  test("outlives a reload of the page, for people who leave for the messenger", async () => {
    const { user } = await askForCode()
    await user.keyboard("{Enter}")
    await codeField()
    cleanup()
    openPanel("/register", core.url)
    await codeField()
    expect(core.count("POST", "/api/v1/auth/challenges")).toBe(1)
  })

  test.each([
    ["bot", [{ channel: "max", url: "https://max.ru/bot?start=1" }], /Откройте бота в MAX и поделитесь номером \+7 999 123-45-67/],
    ["messenger", [], /Отправили код в MAX на номер \+7 999 123-45-67/],
    ["sms", [], /Отправили код по СМС на номер \+7 999 123-45-67/],
    ["inbox", [], /Входящие для разработки/],
  ] as const)("is where the core says: %s", async (carrier, links, sentence) => {
    core.intercept = ({ path }) =>
      path === "/api/v1/auth/challenges" ? { status: 202, body: { ...challenge("max"), carrier, links } } : undefined
    const { user } = await askForCode()
    await user.keyboard("{Enter}")
    await codeField()
    expect(document.body.textContent.replace(/\s/g, " ")).toMatch(sentence)
    expect(screen.queryAllByRole("link", { name: "Открыть MAX" })).toHaveLength(links.length)
    expect(screen.queryAllByRole("link", { name: words("Входящие для разработки") })).toHaveLength(carrier === "inbox" ? 1 : 0)
  })

  test("has a way to the messenger and a way back to the number", async () => {
    const { user } = await askForCode()
    await user.keyboard("{Enter}")
    expect((await screen.findByRole("link", { name: "Открыть MAX" })).getAttribute("href")).toBe("https://messenger.test/bot?start=1")
    await user.click(screen.getByRole("button", { name: "Изменить номер" }))
    expect(await screen.findByRole("textbox", { name: "Номер телефона" })).toHaveProperty("value", "+7 999 123-45-67")
  })
})

test.each([
  [problem(422, "accounts.phone_not_mobile"), "Код приходит только на мобильный номер"],
  [{ ...problem(429, "accounts.too_many_codes"), headers: { "Retry-After": "240" } }, "Попробуйте через 4 минуты"],
  [problem(500, "internal.error"), "Номер обращения: req-1"],
  [problem(418, "brand.new"), "In English."],
])("a refusal is explained: %j", async (refusal, words) => {
  core.intercept = ({ path }) => (path === "/api/v1/auth/challenges" ? refusal : undefined)
  const { user } = await askForCode()
  await user.keyboard("{Enter}")
  const alert = await screen.findByRole("alert")
  expect(alert.textContent.replace(/\s/g, " ")).toContain(words)
})

describe("a session", () => {
  test("is opened by the cookie alone after a reload", async () => {
    core.isSignedIn = true
    openPanel("/dashboard", core.url)
    await heading("Мои модули")
    await expectAccessible()
  })

  test("that ends by itself asks to sign in and comes back to the same page", async () => {
    core.isSignedIn = true
    core.isNewUser = false
    const { user, api } = openPanel("/select-module?module=shop&subdomain=pekarnya", core.url)
    await heading("Выберите адрес")
    core.isSignedIn = false
    core.intercept = ({ path }) => (path === "/api/v1/me" ? problem(401, "accounts.unauthenticated") : undefined)
    await expect(api.client.GET("/api/v1/me")).rejects.toMatchObject({ status: 401 })
    await screen.findByText(/Сессия закончилась/)
    core.intercept = () => undefined
    await user.type(screen.getByRole("textbox", { name: "Номер телефона" }), "9991234567{Enter}")
    await user.type(await codeField(), CODE)
    await heading("Выберите адрес")
    expect(await screen.findByRole("textbox", { name: "Адрес" })).toHaveProperty("value", "pekarnya")
  })

  test("is ended from the menu, here and at the core", async () => {
    core.isSignedIn = true
    const { user } = openPanel("/dashboard", core.url)
    await user.click(await screen.findByRole("button", { name: "Меню профиля" }))
    await user.click(await screen.findByRole("menuitem", { name: "Выйти" }))
    await heading("Ваше дело в интернете — за минуту")
    expect(core.isSignedIn).toBe(false)
    expect(screen.getAllByRole("link", { name: "Войти" })).not.toHaveLength(0)
  })
})

test("English is one press away, stays, and is what the page says of itself", async () => {
  const { user } = openPanel("/", core.url)
  await heading("Ваше дело в интернете — за минуту")
  await user.click(within(screen.getByRole("group", { name: "Язык" })).getByRole("button", { name: "English" }))
  await heading("Your business online in a minute")
  await screen.findByRole("heading", { name: "Online shop" })
  await waitFor(() => expect(document.title).toBe("Tochka Rosta: your business online in a minute"))
  expect(document.documentElement.lang).toBe("en")
  expect(localStorage.getItem("tochka.locale")).toBe("en")
  await expectAccessible()
})

describe("the language of an account", () => {
  test("follows the choice made in the panel", async () => {
    core.isSignedIn = true
    const { user } = openPanel("/dashboard", core.url)
    await user.click(await screen.findByRole("button", { name: "Меню профиля" }))
    await user.click(await screen.findByRole("menuitemradio", { name: "English" }))
    await heading("My modules")
    await waitFor(() => expect(core.user.locale).toBe("en"))
  })

  test("is taken over where no choice was made", async () => {
    core.isSignedIn = true
    core.user.locale = "en"
    openPanel("/dashboard", core.url)
    await heading("My modules")
    expect(core.count("PATCH", "/api/v1/me")).toBe(0)
  })
})
