/** Keys and calls, against a server that plays the platform. */
import assert from "node:assert/strict"
import { createPublicKey, generateKeyPairSync, sign as signs, verify as verifies } from "node:crypto"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { after, test } from "node:test"

import { CoreClient } from "../src/core.ts"
import { readEnvelope } from "../src/envelope.ts"
import type { Event } from "../src/envelope.ts"
import { CoreRefused, CoreUnavailable, SignatureInvalid } from "../src/errors.ts"
import { PlatformKeys } from "../src/keys.ts"
import { LicenseInvalid } from "../src/license.ts"
import { TokenInvalid, UnknownKey } from "../src/statements.ts"
import { generateKeypair, sign } from "../src/signatures.ts"
import { eventJson, failure, INSTALLATION, PRIVATE, PUBLIC, RECEIVER, TENANT, unix } from "./platform.ts"

interface Asked {
  readonly path: string
  readonly token: string
  readonly body: string
}

const asked: Asked[] = []
let answers: [status: number, body: unknown][] = []

const server = createServer((req, res) => {
  const chunks: Buffer[] = []
  req.on("data", (chunk: Buffer) => chunks.push(chunk))
  req.on("end", () => {
    asked.push({ path: req.url ?? "", token: req.headers.authorization ?? "", body: Buffer.concat(chunks).toString() })
    const [status, body] = (answers.length > 1 ? answers.shift() : answers[0]) ?? [404, {}]
    res.writeHead(status, { "content-type": "application/json", location: "/elsewhere" }).end(typeof body === "string" ? body : JSON.stringify(body))
  })
}).listen(0, "127.0.0.1")
await once(server, "listening")
after(() => server.close())

const coreUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const pair = generateKeyPairSync("ed25519")
const privateKey = pair.privateKey.export({ format: "jwk" })
const NEXT = await generateKeypair()
const MODULE = { coreUrl: `${coreUrl}/`, issuer: "https://platform.example", moduleId: RECEIVER, privateKey, backoffMs: 1 }

function says(...those: [status: number, body: unknown][]): void {
  asked.length = 0
  answers = those
}

async function arrive(keys: PlatformKeys, privateKey = PRIVATE): Promise<number> {
  const event = eventJson("ping", 1, {}, { installation_id: null })
  const body = JSON.stringify(event)
  return (await keys.verify(body, await sign(String(event.id), unix(), body, [privateKey]), { receiver: RECEIVER })).sequence
}

test("keys are fetched by the first use, wherever they stand, and then kept", async () => {
  for (const jwks of [{ keys: [], tochka_whpk: [PUBLIC, 1] }, { keys: [null, { kty: "OKP", tochka_whpk: PUBLIC }] }]) {
    says([200, jwks])
    const keys = new PlatformKeys({ coreUrl })
    assert.deepEqual([await arrive(keys), await arrive(keys)], [1, 1])
    assert.deepEqual(asked.map(({ path }) => path), ["/.well-known/jwks.json"])
  }
})

test("a key that is new is fetched once, however many ask, and strangers cause no more fetches", async () => {
  says([200, { keys: [], tochka_whpk: [PUBLIC, NEXT.publicKey] }])
  const keys = new PlatformKeys({ coreUrl, jwks: { keys: [], tochka_whpk: [PUBLIC] } })
  assert.equal(await arrive(keys), 1)
  assert.equal(asked.length, 0)
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => arrive(keys, NEXT.privateKey))), [1, 1, 1])
  const stranger = await generateKeypair()
  for (let time = 0; time < 5; time++) assert.ok((await failure(arrive(keys, stranger.privateKey))) instanceof SignatureInvalid)
  assert.equal(asked.length, 1)
})

test("keys that are old are looked at again, and a withdrawn one is forgotten", async () => {
  says([200, { keys: [], tochka_whpk: [NEXT.publicKey] }])
  const keys = new PlatformKeys({ coreUrl, jwks: { keys: [], tochka_whpk: [PUBLIC] }, maxAgeMs: 0, intervalMs: 0 })
  assert.ok((await failure(arrive(keys))) instanceof SignatureInvalid)
  assert.equal(await arrive(keys, NEXT.privateKey), 1)
})

test("while the platform is away, or answers nonsense, the known keys count on", async () => {
  for (const answer of [[503, {}], [200, "nonsense"], [200, { keys: 1 }], [302, {}]] as const) {
    says([answer[0], answer[1]])
    const keys = new PlatformKeys({ coreUrl, jwks: { keys: [], tochka_whpk: [PUBLIC] }, maxAgeMs: 0, intervalMs: 0, backoffMs: 1 })
    assert.equal(await arrive(keys), 1)
    assert.ok(asked.length > 0)
  }
})

/** A statement of the platform, signed with the key that is `k` in its set. */
function stated(header: object, claims: object): string {
  const content = [{ alg: "EdDSA", kid: "k", typ: "ticket+jwt", ...header }, { iss: coreUrl, aud: RECEIVER, ...claims }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".")
  return `${content}.${signs(null, Buffer.from(content), pair.privateKey).toString("base64url")}`
}

test("a statement whose kid is unknown is read after one fetch, and strangers cause no more", async () => {
  says([200, { keys: [{ kty: "RSA", kid: "k" }, { ...pair.publicKey.export({ format: "jwk" }), kid: "k" }] }])
  const keys = new PlatformKeys({ coreUrl, jwks: { keys: [] } })
  const read = (token: string): Promise<Record<string, unknown>> => keys.readToken(token, "ticket+jwt", RECEIVER)
  assert.equal((await read(stated({}, { jti: "1" }))).jti, "1")
  assert.equal((await read(stated({ alg: "Ed25519" }, { aud: ["other", RECEIVER] }))).iss, coreUrl)
  for (const kid of ["x", "y"]) assert.ok((await failure(read(stated({ kid }, {})))) instanceof UnknownKey)
  assert.equal(asked.length, 1)
  const wrong = [stated({ alg: "none" }, {}), stated({ alg: "HS256" }, {}), stated({ typ: "license+jwt" }, {}), stated({ kid: 1 }, {}), stated({ crit: ["x"] }, {})]
  wrong.push(stated({}, { iss: "https://elsewhere.example" }), stated({}, { aud: "shop" }), "", "..", "a.b.c", `${stated({}, {}).slice(0, -4)}AAAA`)
  for (const token of wrong) assert.ok((await failure(read(token))) instanceof TokenInvalid, token)
})

test("a license whose key is published no more gives way to the newest one", async () => {
  const CLAIMS = { sub: INSTALLATION, tenant_id: TENANT, status: "active", plan: "start", iat: 1000, exp: 3000, grace_until: 4000 }
  const license = (kid: string, claims: object): string => stated({ kid, typ: "license+jwt" }, { ...CLAIMS, access: "full", version: 1, ...claims })
  const jwks = { keys: [{ ...pair.publicKey.export({ format: "jwk" }), kid: "k" }] }
  const carries = (token: string): Event<"license.updated"> => readEnvelope(eventJson("license.updated", 1, { license: token })) as Event<"license.updated">
  const keys = new PlatformKeys({ coreUrl, jwks, intervalMs: 0 })
  const core = new CoreClient({ ...MODULE, attempts: 1 })
  const today = license("k", { access: "limited", version: 2 })
  says([200, { license: today }])
  assert.equal((await keys.licenseOf(carries(license("k", {})), core)).claims.version, 1)
  assert.equal(asked.length, 0)
  says([200, jwks], [200, { license: today }])
  assert.equal((await keys.licenseOf(carries(license("withdrawn", {})), core)).claims.access, "limited")
  assert.deepEqual(asked.map(({ path }) => path), ["/.well-known/jwks.json", `/api/v1/module/licenses/${INSTALLATION}`])
  says([200, jwks], [503, {}])
  assert.ok((await failure(keys.licenseOf(carries(license("withdrawn", {})), core))) instanceof CoreUnavailable)
  for (const change of [{ sub: TENANT }, { tenant_id: INSTALLATION }]) {
    assert.ok((await failure(keys.licenseOf(carries(license("k", change)), core))) instanceof LicenseInvalid)
  }
})

test("a call carries a token of a minute that the module's key has signed", async () => {
  says([200, { items: [eventJson("ping", 4, {}, { installation_id: null }), { no: "event" }], next_cursor: "4", cursor: "4" }])
  const page = await new CoreClient(MODULE).events(3, TENANT)
  assert.deepEqual([page.events.map(({ sequence }) => sequence), page.cursor, page.hasMore], [[4], "4", true])
  assert.equal(asked[0]?.path, `/api/v1/module/events?after=3&tenant_id=${TENANT}`)
  const [head = "", claims = "", signature = ""] = asked[0].token.replace("Bearer ", "").split(".")
  const isSigned = verifies(null, Buffer.from(`${head}.${claims}`), createPublicKey(pair.privateKey), Buffer.from(signature, "base64url"))
  const said = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, unknown>
  assert.ok(isSigned)
  assert.deepEqual([said.iss, said.sub, said.aud, Number(said.exp) - Number(said.iat)], [RECEIVER, RECEIVER, "https://platform.example", 60])
  assert.match(Buffer.from(head, "base64url").toString(), /^\{"alg":"EdDSA","typ":"module\+jwt","kid":"[\w-]{43}"\}$/)
})

test("what may help is tried again, and a final no is final", async () => {
  const core = new CoreClient(MODULE)
  says([503, {}], [429, {}], [200, {}])
  await core.ready("a/b")
  assert.deepEqual(asked.map(({ path }) => path), Array<string>(3).fill("/api/v1/module/installations/a%2Fb/ready"))
  says([409, { detail: "Too late." }])
  const refused = await failure(core.failed("a", "guestbook.full", "No room."))
  assert.ok(refused instanceof CoreRefused)
  assert.deepEqual([refused.message, asked.map(({ body }) => body)], ["Too late.", ['{"code":"guestbook.full","detail":"No room."}']])
  for (const answer of [[500, {}], [404, {}], [302, {}], [200, "{"]] as const) {
    says([answer[0], answer[1]])
    assert.ok((await failure(core.license("a"))) instanceof CoreUnavailable)
  }
  says([200, { license: "token" }])
  assert.equal(await core.license("a"), "token")
})

test("a key that is none is refused without a word of it", async () => {
  for (const wrong of ["secret", "{}", { kty: "OKP", crv: "Ed25519", x: privateKey.x ?? "" }, { kty: "EC" }]) {
    const error = await failure(new CoreClient({ ...MODULE, privateKey: wrong }).license("a"))
    assert.ok(error instanceof TypeError)
    assert.equal(error.message, "not an Ed25519 private JWK")
  }
  says([200, { license: "token" }])
  assert.equal(await new CoreClient({ ...MODULE, privateKey: JSON.stringify(privateKey) }).license("a"), "token")
})
