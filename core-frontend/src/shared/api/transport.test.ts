// @vitest-environment node
import { afterEach, beforeEach, describe, expect, test } from "vitest"

import { ConnectionLost, TimedOut } from "@/shared/api/errors"
import { createTransport } from "@/shared/api/transport"
import { type Answer, type Received, startServer, type TestServer } from "@tests/server"

let server: TestServer
let answers: ((request: Received) => Answer | undefined)[] = []

beforeEach(async () => {
  answers = []
  server = await startServer((request) => (answers.shift() ?? (() => ({ body: "fine" })))(request))
})
afterEach(() => server.close())

const send = createTransport({ timeout: 200, backoff: 5 })
const get = () => send(new Request(server.url))
const busy = () => ({ status: 503 })
const silent = () => undefined

describe("a repeat that is safe", () => {
  test("is made when the server is away for a moment", async () => {
    answers = [busy, () => ({ status: 502 })]
    expect((await get()).status).toBe(200)
    expect(server.received).toHaveLength(3)
  })

  test("is made when no answer comes in time", async () => {
    answers = [silent]
    expect((await get()).status).toBe(200)
    expect(server.received).toHaveLength(2)
  })

  test("is given up after three tries, with the last answer", async () => {
    answers = [busy, busy, busy, busy]
    expect((await get()).status).toBe(503)
    expect(server.received).toHaveLength(3)
  })

  test("of a POST carries the same key and body", async () => {
    answers = [busy]
    const init = { method: "POST", body: JSON.stringify({ a: 1 }), headers: { "Idempotency-Key": "k1" } }
    expect((await send(new Request(server.url, init))).status).toBe(200)
    expect(server.received.map(({ headers, body }) => [headers["idempotency-key"], body])).toEqual([
      ["k1", { a: 1 }],
      ["k1", { a: 1 }],
    ])
  })

  test("waits as long as the server asks, when that is short", async () => {
    answers = [() => ({ status: 429, headers: { "Retry-After": "0.05" } })]
    const started = performance.now()
    expect((await get()).status).toBe(200)
    expect(performance.now() - started).toBeGreaterThanOrEqual(49)
  })
})

describe("no repeat is made", () => {
  test("of a POST without a key", async () => {
    answers = [busy]
    expect((await send(new Request(server.url, { method: "POST", body: "{}" }))).status).toBe(503)
    expect(server.received).toHaveLength(1)
  })

  test.each([400, 401, 404, 409, 422, 500])("after a %i", async (status) => {
    answers = [() => ({ status })]
    expect((await get()).status).toBe(status)
    expect(server.received).toHaveLength(1)
  })

  test("when the server asks for more patience than a person has", async () => {
    answers = [() => ({ status: 429, headers: { "Retry-After": "60" } })]
    expect((await get()).status).toBe(429)
    expect(server.received).toHaveLength(1)
  })

  test("once the caller has turned away", async () => {
    answers = [silent]
    const control = new AbortController()
    const call = send(new Request(server.url, { signal: control.signal }))
    control.abort()
    await expect(call).rejects.toThrow(/abort/i)
  })
})

test("silence is named as such", async () => {
  answers = [silent]
  await expect(send(new Request(server.url, { method: "POST" }))).rejects.toBeInstanceOf(TimedOut)
})

test("a server that is not there is named as such", async () => {
  await server.close()
  await expect(get()).rejects.toBeInstanceOf(ConnectionLost)
})
