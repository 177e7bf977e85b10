/** The license: the signed statement that a module acts on, verified offline. */
import { check } from "./schema.ts"
import type { Schema } from "./schema.ts"
import { TokenInvalid } from "./statements.ts"

/** The `typ` of its token. */
export const LICENSE = "license+jwt"

const SECONDS: Schema = { type: "integer", minimum: 0 }
const TEXT: Schema = { type: "string" }
const SCHEMA: Schema = {
  type: "object",
  properties: {
    sub: { type: "string", format: "uuid" },
    tenant_id: { type: "string", format: "uuid" },
    status: TEXT,
    access: { enum: ["full", "limited", "closed"] },
    plan: TEXT,
    entitlements: {
      type: "object",
      additionalProperties: { anyOf: [{ type: "boolean" }, { type: "number" }, { type: "string" }, { type: "null" }] },
      default: {},
    },
    version: SECONDS,
    iat: SECONDS,
    exp: SECONDS,
    grace_until: SECONDS,
  },
  required: ["sub", "tenant_id", "status", "access", "plan", "version", "iat", "exp", "grace_until"],
}

/** What a program acts on: `limited` means sell on, but let nothing new be made. */
export type Access = "full" | "limited" | "closed"

interface Claims {
  readonly sub: string
  readonly tenant_id: string
  readonly status: string
  readonly access: Access
  readonly plan: string
  readonly entitlements: Readonly<Record<string, boolean | number | string | null>>
  readonly version: number
  readonly iat: number
  readonly exp: number
  readonly grace_until: number
}

/** 401: the token is not a license for this module. */
export class LicenseInvalid extends TokenInvalid {
  constructor() {
    super("The license is not valid for this module.", "license.invalid")
  }
}

/** What a license says, read against the clock at every question. */
export class License {
  /** The token's own words; times are unix seconds. */
  readonly claims: Claims

  /** Throws `LicenseInvalid` when the claims are not those of a license. */
  constructor(claims: Readonly<Record<string, unknown>>) {
    const { value, errors } = check(SCHEMA, claims)
    this.claims = value as Claims
    const { iat, exp, grace_until: end } = this.claims
    if (errors.length > 0 || !(iat <= exp && exp <= end)) throw new LicenseInvalid()
  }

  /** The installation that it is for. */
  get installationId(): string {
    return this.claims.sub
  }

  /** When to ask the platform for a newer one (`CoreClient.license`): at half its life. */
  get refreshAt(): Date {
    return new Date(((this.claims.iat + this.claims.exp) / 2) * 1000)
  }

  /** What is allowed: `access` until the grace ends, `closed` after. */
  access(now = new Date()): Access {
    return now.getTime() / 1000 < this.claims.grace_until ? this.claims.access : "closed"
  }

  /** Whether a feature is bought and the installation not closed; null is «without limit», so yes. */
  allows(key: string, now = new Date()): boolean {
    const value = this.#entitlement(key, now)
    return value === null || Boolean(value)
  }

  /** How much is bought: a number, null for «no limit», 0 when closed or not bought. */
  limit(key: string, now = new Date()): number | null {
    const value = this.#entitlement(key, now)
    if (value === null || value === true) return null
    return typeof value === "number" ? value : 0
  }

  /** Whether it takes the place of one that is held: a lower version never does. */
  isNewerThan({ claims: held }: License): boolean {
    const { version, iat } = this.claims
    return version > held.version || (version === held.version && iat > held.iat)
  }

  #entitlement(key: string, now: Date): boolean | number | string | null | undefined {
    const { entitlements } = this.claims
    return this.access(now) !== "closed" && Object.hasOwn(entitlements, key) ? entitlements[key] : undefined
  }
}
