/**
 * The session of this tab. The access token lives in memory only; what outlives a reload is the refresh cookie, which
 * scripts cannot read. One refresh flies at a time: within a tab by sharing its promise, across tabs by a Web Lock, and a
 * tab that waited for the lock takes over the token that its sibling has just been given.
 */
import { ApiError } from "@/shared/api/errors"
import type { Memory } from "@/shared/api/tenant-choice"

export interface Grant {
  access_token: string
  expires_in: number
}

/** `unknown` until asked; `expired` is a session that was alive in this tab and ended by itself. */
export type SessionStatus = "unknown" | "anonymous" | "active" | "expired"

export interface SessionDependencies {
  renew: () => Promise<Grant>
  /** Tells the core to end the session; given the token of the moment. */
  revoke: (token: string | null) => Promise<void>
  /** Web Locks where the browser has them; without, only the tab's own single flight holds. */
  locks?: Pick<LockManager, "request"> | undefined
  channel?: BroadcastChannel | undefined
  /** Remembers across reloads that somebody signed in here: no secret, only saves visitors a pointless call. */
  memory?: Memory | undefined
}

interface Token {
  value: string
  expiresAt: number
}

type Message = { kind: "token"; token: Token } | { kind: "ended" }

const MEMORY = "tochka.signed-in"
const LOCK = "tochka.refresh"
/** A token this close to its end is renewed first rather than sent. */
const MARGIN = 10_000
/** How long a message takes to reach the other tabs at most, in milliseconds, generously. */
const HEARING = 50

export class Session {
  #token: Token | null = null
  #status: SessionStatus = "unknown"
  #flight: Promise<boolean> | null = null
  readonly #listeners = new Set<() => void>()
  readonly #deps: SessionDependencies

  constructor(deps: SessionDependencies) {
    this.#deps = deps
    deps.channel?.addEventListener("message", (event: MessageEvent<Message>) => {
      if (event.data.kind === "token") this.#adopt(event.data.token)
      else this.#end("anonymous")
    })
  }

  get status(): SessionStatus {
    return this.#status
  }

  /** Whether it is worth asking the core who this is, on pages that need no session. */
  get maybeSignedIn(): boolean {
    return this.#status === "active" || this.#deps.memory?.getItem(MEMORY) === "1"
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes a token that the core has just given to this tab, and shares it with the others. */
  accept(grant: Grant): void {
    const token = { value: grant.access_token, expiresAt: Date.now() + grant.expires_in * 1000 }
    this.#adopt(token)
    this.#deps.memory?.setItem(MEMORY, "1")
    this.#deps.channel?.postMessage({ kind: "token", token } satisfies Message)
  }

  /** A token good enough to send, or null when nobody is signed in. */
  async token(): Promise<string | null> {
    if (this.#status !== "active") return null
    if (this.#isFresh()) return this.#token?.value ?? null
    await this.refresh()
    return this.#token?.value ?? null
  }

  /** Finds out once per page load whether the refresh cookie still opens a session. */
  async restore(): Promise<SessionStatus> {
    if (this.#status === "unknown") await this.refresh()
    return this.#status
  }

  /**
   * Renews the token, true when there is one afterwards. `stale` names the token that was refused: if another has taken
   * its place meanwhile, that one is good. Throws when the core could not be reached: that ends no session.
   */
  refresh(stale: string | null = this.#token?.value ?? null): Promise<boolean> {
    if (this.#token !== null && this.#token.value !== stale) return Promise.resolve(true)
    this.#flight ??= this.#refreshLocked(stale).finally(() => {
      this.#flight = null
    })
    return this.#flight
  }

  /**
   * Ends the session at the core, then here and in the other tabs. Throws, and ends nothing, when the core could not be
   * reached: the cookie would open the session again for the next person at this computer.
   */
  async signOut(): Promise<void> {
    try {
      await this.#deps.revoke(this.#token?.value ?? null)
    } catch (error) {
      if (!isRefusal(error)) throw error
    }
    this.#end("anonymous")
    this.#deps.channel?.postMessage({ kind: "ended" } satisfies Message)
  }

  async #refreshLocked(stale: string | null): Promise<boolean> {
    const { locks } = this.#deps
    if (locks === undefined) return this.#renew()
    return new Promise((resolve, reject) => {
      const work = async () => {
        const isRenewed = this.#token !== null && this.#token.value !== stale
        await (isRenewed ? Promise.resolve(true) : this.#renew()).then(resolve, reject)
        // the caller goes on at once; the lock stays until the other tabs have surely heard of the new token
        if (!isRenewed) await new Promise((heard) => setTimeout(heard, HEARING))
      }
      locks.request(LOCK, work).catch(reject)
    })
  }

  async #renew(): Promise<boolean> {
    try {
      this.accept(await this.#deps.renew())
      return true
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#end(this.#status === "active" ? "expired" : "anonymous")
      return false
    }
  }

  #isFresh(): boolean {
    return this.#token !== null && this.#token.expiresAt - MARGIN > Date.now()
  }

  #adopt(token: Token): void {
    this.#token = token
    this.#become("active")
  }

  #end(status: "anonymous" | "expired"): void {
    this.#token = null
    this.#deps.memory?.removeItem(MEMORY)
    this.#become(status)
  }

  #become(status: SessionStatus): void {
    if (this.#status === status) return
    this.#status = status
    for (const listener of this.#listeners) listener()
  }
}

/** The core answered and means no; anything else (no answer, 5xx, slow down) says nothing about the session. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500 && error.status !== 429
}
