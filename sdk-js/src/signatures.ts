/**
 * Standard Webhooks 1.0: signing and verifying, `v1` (HMAC-SHA256) and `v1a` (Ed25519).
 *
 * Signed content is `{webhook-id}.{webhook-timestamp}.{raw body}`; `webhook-signature` is a space-separated list of
 * `version,base64`. Keys: `whsec_` and the base64 of 24 to 64 secret bytes; `whsk_` and that of an Ed25519 private
 * key (seed and public half, or the seed alone); `whpk_` and that of the 32 public bytes.
 *
 * Everything that arrives is untrusted: `verifySignature` answers whatever is malformed with `SignatureInvalid` and
 * throws nothing else, unlike the published libraries.
 */
import { fromBase64, joined, toBase64, toBytes } from "./encoding.ts"
import type { Bytes } from "./encoding.ts"
import { SignatureInvalid } from "./errors.ts"

/** How far a timestamp may be from the present, in seconds, either way. */
export const TOLERANCE_S = 300

const MAX_SIGNATURES = 16
const MAX_HEADER = 4096
const MAX_ID = 256
const SEED = 32
const MAX_KNOWN_KEYS = 256
const PKCS8 = Uint8Array.from([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20])
const HMAC = { name: "HMAC", hash: "SHA-256" }

/** Headers as `fetch`, Node.js and frameworks have them. */
export type HeadersLike = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

/** The raw body of a request, as it came. */
export type Body = string | ArrayBuffer | Uint8Array

/** How a request is verified. */
export interface SignatureOptions {
  /** Seconds that the timestamp may be off, both ways; 300 unless told. */
  readonly tolerance?: number
  /** The present; the clock unless told. */
  readonly now?: Date
}

/**
 * Accept the request or throw `SignatureInvalid`, and nothing else ever.
 *
 * One matching signature is enough: `v1a` against any `whpk_` key, `v1` against any `whsec_` secret. A key that is not
 * well-formed matches nothing. Answers the `webhook-id`.
 */
export async function verifySignature(body: Body, headers: HeadersLike, keys: readonly string[], options: SignatureOptions = {}): Promise<string> {
  const id = header(headers, "webhook-id")
  const timestamp = header(headers, "webhook-timestamp")
  const signatures = header(headers, "webhook-signature")
  if (!id || !timestamp || !signatures) throw new SignatureInvalid("The request carries no webhook signature.")
  if (!isId(id) || signatures.length > MAX_HEADER) throw new SignatureInvalid("The webhook headers are malformed.")
  checkTimestamp(timestamp, options)
  const content = contentOf(id, timestamp, body)
  for (const [version, signature] of entries(signatures)) {
    for (const key of keys) {
      if (await matches(version, key, signature, content)) return id
    }
  }
  throw new SignatureInvalid("No signature of the request matches a known key.")
}

/**
 * The three headers for one attempt, signed with every key: `v1` for `whsec_`, `v1a` for `whsk_`.
 *
 * Receivers need it for their tests. `timestamp` is in unix seconds. Throws `TypeError` when the id, the timestamp or a
 * key is not well-formed, or there is no key at all.
 */
export async function sign(id: string, timestamp: number, body: Body, keys: readonly string[]): Promise<Record<string, string>> {
  if (!isId(id)) throw new TypeError("a webhook id is 1-256 visible ASCII characters without '.'")
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) throw new TypeError("a timestamp is a count of unix seconds")
  if (keys.length === 0) throw new TypeError("nothing to sign with: give a secret, a private key, or both")
  const content = contentOf(id, String(timestamp), body)
  const made = await Promise.all(keys.map((key) => entryOf(key, content)))
  return { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": made.join(" ") }
}

/** A fresh Ed25519 pair, `whsk_…` and `whpk_…`. */
export async function generateKeypair(): Promise<{ privateKey: string; publicKey: string }> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])
  const seed = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)).slice(PKCS8.length)
  const open = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey))
  return { privateKey: `whsk_${toBase64(joined(seed, open))}`, publicKey: `whpk_${toBase64(open)}` }
}

function header(headers: HeadersLike, name: string): string {
  if (headers instanceof Headers) return headers.get(name) ?? ""
  const found = Object.entries(headers).filter(([key]) => key.toLowerCase() === name)
  const value = found.length === 1 ? found[0]?.[1] : undefined
  return typeof value === "string" ? value : ""
}

function isId(id: string): boolean {
  return id.length <= MAX_ID && /^[!-~]+$/.test(id) && !id.includes(".")
}

function checkTimestamp(text: string, { tolerance = TOLERANCE_S, now = new Date() }: SignatureOptions): void {
  if (!/^[0-9]{1,12}$/.test(text)) throw new SignatureInvalid("The webhook timestamp is malformed.")
  if (!(Math.abs(now.getTime() / 1000 - Number(text)) <= tolerance)) {
    throw new SignatureInvalid("The webhook timestamp is too far from the present.")
  }
}

/** The body as bytes. */
export function bytesOf(body: Body): Uint8Array {
  if (typeof body === "string") return toBytes(body)
  return body instanceof Uint8Array ? body : new Uint8Array(body)
}

function contentOf(id: string, timestamp: string, body: Body): Bytes {
  return joined(toBytes(`${id}.${timestamp}.`), bytesOf(body))
}

/** The well-formed entries; others, also those of versions to come, are passed over. */
function entries(text: string): [version: string, signature: Bytes][] {
  return text.split(" ", MAX_SIGNATURES).flatMap((entry): [string, Bytes][] => {
    const comma = entry.indexOf(",")
    const signature = comma < 0 ? null : fromBase64(entry.slice(comma + 1))
    return signature && signature.length > 0 ? [[entry.slice(0, comma), signature]] : []
  })
}

async function matches(version: string, key: string, signature: Bytes, content: Bytes): Promise<boolean> {
  if (version === "v1a" && key.startsWith("whpk_")) {
    const open = await imported(key)
    return open !== null && crypto.subtle.verify("Ed25519", open, signature, content)
  }
  if (version === "v1" && key.startsWith("whsec_")) {
    const secret = await imported(key)
    return secret !== null && crypto.subtle.verify(HMAC, secret, signature, content)
  }
  return false
}

async function entryOf(key: string, content: Bytes): Promise<string> {
  const signing = await imported(key)
  if (signing === null || key.startsWith("whpk_")) throw new TypeError("not a whsec_ or whsk_ key")
  const [version, algorithm] = key.startsWith("whsec_") ? (["v1", HMAC] as const) : (["v1a", "Ed25519"] as const)
  return `${version},${toBase64(new Uint8Array(await crypto.subtle.sign(algorithm, signing, content)))}`
}

const known = new Map<string, Promise<CryptoKey | null>>()

/** A key ready for use, worked out once; null when it is none. */
function imported(key: string): Promise<CryptoKey | null> {
  let found = known.get(key)
  if (!found) {
    if (known.size >= MAX_KNOWN_KEYS) known.clear()
    found = importKey(key).catch(() => null)
    known.set(key, found)
  }
  return found
}

async function importKey(key: string): Promise<CryptoKey | null> {
  const [prefix = "", text = ""] = key.split("_", 2)
  const raw = fromBase64(text)
  if (raw === null || key !== `${prefix}_${text}`) return null
  switch (prefix) {
    case "whsec":
      return raw.length >= 24 && raw.length <= 64 ? crypto.subtle.importKey("raw", raw, HMAC, false, ["sign", "verify"]) : null
    case "whpk":
      return raw.length === SEED ? crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]) : null
    case "whsk":
      return raw.length === SEED || raw.length === 2 * SEED
        ? crypto.subtle.importKey("pkcs8", joined(PKCS8, raw.subarray(0, SEED)), "Ed25519", false, ["sign"])
        : null
    default:
      return null
  }
}
