/** A module's calling card: a compact JWS of its own Ed25519 key, whose public half is registered. */
import { fromBase64Url, toBase64Url, toBytes } from "./encoding.ts"

const LIFETIME_S = 60

/** An Ed25519 private key as a JWK: an object, or its JSON. */
export type PrivateJwk = string | { readonly kty?: string; readonly crv?: string; readonly x?: string; readonly d?: string; readonly kid?: string }

/** A private key ready to sign with, and its name. */
export interface SigningKey {
  readonly key: CryptoKey
  readonly kid: string
}

/** The key in a JWK. Throws `TypeError`, which repeats nothing of it, when it is no Ed25519 private key. */
export async function readKey(jwk: PrivateJwk): Promise<SigningKey> {
  try {
    const { kty, crv, x, d, kid } = typeof jwk === "string" ? (JSON.parse(jwk) as Exclude<PrivateJwk, string>) : jwk
    if (kty !== "OKP" || crv !== "Ed25519" || !x || !d || !fromBase64Url(x)) throw new TypeError("another kind")
    const key = await crypto.subtle.importKey("jwk", { kty, crv, x, d }, "Ed25519", false, ["sign"])
    return { key, kid: kid ?? (await thumbprint(x)) }
  } catch {
    throw new TypeError("not an Ed25519 private JWK")
  }
}

/** A token that says for a minute that its bearer is this module. */
export async function callingCard(moduleId: string, issuer: string, { key, kid }: SigningKey, now = new Date()): Promise<string> {
  const moment = Math.floor(now.getTime() / 1000)
  const jti = toBase64Url(crypto.getRandomValues(new Uint8Array(16)))
  const claims = { iss: moduleId, sub: moduleId, aud: issuer, iat: moment, exp: moment + LIFETIME_S, jti }
  const content = `${encoded({ alg: "EdDSA", typ: "module+jwt", kid })}.${encoded(claims)}`
  const signature = await crypto.subtle.sign("Ed25519", key, toBytes(content))
  return `${content}.${toBase64Url(new Uint8Array(signature))}`
}

/** RFC 7638: what a key without a `kid` is called. */
async function thumbprint(x: string): Promise<string> {
  const members = JSON.stringify({ crv: "Ed25519", kty: "OKP", x })
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", toBytes(members))))
}

function encoded(value: object): string {
  return toBase64Url(toBytes(JSON.stringify(value)))
}
