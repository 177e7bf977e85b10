/** The door answers as the platform expects, also through Node's server. */
import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer, request as httpRequest } from "node:http"
import type { AddressInfo } from "node:net"
import { test } from "node:test"

import { Door, MAX_BODY } from "../src/door.ts"
import { Refusal } from "../src/errors.ts"
import { ACCEPTED, Inbox } from "../src/inbox.ts"
import { MemoryStore } from "../src/memory.ts"
import { nodeListener } from "../src/node.ts"
import { sign } from "../src/signatures.ts"
import { eventJson, PRIVATE, PUBLIC, RECEIVER, request, SECRET, unix } from "./platform.ts"

const REQUESTED = { module: "guestbook", host: "a.localhost", url: "http://a.localhost", tenant_name: "Лавка", plan: "start", license: "x", deadline: "2026-11-26T10:00:00Z" }

function opened(): { door: Door<unknown>; errors: unknown[]; heard: string[] } {
  const errors: unknown[] = []
  const heard: string[] = []
  const inbox = new Inbox({
    receiver: RECEIVER,
    store: new MemoryStore(),
    handlers: {
      "installation.requested": () => Promise.resolve<typeof ACCEPTED>(ACCEPTED),
      "installation.removed": (): Promise<void> => Promise.reject(new Refusal(422, "guestbook.kept", "It stays.")),
      "domain.added": (): Promise<void> => Promise.reject(new Error("a secret of the database")),
    },
  })
  const door = new Door({ inbox, keys: [PUBLIC], onError: (error) => errors.push(error), onEvent: (event, { word }) => heard.push(`${event.type} ${word}`) })
  return { door: door as Door<unknown>, errors, heard }
}

async function answered(door: Door<unknown>, asked: Request | Promise<Request>): Promise<[number, unknown]> {
  const response = await door.handle(await asked)
  assert.equal(response.headers.get("cache-control"), "no-store")
  const body = (await response.json()) as { status?: unknown; code?: unknown }
  assert.equal(response.headers.get("content-type"), body.code ? "application/problem+json" : "application/json")
  return [response.status, body.code ?? body.status]
}

test("done, repeated, accepted, ignored", async () => {
  const { door, heard } = opened()
  const ping = eventJson("ping", 1, {}, { installation_id: null })
  assert.deepEqual(await answered(door, request(ping)), [200, "ignored"])
  assert.deepEqual(await answered(door, request(ping)), [200, "duplicate"])
  const requested = eventJson("installation.requested", 2, REQUESTED)
  assert.deepEqual(await answered(door, request(requested)), [202, "accepted"])
  assert.deepEqual(await answered(door, request(requested)), [202, "duplicate"])
  assert.deepEqual(heard, ["ping ignored", "ping duplicate", "installation.requested accepted", "installation.requested duplicate"])
})

test("a handler's final no is a problem with its code, and stays one", async () => {
  const { door } = opened()
  const removed = eventJson("installation.removed", 1)
  const response = await door.handle(await request(removed))
  const body = { type: "urn:tochka:problem:guestbook.kept", title: "Unprocessable Content", status: 422, detail: "It stays.", code: "guestbook.kept" }
  assert.deepEqual(await response.json(), body)
  assert.deepEqual(await answered(door, request(removed)), [422, "events.refused_before"])
})

test("what a handler throws is an empty 500, told to the module alone", async () => {
  const { door, errors } = opened()
  const response = await door.handle(await request(eventJson("domain.added", 1, { host: "a", url: "b" })))
  assert.equal(response.status, 500)
  assert.ok(!(await response.text()).includes("secret"))
  assert.match(String(errors[0]), /a secret of the database/)
})

test("what is not proven, not an event, not ours, too large, no POST", async () => {
  const { door } = opened()
  assert.deepEqual(await answered(door, request(eventJson("ping", 1), [SECRET])), [401, "webhooks.signature_invalid"])
  assert.deepEqual(await answered(door, new Request("http://a/", { method: "POST" })), [401, "webhooks.signature_invalid"])
  assert.deepEqual(await answered(door, request({ id: "x" })), [400, "events.invalid"])
  assert.deepEqual(await answered(door, request(eventJson("ping", 1, {}, { receiver: "shop" }))), [422, "events.misdirected"])
  assert.deepEqual(await answered(door, request(eventJson("ping", 1, { text: "x".repeat(MAX_BODY) }))), [413, "request.too_large"])
  assert.deepEqual(await answered(door, new Request("http://a/")), [405, "request.method_not_allowed"])
})

test("behind Node's server, where a header that stands there twice proves nothing", async () => {
  const { door } = opened()
  const server = createServer(nodeListener(door.handle)).listen(0, "127.0.0.1")
  await once(server, "listening")
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/_tochka/webhooks`
  const event = eventJson("ping", 1, {}, { installation_id: null })
  const body = JSON.stringify(event)
  const headers = await sign(String(event.id), unix(), body, [PRIVATE])
  const answer = await fetch(url, { method: "POST", body, headers })
  assert.deepEqual([answer.status, await answer.json()], [200, { status: "ignored" }])
  const twice = httpRequest(url, { method: "POST", headers: { ...headers, "webhook-id": [String(event.id), String(event.id)] } })
  const [response] = (await once(twice.end(body), "response")) as [{ statusCode: number; resume(): void }]
  response.resume()
  assert.equal(response.statusCode, 401)
  const head = await fetch(url, { method: "HEAD" })
  assert.equal(head.status, 405)
  server.close()
  server.closeAllConnections()
})
