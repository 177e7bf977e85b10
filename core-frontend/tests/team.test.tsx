import { screen, waitFor, within } from "@testing-library/react"
import { afterEach, beforeEach, describe, expect, test } from "vitest"

import { type FakeCore, startCore, tenant } from "@tests/core"
import { expectAccessible, heading, openPanel, words } from "@tests/panel"
import { problem } from "@tests/server"

import type { Schemas } from "@/shared/api/api"

const STAFF: Schemas["MemberRead"] = {
  user_id: "0197f000-0000-7000-8000-0000000000ab",
  name: "Олег",
  phone: "+79997654321",
  role: "staff",
  joined_at: "2026-11-02T00:00:00Z",
}

let core: FakeCore
beforeEach(async () => {
  core = await startCore()
  core.isSignedIn = true
})
afterEach(() => core.close())

const asked = (method: string, end: string) => core.received.filter((one) => one.method === method && one.path.endsWith(end))
const rows = () => screen.findAllByTestId("member")

test("a person is invited by phone, and the invitation can be taken back", async () => {
  const { user } = openPanel("/dashboard", core.url)
  await user.click(await screen.findByRole("button", { name: words("Меню профиля") }))
  await user.click(await screen.findByRole("menuitem", { name: "Команда" }))
  await heading("Команда")
  await user.click(await screen.findByRole("button", { name: "Пригласить" }))
  expect(await screen.findByText(/Введите номер/)).toBeTruthy()
  await user.type(screen.getByRole("textbox", { name: words("Номер телефона") }), "8 999 765-43-21")
  await user.selectOptions(screen.getByRole("combobox", { name: "Роль" }), "admin")
  await user.click(screen.getByRole("button", { name: "Пригласить" }))
  const invitation = await screen.findByTestId("invitation")
  expect(within(invitation).getByText("+7 999 765-43-21")).toBeTruthy()
  const [request] = asked("POST", "/invitations")
  expect(request?.body).toEqual({ phone: "+79997654321", role: "admin" })
  expect(request?.headers["idempotency-key"]).toMatch(/^[0-9a-f]{32}$/)
  await expectAccessible()
  await user.click(within(invitation).getByRole("button", { name: words("Отозвать: +7 999 765-43-21") }))
  await waitFor(() => expect(screen.queryByTestId("invitation")).toBeNull())
})

test("an owner changes what a member is, and removes one only after a question", async () => {
  core.members.push({ ...STAFF })
  const { user } = openPanel("/team", core.url)
  await user.click(await screen.findByRole("button", { name: words("Действия: Олег") }))
  await user.click(await screen.findByRole("menuitem", { name: words("Сделать администратором") }))
  await waitFor(async () => expect((await rows())[1]?.dataset["role"]).toBe("admin"))
  await user.click(screen.getByRole("button", { name: words("Действия: Олег") }))
  await user.click(await screen.findByRole("menuitem", { name: words("Удалить из команды") }))
  await expectAccessible()
  expect(asked("DELETE", STAFF.user_id)).toHaveLength(0)
  await user.click(screen.getByRole("button", { name: "Удалить" }))
  await waitFor(() => expect(screen.getAllByTestId("member")).toHaveLength(1))
})

test("the last owner is told why they cannot leave", async () => {
  core.intercept = ({ method }) => (method === "DELETE" ? problem(409, "tenants.last_owner") : undefined)
  const { user } = openPanel("/team", core.url)
  await user.click(await screen.findByRole("button", { name: words("Действия: Анна") }))
  await user.click(await screen.findByRole("menuitem", { name: words("Покинуть команду") }))
  await user.click(screen.getByRole("button", { name: "Покинуть" }))
  expect((await screen.findByRole("alert")).textContent).toMatch(/должен\sостаться\sвладелец/)
})

test("an owner offers the business to a member, and can take the offer back", async () => {
  core.members.push({ ...STAFF })
  const { user } = openPanel("/team", core.url)
  await user.click(await screen.findByRole("button", { name: words("Действия: Олег") }))
  await user.click(await screen.findByRole("menuitem", { name: words("Передать бизнес") }))
  await expectAccessible()
  expect(asked("PUT", "/handover")).toHaveLength(0)
  await user.click(screen.getByRole("button", { name: "Передать" }))
  const card = await screen.findByTestId("handover")
  expect(card.textContent).toMatch(/Олег\sможет\sпринять/)
  expect(asked("PUT", "/handover")[0]?.body).toEqual({ user_id: STAFF.user_id })
  await expectAccessible()
  await user.click(within(card).getByRole("button", { name: words("Отозвать передачу") }))
  await waitFor(() => expect(screen.queryByTestId("handover")).toBeNull())
})

test("whoever is offered the business accepts it, and is its owner from then on", async () => {
  core.tenants = [{ ...tenant(1, "Пекарня"), role: "admin" }]
  const [created, expires] = ["2026-11-01T00:00:00Z", "2026-11-04T00:00:00Z"]
  core.handover = { from_user_id: STAFF.user_id, to_user_id: core.user.id, created_at: created, expires_at: expires }
  core.members.push({ ...STAFF })
  const { user } = openPanel("/team", core.url)
  const card = await screen.findByTestId("handover")
  expect(card.textContent).toMatch(/Олег\sпредлагает\sвам\sстать\sвладельцем/)
  await user.click(within(card).getByRole("button", { name: words("Стать владельцем") }))
  await waitFor(() => expect(screen.queryByTestId("handover")).toBeNull())
  expect(asked("POST", "/handover/accept")).toHaveLength(1)
  await user.click(await screen.findByRole("button", { name: words("Действия: Олег") }))
  await screen.findByRole("menuitem", { name: words("Передать бизнес") })
})

test("staff see the team and nothing that they may not do", async () => {
  core.tenants = [{ ...tenant(1, "Пекарня"), role: "staff" }]
  core.members = [{ ...STAFF, phone: "+7******4321" }]
  openPanel("/team", core.url)
  expect(await screen.findByText("+7******4321")).toBeTruthy()
  expect(screen.queryByRole("button", { name: "Пригласить" })).toBeNull()
  expect(screen.queryByRole("button", { name: words("Действия: Олег") })).toBeNull()
  expect(asked("GET", "/invitations")).toHaveLength(0)
  await expectAccessible()
})

describe("an invitation to oneself", () => {
  const OTHER = tenant(5, "Кофейня").id
  beforeEach(() => {
    core.invitationsToMe = [
      {
        id: "0197f000-0000-7000-8000-0000000000ac",
        tenant_id: OTHER,
        tenant_name: "Кофейня",
        role: "admin",
        invited_by_name: "Ирина",
        created_at: "2026-11-01T00:00:00Z",
        expires_at: "2026-11-04T00:00:00Z",
      },
    ]
  })

  test("waits on the dashboard, and accepting it switches to that tenant", async () => {
    const { user } = openPanel("/dashboard", core.url)
    const card = await screen.findByTestId("invitation-to-me")
    expect(card.textContent).toMatch(/Ирина/)
    await expectAccessible()
    await user.click(within(card).getByRole("button", { name: "Принять" }))
    await waitFor(() => expect(screen.queryByTestId("invitation-to-me")).toBeNull())
    await waitFor(() => {
      const last = core.received.filter(({ path }) => path === "/api/v1/installations").at(-1)
      expect(last?.headers["x-tenant-id"]).toBe(OTHER)
    })
  })

  test("can be declined, and one that is gone says so", async () => {
    const { user } = openPanel("/dashboard", core.url)
    const card = await screen.findByTestId("invitation-to-me")
    await user.click(within(card).getByRole("button", { name: "Отклонить" }))
    await waitFor(() => expect(screen.queryByTestId("invitation-to-me")).toBeNull())
    expect(core.tenants).toHaveLength(1)
  })
})

test("whoever was removed from the tenant they had chosen goes on with their own", async () => {
  localStorage.setItem("tochka.tenant", tenant(5, "").id)
  openPanel("/dashboard", core.url)
  await waitFor(() => {
    const last = core.received.filter(({ path }) => path === "/api/v1/installations").at(-1)
    expect(last).toBeDefined()
    expect(last?.headers["x-tenant-id"]).toBeUndefined()
  })
})
