/** Standard Webhooks: what the published library makes we accept, what we make it accepts, garbage is a clean 401. */
import assert from "node:assert/strict"
import { test } from "node:test"

import { Webhook } from "standardwebhooks"
import { Webhook as SvixWebhook } from "svix"

import { SignatureInvalid } from "../src/errors.ts"
import { generateKeypair, sign, verifySignature } from "../src/signatures.ts"
import type { HeadersLike, SignatureOptions } from "../src/signatures.ts"
import { failure, PRIVATE, PUBLIC, SECRET, unix } from "./platform.ts"

const MOMENT = 1_700_000_000
const NOW = new Date(MOMENT * 1000)
const BODY = JSON.stringify({ тип: "ping" })
const GOOD = await sign("evt_1", MOMENT, BODY, [SECRET, PRIVATE])
const SIGNATURES = GOOD["webhook-signature"] ?? ""

async function isRefused(headers: HeadersLike, options: SignatureOptions & { body?: string | Uint8Array; keys?: string[] } = {}): Promise<boolean> {
  const { body = BODY, keys = [PUBLIC, SECRET], ...others } = options
  try {
    await verifySignature(body, headers, keys, { now: NOW, ...others })
  } catch (error) {
    assert.ok(error instanceof SignatureInvalid, String(error))
    assert.deepEqual([error.status, error.code], [401, "webhooks.signature_invalid"])
    return true
  }
  return false
}

test("the published library verifies what we sign", async () => {
  const headers = await sign("evt_1", unix(), BODY, [SECRET, PRIVATE])
  assert.deepEqual(new Webhook(SECRET).verify(BODY, headers), { тип: "ping" })
  new SvixWebhook(SECRET).verify(BODY, headers)
})

test("we verify what the published library signs", async () => {
  const signature = new Webhook(SECRET).sign("evt_1", NOW, BODY)
  assert.equal(await isRefused({ "Webhook-Id": "evt_1", "Webhook-Timestamp": String(MOMENT), "Webhook-Signature": signature }), false)
})

test("the known vector of the published examples", async () => {
  const headers = await sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}', [SECRET])
  assert.equal(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
})

test("either signature is enough, by whatever kind of headers", async () => {
  for (const keys of [[PUBLIC], [SECRET], ["whpk_nonsense", PUBLIC]]) assert.equal(await isRefused(GOOD, { keys }), false)
  assert.equal(await isRefused(new Headers(GOOD)), false)
  assert.equal(await isRefused({ ...GOOD, "webhook-signature": `v9,AAAA ?? ${SIGNATURES}` }), false)
  assert.equal(await isRefused(GOOD, { body: new TextEncoder().encode(BODY) }), false)
})

test("during a rotation the old and the new key both work", async () => {
  const fresh = await generateKeypair()
  const headers = await sign("evt_1", MOMENT, BODY, [fresh.privateKey, PRIVATE])
  for (const key of [PUBLIC, fresh.publicKey]) assert.equal(await isRefused(headers, { keys: [key] }), false)
})

const CHANGES: Record<string, Record<string, string | string[] | undefined>> = {
  "no id": { "webhook-id": undefined },
  "an empty id": { "webhook-id": "" },
  "an id with a dot": { "webhook-id": "evt.1" },
  "an id with a space": { "webhook-id": "evt 1" },
  "an id that is not ASCII": { "webhook-id": "событие" },
  "another id": { "webhook-id": "evt_2" },
  "a very long id": { "webhook-id": "x".repeat(300) },
  "two ids": { "webhook-id": ["evt_1", "evt_1"] },
  "one id in two spellings": { "Webhook-Id": "evt_1" },
  "no timestamp": { "webhook-timestamp": "" },
  "a timestamp with a fraction": { "webhook-timestamp": "1700000000.0" },
  "a timestamp with spaces": { "webhook-timestamp": " 1700000000" },
  "a timestamp in Arabic digits": { "webhook-timestamp": "١٧٠٠٠٠٠٠٠٠" },
  "a timestamp that is no number": { "webhook-timestamp": "NaN" },
  "a timestamp beyond all years": { "webhook-timestamp": "9".repeat(13) },
  "another timestamp": { "webhook-timestamp": "1700000001" },
  "no signature": { "webhook-signature": "" },
  "a bare signature": { "webhook-signature": "AAAA" },
  "three parts": { "webhook-signature": "v1,AAAA,AAAA" },
  "bad base64": { "webhook-signature": "v1,@@@@ v1a,@@@@" },
  "bad padding": { "webhook-signature": "v1,A v1a,A" },
  "not ASCII": { "webhook-signature": "v1,ы" },
  "empty signatures": { "webhook-signature": "v1, v1a," },
  "the signatures exchanged": { "webhook-signature": SIGNATURES.replace("v1a,", "v0,").replace("v1,", "v1a,") },
  "too many before the good one": { "webhook-signature": `${"v1,AAAA ".repeat(40)}${SIGNATURES}` },
  "an endless header": { "webhook-signature": `${SIGNATURES} ${"x".repeat(5000)}` },
}

for (const [name, change] of Object.entries(CHANGES)) {
  test(`refused by the one error there is: ${name}`, async () => assert.ok(await isRefused({ ...GOOD, ...change })))
}

test("requests live for five minutes either way", async () => {
  for (const [seconds, refused] of [[299, false], [301, true], [-299, false], [-301, true]] as const) {
    assert.equal(await isRefused(GOOD, { now: new Date((MOMENT + seconds) * 1000) }), refused)
  }
  assert.ok(await isRefused(GOOD, { tolerance: Number.NaN }))
})

test("a changed body is refused", async () => {
  assert.ok(await isRefused(GOOD, { body: `${BODY} ` }))
  assert.ok(await isRefused(GOOD, { body: Uint8Array.of(0xff, 0xfe) }))
})

test("keys that are not keys, or of another kind, match nothing", async () => {
  const other = await generateKeypair()
  const wrong = ["", "whpk_", "whpk_AAAA", "whsec_AAAA", "whsk_AAAA", PRIVATE, other.publicKey, PUBLIC.replace("whpk_", "whsec_"), SECRET.replace("whsec_", "whpk_")]
  for (const key of wrong) assert.ok(await isRefused(GOOD, { keys: [key] }), key)
  assert.ok(await isRefused(GOOD, { keys: [] }))
})

test("signing refuses what nobody could verify", async () => {
  for (const [id, timestamp, keys] of [["a.b", 1, [SECRET]], ["", 1, [SECRET]], ["x", -1, [SECRET]], ["x", 1, []], ["x", 1, [PUBLIC]], ["x", 1, ["whsk_AAAA"]]] as const) {
    assert.ok((await failure(sign(id, timestamp, BODY, keys))) instanceof TypeError)
  }
})
