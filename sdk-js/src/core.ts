/** A module's way to the platform: missed events, licenses, `ready` and `failed`. */
import { readEnvelope } from "./envelope.ts"
import type { Envelope } from "./envelope.ts"
import { CoreRefused, CoreUnavailable, EventInvalid } from "./errors.ts"
import { call } from "./http.ts"
import type { CallOptions } from "./http.ts"
import { callingCard, readKey } from "./tokens.ts"
import type { PrivateJwk, SigningKey } from "./tokens.ts"

/** Which platform, and as whom. */
export interface CoreClientOptions extends CallOptions {
  /** The platform's public address, as reached from here, without a path. */
  readonly coreUrl: string
  /** The platform's name in tokens: its public address as everybody knows it; `coreUrl` unless told. */
  readonly issuer?: string
  readonly moduleId: string
  /** The module's own Ed25519 private key; the public half is registered with the platform. */
  readonly privateKey: PrivateJwk
}

/** A page of the feed. */
export interface Page {
  /** In their order; what could not be read is left out, and stays a gap. */
  readonly events: readonly Envelope[]
  /** Where to go on reading. */
  readonly cursor: string
  /** Whether there are more now. */
  readonly hasMore: boolean
}

/**
 * Talks to one platform as one module. Every call carries a fresh token of 60 seconds.
 *
 * Reads and the two reports are repeated with backoff and jitter: all of them may be. Each method throws
 * `CoreUnavailable` when the platform is away, and `CoreRefused` when it says a final no (409, 410, 422).
 */
export class CoreClient {
  readonly #options: CoreClientOptions
  #key: Promise<SigningKey> | null = null

  constructor(options: CoreClientOptions) {
    this.#options = options
  }

  /** The events after a position: one tenant's after a sequence, or all tenants' after a cursor. */
  async events(after: number | string, tenantId?: string): Promise<Page> {
    const query = new URLSearchParams({ after: String(after), ...(tenantId === undefined ? {} : { tenant_id: tenantId }) })
    const { items, cursor, next_cursor: following } = await this.#call("GET", `events?${query.toString()}`)
    if (!Array.isArray(items)) throw new CoreUnavailable("The platform's events are not events.")
    return {
      events: items.flatMap(readable),
      cursor: typeof cursor === "string" ? cursor : String(after),
      hasMore: typeof following === "string",
    }
  }

  /** The newest license of an installation, as a signed token. */
  async license(installationId: string): Promise<string> {
    const { license } = await this.#call("GET", `licenses/${encodeURIComponent(installationId)}`)
    if (typeof license !== "string") throw new CoreUnavailable("The platform's answer holds no license.")
    return license
  }

  /** Say that an installation that was answered with 202 is ready. `CoreRefused` when it is too late. */
  async ready(installationId: string): Promise<void> {
    await this.#call("POST", `installations/${encodeURIComponent(installationId)}/ready`, {})
  }

  /** Say that it cannot be made: `code` is stable, `detail` a sentence for the owner. */
  async failed(installationId: string, code: string, detail: string): Promise<void> {
    await this.#call("POST", `installations/${encodeURIComponent(installationId)}/failed`, { code, detail })
  }

  async #call(method: "GET" | "POST", path: string, body?: object): Promise<Readonly<Record<string, unknown>>> {
    const { coreUrl, moduleId, issuer = coreUrl } = this.#options
    this.#key ??= readKey(this.#options.privateKey)
    const key = await this.#key
    const make = async (): Promise<RequestInit> => ({
      method,
      headers: {
        accept: "application/json",
        authorization: `Bearer ${await callingCard(moduleId, issuer, key)}`,
        ...(body ? { "content-type": "application/json" } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const answer = await call(`${coreUrl.replace(/\/+$/, "")}/api/v1/module/${path}`, make, this.#options)
    if (answer.status !== null && answer.status >= 200 && answer.status < 300) return answer.body
    if (answer.status === 409 || answer.status === 410 || answer.status === 422) {
      throw new CoreRefused(typeof answer.body.detail === "string" ? answer.body.detail : "The platform refused.")
    }
    throw new CoreUnavailable()
  }
}

function readable(item: unknown): Envelope[] {
  try {
    return [readEnvelope(item)]
  } catch (error) {
    if (error instanceof EventInvalid) return []
    throw error
  }
}
