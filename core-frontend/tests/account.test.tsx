import { screen, waitFor, within } from "@testing-library/react"
import { afterEach, beforeEach, describe, expect, test } from "vitest"

import { CODE, type FakeCore, startCore } from "@tests/core"
import { expectAccessible, heading, openPanel, type Panel, words } from "@tests/panel"
import { problem } from "@tests/server"

const GOOD = "корабль лампа осень"

let core: FakeCore
beforeEach(async () => {
  core = await startCore()
  core.isSignedIn = true
})
afterEach(() => core.close())

async function openAccount(): Promise<Panel> {
  const panel = openPanel("/account", core.url)
  await screen.findByRole("heading", { level: 2, name: "Пароль" })
  return panel
}

const button = (name: string) => screen.findByRole("button", { name: words(name) })
const codeField = () => screen.findByRole("textbox", { name: words("Код из сообщения") })
const sent = (method: string, end: string) =>
  core.received.filter((request) => request.method === method && request.path.endsWith(end))

test("the account is one step from the profile menu, and has no fault that a machine can find", async () => {
  const { user } = openPanel("/dashboard", core.url)
  await user.click(await button("Меню профиля"))
  await user.click(await screen.findByRole("menuitem", { name: "Аккаунт" }))
  await heading("Аккаунт")
  await screen.findAllByTestId("session")
  await screen.findAllByTestId("audit-entry")
  await expectAccessible()
})

test("a name is saved, and the button says so", async () => {
  const { user } = await openAccount()
  expect(await button("Сохранить")).toHaveProperty("disabled", true)
  await user.type(screen.getByRole("textbox", { name: "Имя" }), " Анна ")
  await user.click(await button("Сохранить"))
  await button("Сохранено")
  expect(core.user.name).toBe("Анна")
  expect(screen.getByRole("textbox", { name: "Имя" })).toHaveProperty("value", "Анна")
})

test("the language of the account is the one that is chosen there", async () => {
  const { user } = await openAccount()
  await user.click(screen.getByRole("radio", { name: "English" }))
  await heading("Account")
  await waitFor(() => expect(core.user.locale).toBe("en"))
})

describe("a password", () => {
  async function type(password: string): Promise<Panel> {
    const panel = await openAccount()
    await panel.user.click(await button("Задать пароль"))
    await panel.user.type(screen.getByLabelText(words("Новый пароль")), `${password}{Enter}`)
    return panel
  }

  test("is set, and other sessions are gone from the list", async () => {
    await type(GOOD)
    await screen.findByText(/Пароль сохранён/)
    expect(core.password).toBe(GOOD)
    await waitFor(() => expect(screen.getAllByTestId("session")).toHaveLength(1))
  })

  test("that is too short is not sent", async () => {
    await type("корабль")
    expect((await screen.findByRole("alert")).textContent).toMatch(/хотя\sбы\s8\sзнаков/)
    expect(sent("PUT", "/password")).toHaveLength(0)
    await expectAccessible()
  })

  test.each([
    ["password_common", /слишком простой/],
    ["password_is_phone", /номера телефона/],
    ["password_is_product", /названия сайта/],
  ])("that is refused as %s is told why", async (code, why) => {
    core.intercept = ({ method, path }) =>
      method === "PUT" && path.endsWith("/password")
        ? problem(422, "accounts.password_refused", { errors: [{ field: "password", message: "In English.", code }] })
        : undefined
    await type("12345678")
    expect((await screen.findByRole("alert")).textContent).toMatch(why)
  })

  test("can be looked at while it is typed", async () => {
    const { user } = await openAccount()
    await user.click(await button("Задать пароль"))
    const field = screen.getByLabelText(words("Новый пароль"))
    expect(field).toHaveProperty("type", "password")
    await user.click(await button("Показать пароль"))
    expect(field).toHaveProperty("type", "text")
  })

  test("is removed only after a question", async () => {
    core.user.has_password = true
    const { user } = await openAccount()
    await user.click(await button("Удалить пароль"))
    expect(sent("DELETE", "/password")).toHaveLength(0)
    await user.click(await button("Удалить"))
    await screen.findByText(/Пароль удалён/)
    await screen.findByText("Не задан")
  })
})

describe("whoever signed in long ago", () => {
  beforeEach(() => {
    core.asksAgain = true
    core.password = GOOD
    core.user.has_password = true
  })

  async function askFor(): Promise<Panel & { dialog: HTMLElement }> {
    const panel = await openAccount()
    await panel.user.click(await button("Сменить пароль"))
    await panel.user.type(screen.getByLabelText(words("Новый пароль")), "другая лампа осень{Enter}")
    const dialog = await screen.findByRole("dialog", { name: words("Подтвердите, что это вы") })
    return { ...panel, dialog }
  }

  test("is asked for a code, and the call goes on by itself", async () => {
    const { user, dialog } = await askFor()
    await expectAccessible()
    await user.click(within(dialog).getByRole("button", { name: words("Получить код") }))
    await user.type(await codeField(), "000000")
    expect((await screen.findByRole("alert")).textContent).toContain("Осталось 4 попытки")
    expect(core.password).toBe(GOOD)
    await user.type(await codeField(), CODE)
    await screen.findByText(/Пароль сохранён/)
    expect(core.password).toBe("другая лампа осень")
    expect(screen.queryByRole("dialog")).toBeNull()
    expect(core.count("POST", "/api/v1/auth/refresh")).toBe(1) // that of the start
  })

  test("may bring the password instead", async () => {
    const { user, dialog } = await askFor()
    await user.click(within(dialog).getByRole("button", { name: words("Ввести пароль") }))
    const field = within(dialog).getByLabelText(words("Ваш пароль"))
    await user.type(field, "не тот{Enter}")
    expect((await within(dialog).findByRole("alert")).textContent).toMatch(/не\sваш\sнынешний/)
    await user.clear(field)
    await user.type(field, `${GOOD}{Enter}`)
    await screen.findByText(/Пароль сохранён/)
  })

  test("who would not is left where they were, and told why nothing happened", async () => {
    const { user, dialog } = await askFor()
    await user.click(within(dialog).getByRole("button", { name: "Закрыть" }))
    expect((await screen.findByRole("alert")).textContent).toContain("Подтвердите, что это вы")
    expect(core.password).toBe(GOOD)
    await user.click(await button("Сохранить пароль"))
    await screen.findByRole("dialog", { name: words("Подтвердите, что это вы") })
  })
})

describe("another number", () => {
  async function prove(): Promise<Panel> {
    const panel = await openAccount()
    await panel.user.click(await button("Сменить номер"))
    await panel.user.type(screen.getByRole("textbox", { name: words("Новый номер") }), "9997654321{Enter}")
    await panel.user.type(await codeField(), CODE)
    await screen.findByTestId("phone-change")
    return panel
  }

  test("waits for its day, which is told, and can be stopped", async () => {
    const { user } = await prove()
    const [request] = sent("POST", "/phone-changes")
    expect(request?.body).toEqual({ phone: "+79997654321", channel: "max" })
    expect(request?.headers["idempotency-key"]).toMatch(/^[0-9a-f]{32}$/)
    const due = new Intl.DateTimeFormat("ru", { day: "numeric", month: "long" }).format(Date.now() + 72 * 3_600_000)
    const text = screen.getByTestId("phone-change").textContent.replace(/\s/g, " ")
    expect(text).toContain(`+7 999 765-43-21 станет вашим номером ${due}`)
    expect(screen.queryByRole("button", { name: words("Сменить номер") })).toBeNull()
    await expectAccessible()
    await user.click(await button("Отменить смену"))
    await waitFor(() => expect(screen.queryByTestId("phone-change")).toBeNull())
    expect(core.user.phone).toBe("+79991234567")
    await button("Сменить номер")
  })

  test("takes the place of the old one at once when that is proven, too", async () => {
    const { user } = await prove()
    await user.click(await button("Сменить сейчас"))
    const dialog = await screen.findByRole("dialog", { name: words("Код на прежний номер") })
    await user.click(within(dialog).getByRole("button", { name: words("Получить код") }))
    await user.type(await codeField(), CODE)
    await screen.findByText(/Номер изменён/)
    expect(screen.getByTestId("own-phone").textContent).toBe("+7 999 765-43-21")
    expect(screen.queryByRole("dialog")).toBeNull()
  })

  test("that is the same or no mobile one is refused beside the field", async () => {
    core.intercept = ({ path }) => (path.endsWith("/phone-changes") ? problem(422, "accounts.phone_unchanged") : undefined)
    const { user } = await openAccount()
    await user.click(await button("Сменить номер"))
    await user.type(screen.getByRole("textbox", { name: words("Новый номер") }), "9991234567{Enter}")
    expect((await screen.findByRole("alert")).textContent).toMatch(/Это\sи\sтак\sваш\sномер/)
  })

  test("is what somebody needs whose number is another's by now", async () => {
    core.user.phone = ""
    await openAccount()
    await button("Указать номер")
    expect(screen.getByTestId("own-phone").textContent).toBe("Номера нет")
    expect(screen.queryByRole("button", { name: words("Подтвердить номер") })).toBeNull()
  })
})

test("a number is confirmed by a code, for a messenger that is new to the core", async () => {
  const { user } = await openAccount()
  await user.click(await button("Подтвердить номер"))
  const dialog = await screen.findByRole("dialog", { name: words("Подтвердить номер") })
  await user.click(within(dialog).getByRole("button", { name: words("Получить код") }))
  await user.type(await codeField(), CODE)
  await screen.findByText("Номер подтверждён.")
  expect(sent("POST", "/me/reauthentication")[0]?.body).toMatchObject({ code: CODE })
})

describe("sessions", () => {
  test("are told by device, network and last use, this one first", async () => {
    core.sessions.reverse()
    await openAccount()
    const [own, other] = await screen.findAllByTestId("session")
    expect(own?.textContent).toMatch(/Chrome, Windows.*Это устройство.*198\.51\.100\.1/)
    expect(other?.textContent).toMatch(/Safari, iPhone.*10\sминут\sназад.*198\.51\.100\.2/)
  })

  test("end one by one", async () => {
    const { user } = await openAccount()
    await user.click(await button("Завершить сеанс: Safari, iPhone"))
    await waitFor(() => expect(screen.getAllByTestId("session")).toHaveLength(1))
    expect(screen.queryByRole("button", { name: words("Выйти на всех остальных") })).toBeNull()
  })

  test("end all at once, but this one", async () => {
    const { user } = await openAccount()
    await user.click(await button("Выйти на всех остальных"))
    await waitFor(() => expect(screen.getAllByTestId("session")).toHaveLength(1))
    expect(sent("DELETE", "/me/sessions")).toHaveLength(1)
  })
})
