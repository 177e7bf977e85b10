/** Fetches the events that never came, from the platform's feed: holes as they are noticed, or all there is. */
import type { CoreClient } from "./core.ts"
import type { Envelope } from "./envelope.ts"
import { Refusal } from "./errors.ts"
import type { Inbox } from "./inbox.ts"
import type { Gap } from "./store.ts"

const SHARE = 20

/** Where missing events come from and go to. */
export interface BackfillOptions<Tx> {
  readonly inbox: Inbox<Tx>
  readonly core: Pick<CoreClient, "events">
  /** How long a process has a hole to itself, in milliseconds, and when one that stayed is tried again; 5 minutes. */
  readonly leaseMs?: number
  /** Told of an event that the platform does not have any more: look into it, then `Inbox.waive` it. */
  readonly onLost?: (lost: Lost) => void
  /** Told of what went wrong, and with which event if it was one: it stays a hole, and is tried again. */
  readonly onError?: (error: unknown, envelope?: Envelope) => void
}

/** An event that is missing for good. */
export interface Lost {
  readonly tenantId: string
  readonly sequence: number
}

/** What came of filling holes. */
export interface Filled {
  /** How many events had their effect now. */
  readonly taken: number
  /** Events that the platform does not have any more, the first one of each stream. */
  readonly lost: readonly Lost[]
}

/** Any number of processes may do this side by side: holes are claimed by lease, and every event has its effect once. */
export class Backfill<Tx> {
  readonly #inbox: Inbox<Tx>
  readonly #core: Pick<CoreClient, "events">
  readonly #leaseMs: number
  readonly #onLost: (lost: Lost) => void
  readonly #onError: (error: unknown, envelope?: Envelope) => void

  constructor({ inbox, core, leaseMs = 300_000, onLost = () => undefined, onError = () => undefined }: BackfillOptions<Tx>) {
    this.#inbox = inbox
    this.#core = core
    this.#leaseMs = leaseMs
    this.#onLost = onLost
    this.#onError = onError
  }

  /** Fill the holes whose time has come. What cannot be had now is tried again when the lease ends. */
  async fillGaps(): Promise<Filled> {
    let taken = 0
    const lost: Lost[] = []
    for (const gap of await this.#inbox.store.claimGaps(this.#inbox.receiver, this.#leaseMs, SHARE)) {
      try {
        const filled = await this.#fill(gap)
        taken += filled.taken
        if (filled.lost !== null) lost.push({ tenantId: gap.tenantId, sequence: filled.lost })
      } catch (error) {
        this.#onError(error)
      }
    }
    lost.forEach(this.#onLost)
    return { taken, lost }
  }

  /**
   * Take everything that the platform has after a position of the feed of all tenants, from its beginning unless told.
   *
   * For a start after a long absence, or with a database from a backup. Answers where to go on from, next time. Throws
   * `CoreUnavailable` when the platform is away.
   */
  async catchUp(after = "0"): Promise<string> {
    let cursor = after
    for (;;) {
      const page = await this.#core.events(cursor)
      for (const envelope of page.events) await this.#take(envelope)
      cursor = page.cursor
      if (!page.hasMore || page.events.length === 0) return cursor
    }
  }

  /** Fill holes from now on, every so many milliseconds; answers how to stop. */
  start(everyMs = 5000): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined
    let isRunning = true
    const work = async (): Promise<void> => {
      await this.fillGaps().catch((error: unknown) => this.#onError(error))
      if (isRunning) timer = setTimeout(() => void work(), everyMs)
    }
    void work()
    return () => {
      isRunning = false
      clearTimeout(timer)
    }
  }

  async #fill({ tenantId, watermark }: Gap): Promise<{ taken: number; lost: number | null }> {
    const seen = new Set<number>()
    let last = 0
    let taken = 0
    let after = String(watermark)
    for (;;) {
      const page = await this.#core.events(after, tenantId)
      for (const envelope of page.events) {
        seen.add(envelope.sequence)
        last = Math.max(last, envelope.sequence)
        taken += await this.#take(envelope)
      }
      after = page.cursor
      if (!page.hasMore || page.events.length === 0) break
    }
    const progress = await this.#inbox.progress(tenantId)
    const next = (progress?.watermark ?? 0) + 1
    const isLost = next < last && !seen.has(next) // above all that the feed showed, it may be on its way
    return { taken, lost: isLost ? next : null }
  }

  async #take(envelope: Envelope): Promise<number> {
    try {
      const { word } = await this.#inbox.receive(envelope)
      return word === "duplicate" ? 0 : 1
    } catch (error) {
      if (error instanceof Refusal) return 1
      this.#onError(error, envelope)
      return 0
    }
  }
}
