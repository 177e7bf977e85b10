// @vitest-environment node
import { afterEach, beforeEach, describe, expect, test } from "vitest"

import { type Api, createApi, read } from "@/shared/api/api"
import { ApiError, ConnectionLost } from "@/shared/api/errors"
import { type Answer, type Handler, problem, startServer, type TestServer } from "@tests/server"

const TENANT = "0197f000-0000-7000-8000-000000000001"
const ME = { id: TENANT, phone: "+79991234567", name: "", locale: "ru", created_at: "2026-01-01T00:00:00Z" }

let server: TestServer
let api: Api
/** The token that the server takes; null when it takes none. */
let good: string | null
let refresh: () => Answer

const core: Handler = ({ path, headers }) => {
  if (path === "/api/v1/auth/refresh") return refresh()
  if (path === "/api/v1/auth/logout") return { status: 204 }
  if (path === "/api/v1/modules") return { body: { items: [], next_cursor: null } }
  if (good === null || headers.authorization !== `Bearer ${good}`) return problem(401, "accounts.unauthenticated")
  return { body: path.startsWith("/api/v1/me") ? ME : { items: [], next_cursor: null } }
}

function memory(): Storage {
  const kept = new Map<string, string>()
  return {
    length: 0,
    clear: () => kept.clear(),
    key: () => null,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  }
}

function tab(browser: Partial<Parameters<typeof createApi>[0]["browser"]> = {}): Api {
  return createApi({
    baseUrl: server.url,
    locale: () => "ru",
    transport: { timeout: 500, backoff: 5 },
    browser: { memory: memory(), ...browser },
  })
}

const refreshes = () => server.count("POST", "/api/v1/auth/refresh")
const me = (asked: Api = api) => read(asked.client.GET("/api/v1/me"))

beforeEach(async () => {
  good = "second"
  refresh = () => ({ body: { access_token: "second", expires_in: 600 } })
  server = await startServer(core)
  api = tab()
})
afterEach(() => server.close())

describe("an access token that has run out", () => {
  test("is renewed once for all calls that meet it, and they are made again", async () => {
    api.session.accept({ access_token: "first", expires_in: 600 })
    const answers = await Promise.all([me(), me(), me(), me(), me()])
    expect(answers.map(({ phone }) => phone)).toEqual(Array(5).fill(ME.phone))
    expect(refreshes()).toBe(1)
  })

  test("is renewed before it is sent when its time is known to be up", async () => {
    api.session.accept({ access_token: "first", expires_in: 1 })
    await me()
    expect(refreshes()).toBe(1)
    expect(server.received.map(({ headers }) => headers.authorization)).not.toContain("Bearer first")
  })

  test("ends the session when it cannot be renewed", async () => {
    good = null
    refresh = () => problem(401, "accounts.refresh_invalid")
    api.session.accept({ access_token: "first", expires_in: 600 })
    await expect(me()).rejects.toMatchObject({ status: 401, code: "accounts.unauthenticated" })
    expect(api.session.status).toBe("expired")
  })

  test("does not end the session while the core is away", async () => {
    refresh = () => ({ status: 503 })
    api.session.accept({ access_token: "first", expires_in: 600 })
    await expect(me()).rejects.toBeInstanceOf(ApiError)
    expect(api.session.status).toBe("active")
  })

  test("is tried twice at most: a core that refuses every token is not asked for ever", async () => {
    good = null
    api.session.accept({ access_token: "first", expires_in: 600 })
    await expect(me()).rejects.toMatchObject({ status: 401 })
    expect(server.count("GET", "/api/v1/me")).toBe(2)
  })
})

describe("two tabs", () => {
  let queue = Promise.resolve()
  const locks = {
    request: (_name: string, work: () => Promise<boolean>) => {
      const turn = queue.then(work)
      queue = turn.then(
        () => undefined,
        () => undefined,
      )
      return turn
    },
  } as unknown as LockManager
  const channels: BroadcastChannel[] = []
  const channel = () => {
    const opened = new BroadcastChannel("test.session")
    channels.push(opened)
    return opened
  }
  afterEach(() => {
    for (const opened of channels.splice(0)) opened.close()
  })

  test("renew one after the other, and the second takes what the first was given", async () => {
    const [one, two] = [tab({ locks, channel: channel() }), tab({ locks, channel: channel() })]
    one.session.accept({ access_token: "first", expires_in: 600 })
    await expect.poll(() => two.session.status).toBe("active")
    await Promise.all([me(one), me(two)])
    expect(refreshes()).toBe(1)
  })

  test("sign out together", async () => {
    const [one, two] = [tab({ channel: channel() }), tab({ channel: channel() })]
    one.session.accept({ access_token: "second", expires_in: 600 })
    await expect.poll(() => two.session.status).toBe("active")
    await one.session.signOut()
    await expect.poll(() => two.session.status).toBe("anonymous")
  })
})

describe("signing out", () => {
  test("tells the core which session ends", async () => {
    api.session.accept({ access_token: "second", expires_in: 600 })
    await api.session.signOut()
    expect(server.received[0]).toMatchObject({ path: "/api/v1/auth/logout", headers: { authorization: "Bearer second" } })
    expect(api.session.status).toBe("anonymous")
  })

  test("is not pretended while the core cannot be reached", async () => {
    api.session.accept({ access_token: "second", expires_in: 600 })
    await server.close()
    await expect(api.session.signOut()).rejects.toBeInstanceOf(ConnectionLost)
    expect(api.session.status).toBe("active")
  })
})

describe("the tenant", () => {
  test("that was chosen goes with calls about tenants, and with no other", async () => {
    api.session.accept({ access_token: "second", expires_in: 600 })
    api.tenant.choose(TENANT)
    await read(api.client.GET("/api/v1/installations"))
    await me()
    await read(api.client.GET("/api/v1/modules"))
    expect(server.received.map(({ headers }) => headers["x-tenant-id"])).toEqual([TENANT, undefined, undefined])
  })

  test("is a UUID or nothing", async () => {
    const store = memory()
    store.setItem("tochka.tenant", "1 OR 1=1\r\nX-Evil: yes")
    const odd = tab({ memory: store })
    odd.session.accept({ access_token: "second", expires_in: 600 })
    await read(odd.client.GET("/api/v1/installations"))
    expect(server.received[0]?.headers["x-tenant-id"]).toBeUndefined()
    expect(() => odd.tenant.choose("not-a-uuid")).toThrow(TypeError)
  })
})

describe("a refusal", () => {
  test("brings its code, its fields, its number and what else it has to say", async () => {
    refresh = () => problem(503, "slice.fact", { errors: [{ field: "a", message: "b" }, "odd"], tries_left: 3 })
    const error = await api.session.refresh().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      status: 503,
      code: "slice.fact",
      detail: "In English.",
      requestId: "req-1",
      fields: [{ field: "a", message: "b" }],
      extra: { tries_left: 3 },
    })
  })

  test("that is no problem document still has a code", async () => {
    refresh = () => ({ status: 500, headers: { "Content-Type": "text/html" }, body: "<h1>Bad gateway</h1>" })
    await expect(api.session.refresh()).rejects.toMatchObject({ code: "http.500", status: 500 })
  })
})

test("every call says which language the person reads", async () => {
  await read(api.client.GET("/api/v1/modules"))
  expect(server.received[0]?.headers["accept-language"]).toBe("ru")
})
