/**
 * Signed statements of the platform: compact JWS, Ed25519, told apart by `typ`.
 *
 * A token of one `typ` is never accepted as another, and no algorithm but Ed25519, by either of its names.
 */
import { fromBase64Url, toBytes } from "./encoding.ts"
import { TochkaError } from "./errors.ts"
import { isObject } from "./schema.ts"

const NAMES: readonly unknown[] = ["EdDSA", "Ed25519"]

/** 401: the token is not what it claims to be. */
export class TokenInvalid extends TochkaError {
  constructor(detail = "The token is not valid.", code = "tokens.invalid") {
    super(401, code, detail)
  }
}

/** 401: signed with a key that is not among the known ones; fetching the keys anew may help. */
export class UnknownKey extends TokenInvalid {
  constructor() {
    super("The token is signed with an unknown key.", "tokens.unknown_key")
  }
}

/** What a token must be. */
export interface Expected {
  /** Its kind, like "license+jwt". */
  readonly typ: string
  /** Who signed it: the platform's name in tokens. */
  readonly issuer: string
  /** For whom: a module's id. */
  readonly audience: string
}

/**
 * The claims of a token whose signature, `typ`, `iss` and `aud` hold. Times are the caller's to check.
 *
 * @param keys the members of `keys` in a `jwks.json`; those of other kinds are passed over.
 * @throws {UnknownKey} no key has the token's `kid`.
 * @throws {TokenInvalid} anything else is wrong with it.
 */
export async function readToken(token: string, keys: readonly unknown[], { typ, issuer, audience }: Expected): Promise<Record<string, unknown>> {
  const [head = "", body = "", tail = "", ...rest] = token.split(".")
  const header = objectIn(head)
  const claims = objectIn(body)
  const signature = fromBase64Url(tail)
  if (!header || !claims || !signature || rest.length > 0) throw new TokenInvalid()
  if (!NAMES.includes(header.alg) || typeof header.kid !== "string" || "crit" in header) throw new TokenInvalid()
  const key = await keyOf(header.kid, keys)
  if (!(await crypto.subtle.verify("Ed25519", key, signature, toBytes(`${head}.${body}`)))) throw new TokenInvalid()
  if (header.typ !== typ) throw new TokenInvalid("The token is of another kind.")
  const isForUs = claims.aud === audience || (Array.isArray(claims.aud) && claims.aud.includes(audience))
  if (claims.iss !== issuer || !isForUs) throw new TokenInvalid("The token is meant for somebody else.")
  return claims
}

async function keyOf(kid: string, keys: readonly unknown[]): Promise<CryptoKey> {
  const jwk = keys.find((one) => isObject(one) && one.kty === "OKP" && one.crv === "Ed25519" && one.kid === kid)
  if (!isObject(jwk)) throw new UnknownKey()
  const raw = typeof jwk.x === "string" ? fromBase64Url(jwk.x) : null
  if (raw?.length !== 32) throw new TokenInvalid("The key is not valid.")
  return crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"])
}

function objectIn(part: string): Record<string, unknown> | null {
  const bytes = fromBase64Url(part)
  if (!bytes) return null
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
    return isObject(value) ? value : null
  } catch {
    return null
  }
}
