/** The platform's public keys as a receiver holds them: kept for a while, fetched anew when none of them fits. */
import type { CoreClient } from "./core.ts"
import type { Envelope, Event } from "./envelope.ts"
import { CoreUnavailable, SignatureInvalid } from "./errors.ts"
import { call } from "./http.ts"
import type { CallOptions } from "./http.ts"
import { LICENSE, License, LicenseInvalid } from "./license.ts"
import { isObject } from "./schema.ts"
import type { Body, HeadersLike } from "./signatures.ts"
import { readToken, TokenInvalid, UnknownKey } from "./statements.ts"
import { verify } from "./verify.ts"
import type { VerifyOptions } from "./verify.ts"

/** Where `jwks.json` has the webhook keys in Standard Webhooks' own form: beside `keys`, or in a JWK itself. */
const MEMBER = "tochka_whpk"

/** Where the keys come from, and how often they are asked for. */
export interface PlatformKeysOptions extends CallOptions {
  /** The platform's public address, as reached from here, without a path. */
  readonly coreUrl: string
  /** The platform's name in tokens: its public address as everybody knows it; `coreUrl` unless told. */
  readonly issuer?: string
  /** The key set known at start; without it the first use fetches. */
  readonly jwks?: Readonly<Record<string, unknown>>
  /** The shortest time between two fetches, in milliseconds, however many strangers ask; 10 s unless told. */
  readonly intervalMs?: number
  /** How long fetched keys count without being looked at again, in milliseconds; 10 minutes unless told. */
  readonly maxAgeMs?: number
}

/**
 * Verifies what the platform signed with `v1a`.
 *
 * A key is published 15 minutes before it is used, so that nobody who fetches every ten meets an unknown one; who does
 * (a rotation at once) finds it by the one fetch that follows. While the platform is away, the known keys count on.
 */
export class PlatformKeys {
  readonly #options: PlatformKeysOptions
  #jwks: Readonly<Record<string, unknown>>
  #triedAt = -Infinity
  #isReachable = true
  #fetching: Promise<void> | null = null

  constructor(options: PlatformKeysOptions) {
    this.#options = options
    this.#jwks = options.jwks ?? {}
    if (options.jwks) this.#triedAt = performance.now() - this.#interval
  }

  /** The `whpk_` keys among the known ones. */
  get webhookKeys(): readonly string[] {
    const holders: readonly unknown[] = [this.#jwks, ...this.#keys]
    const members: unknown[] = holders.map((holder) => (isObject(holder) ? holder[MEMBER] : undefined))
    return members.flat().filter((key) => typeof key === "string")
  }

  /** As the function `verify`, with the platform's keys. */
  async verify(body: Body, headers: HeadersLike, options: VerifyOptions): Promise<Envelope> {
    const { maxAgeMs = 600_000 } = this.#options
    if (performance.now() - this.#triedAt > maxAgeMs) await this.refresh()
    const known = this.webhookKeys
    try {
      return await verify(body, headers, known, options)
    } catch (error) {
      if (!(error instanceof SignatureInvalid) || !(await this.#haveOthers(known))) throw error
    }
    return verify(body, headers, this.webhookKeys, options)
  }

  /**
   * A genuine license for this module, whatever the time.
   *
   * @throws {LicenseInvalid} it is none.
   * @throws {CoreUnavailable} its key is unknown and the keys cannot be fetched now.
   */
  async readLicense(token: string, moduleId: string): Promise<License> {
    try {
      return new License(await this.readToken(token, LICENSE, moduleId))
    } catch (error) {
      throw error instanceof TokenInvalid ? new LicenseInvalid() : error
    }
  }

  /**
   * The license of the installation that an event is about: the one in the event, or the newest one where that proves nothing.
   *
   * An event of the feed may be months old, and the key of its license published no more.
   *
   * @throws {LicenseInvalid} it is for another installation.
   * @throws {CoreUnavailable} the platform is away.
   */
  async licenseOf(event: Event<"installation.requested"> | Event<"license.updated">, core: Pick<CoreClient, "license">): Promise<License> {
    const { receiver, tenant_id: tenantId, installation_id: installationId } = event
    if (receiver === null || installationId === null) throw new LicenseInvalid()
    const license = await this.readLicense(event.data.license, receiver).catch(async (error: unknown) => {
      if (!(error instanceof LicenseInvalid)) throw error
      return this.readLicense(await core.license(installationId), receiver)
    })
    if (license.installationId !== installationId || license.claims.tenant_id !== tenantId) throw new LicenseInvalid()
    return license
  }

  /**
   * The claims of any statement that the platform signed, by its `typ`: "ticket+jwt", for example. Times, and that a ticket
   * is good once, are the caller's to check. Throws `TokenInvalid`, or `CoreUnavailable` as `readLicense` does.
   */
  async readToken(token: string, typ: string, audience: string): Promise<Record<string, unknown>> {
    const { coreUrl, issuer = coreUrl } = this.#options
    const expected = { typ, issuer, audience }
    try {
      return await readToken(token, this.#keys, expected)
    } catch (error) {
      if (!(error instanceof UnknownKey)) throw error
    }
    await this.refresh()
    if (!this.#isReachable) throw new CoreUnavailable("The platform's keys cannot be fetched at the moment.")
    return readToken(token, this.#keys, expected)
  }

  /** Fetch the keys unless that was done a moment ago; never fails: what is known counts on. */
  async refresh(): Promise<void> {
    const rest = this.#isReachable ? this.#interval : this.#interval / 10
    if (this.#fetching === null && performance.now() - this.#triedAt < rest) return
    this.#fetching ??= this.#fetch().finally(() => (this.#fetching = null))
    await this.#fetching
  }

  get #keys(): readonly unknown[] {
    return Array.isArray(this.#jwks.keys) ? (this.#jwks.keys as unknown[]) : []
  }

  get #interval(): number {
    return this.#options.intervalMs ?? 10_000
  }

  /** Whether fetching anew has brought other keys than the known ones. */
  async #haveOthers(known: readonly string[]): Promise<boolean> {
    await this.refresh()
    const now = this.webhookKeys
    return now.length !== known.length || now.some((key) => !known.includes(key))
  }

  async #fetch(): Promise<void> {
    const url = `${this.#options.coreUrl.replace(/\/+$/, "")}/.well-known/jwks.json`
    const { status, body } = await call(url, () => Promise.resolve({ headers: { accept: "application/json" } }), this.#options)
    this.#isReachable = status === 200 && Array.isArray(body.keys)
    if (this.#isReachable) this.#jwks = body
    this.#triedAt = performance.now()
  }
}
