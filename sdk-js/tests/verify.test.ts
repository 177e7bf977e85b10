/** An event in a genuine request is checked for form and for whom it is, and typed by its type. */
import assert from "node:assert/strict"
import { test } from "node:test"

import { isEvent, parse } from "../src/envelope.ts"
import type { Envelope } from "../src/envelope.ts"
import { EventInvalid, MisdirectedEvent } from "../src/errors.ts"
import { sign } from "../src/signatures.ts"
import { verify } from "../src/verify.ts"
import { eventJson, failure, INSTALLATION, PRIVATE, PUBLIC, RECEIVER, TENANT, unix } from "./platform.ts"

async function received(event: Record<string, unknown>, id = String(event.id)): Promise<Envelope> {
  const body = JSON.stringify(event)
  return verify(body, await sign(id, unix(), body, [PRIVATE]), [PUBLIC], { receiver: RECEIVER })
}

function invalid(event: unknown): string[] {
  try {
    parse(typeof event === "string" ? event : JSON.stringify(event))
  } catch (error) {
    assert.ok(error instanceof EventInvalid, String(error))
    assert.deepEqual([error.status, error.code], [400, "events.invalid"])
    return error.errors.map((one) => one.field)
  }
  throw new Error("it was expected to be refused")
}

test("an event of a known type has typed data, with defaults for what was left out", async () => {
  const envelope = await received(eventJson("domain.added", 7, { host: "a.example", url: "https://a.example", later: 1 }))
  assert.ok(isEvent(envelope, "domain.added"))
  assert.deepEqual([envelope.data.host, envelope.data.primary], ["a.example", false])
  assert.deepEqual([envelope.sequence, envelope.tenant_id, envelope.installation_id], [7, TENANT, INSTALLATION])
})

test("a type that is not known yet is an event all the same, and so are members", async () => {
  const envelope = await received(eventJson("moon.risen", 1, { phase: "full" }, { installation_id: undefined, brightness: 3 }))
  assert.deepEqual([envelope.type, envelope.data, envelope.installation_id], ["moon.risen", { phase: "full" }, null])
})

test("a copy for somebody else, or for nobody, is refused", async () => {
  for (const receiver of ["shop", "", undefined, null]) {
    const error = await failure(received(eventJson("ping", 1, {}, { receiver })))
    assert.ok(error instanceof MisdirectedEvent)
    assert.deepEqual([error.status, error.code], [422, "events.misdirected"])
  }
})

test("the headers' id must be the event's", async () => {
  assert.ok((await failure(received(eventJson("ping", 1), "another"))) instanceof EventInvalid)
})

test("what is no event is refused by field", () => {
  assert.deepEqual(invalid("{"), [])
  assert.deepEqual(invalid("\ufeff{}"), [])
  assert.deepEqual(invalid("[]"), [""])
  assert.deepEqual(invalid({}), ["id", "type", "timestamp", "sequence", "tenant_id", "data"])
  assert.deepEqual(invalid(eventJson("Ping!", 1)), ["type"])
  assert.deepEqual(invalid(eventJson("ping", 0)), ["sequence"])
  assert.deepEqual(invalid(eventJson("ping", 1.5)), ["sequence"])
  assert.deepEqual(invalid(eventJson("ping", 2 ** 53)), ["sequence"])
  assert.deepEqual(invalid(eventJson("ping", 1, {}, { timestamp: "2026-11-26T10:00:00" })), ["timestamp"])
  assert.deepEqual(invalid(eventJson("ping", 1, {}, { tenant_id: "me", schema_version: 0 })), ["schema_version", "tenant_id"])
  assert.deepEqual(invalid(eventJson("license.updated", 1)), ["data.license"])
  assert.deepEqual(invalid(eventJson("license.updated", 1, { license: 1 })), ["data.license"])
  assert.deepEqual(invalid(eventJson("license.updated", 1, { license: "x" }, { installation_id: null })), ["installation_id"])
  assert.deepEqual(invalid(eventJson("constructor", 1, {}, { data: 1 })), ["data"])
  assert.deepEqual(invalid('{"id": "\\u0000"}'), [])
  assert.ok(parse(JSON.stringify(eventJson("constructor", 1))))
})
