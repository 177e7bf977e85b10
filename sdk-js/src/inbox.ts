/**
 * What an event does: once, in one transaction with the note that it was taken, whatever its order and repetition.
 *
 * The stream's row is locked first, so that a concurrent delivery of the same event waits there, and then finds it done.
 */
import type { Envelope, Event, EventType } from "./envelope.ts"
import { isEvent } from "./envelope.ts"
import { Refusal, StreamSetBack } from "./errors.ts"
import type { Position, Store, Stream } from "./store.ts"
import { checkReceiver } from "./verify.ts"

/** What became of an event: the status to answer, and a word for people. */
export interface Outcome {
  readonly status: number
  readonly word: "done" | "accepted" | "duplicate" | "ignored" | "refused"
}

/** A handler's «working on it»: the platform is answered 202 and waits for `ready` or `failed`. */
export const ACCEPTED = "accepted"

/**
 * A handler of one type. What it writes with `tx` is committed together with the note that the event was taken.
 *
 * Throwing a `Refusal` gives the platform a final no; anything else rolls back, and the event comes again. Events may
 * arrive in another order than they were given out in: `event.sequence` tells which is newer.
 */
export type Handler<T extends EventType, Tx> = (event: Event<T>, tx: Tx) => Promise<typeof ACCEPTED | undefined> | Promise<void>

/** Handlers by type. A type without one is taken and does nothing. */
export type Handlers<Tx> = { readonly [T in EventType]?: Handler<T, Tx> }

/** Who receives, where it is noted, what happens. */
export interface InboxOptions<Tx> {
  /** Who we are: a module's id, or the id of a tenant's endpoint. */
  readonly receiver: string
  readonly store: Store<Tx>
  readonly handlers: Handlers<Tx>
  /** How long a missing event may still come by itself, in milliseconds; 15 s unless told. */
  readonly patienceMs?: number
}

/** How far a stream has come. */
export interface Progress extends Position {
  /** Whether an event that is known to exist was not taken yet. */
  readonly hasGap: boolean
}

/** Takes verified events, each of them once. */
export class Inbox<Tx> {
  readonly receiver: string
  readonly store: Store<Tx>
  readonly #handlers: Handlers<Tx>
  readonly #patienceMs: number

  constructor({ receiver, store, handlers, patienceMs = 15_000 }: InboxOptions<Tx>) {
    this.receiver = receiver
    this.store = store
    this.#handlers = handlers
    this.#patienceMs = patienceMs
  }

  /**
   * Let an event have its effect in a transaction of the store, unless it had it before.
   *
   * A handler's `Refusal` is noted by itself, its effect undone, and a repetition gets the same answer.
   */
  async receive(envelope: Envelope): Promise<Outcome> {
    try {
      return await this.store.transaction((tx) => this.take(tx, envelope))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { status } = error
      const { word } = await this.store.transaction((tx) => this.#once(tx, envelope, () => Promise.resolve({ status, word: "refused" })))
      if (word === "refused") throw error
      return { status, word }
    }
  }

  /** As `receive`, in a transaction of the caller, who commits it; a `Refusal` is the caller's to deal with. */
  async take(tx: Tx, envelope: Envelope): Promise<Outcome> {
    return this.#once(tx, envelope, () => this.#handle(tx, envelope))
  }

  /** Give up on an event that nobody has any more: its place counts as taken. */
  async waive(tenantId: string, sequence: number): Promise<void> {
    const stream = this.#streamOf(tenantId)
    await this.store.transaction(async (tx) => {
      const position = await this.store.hold(tx, stream)
      if ((await this.#statusOf(tx, stream, sequence, position)) === null) await this.#advance(tx, stream, position, sequence, 200)
    })
  }

  /**
   * The platform was restored from a backup that knew a tenant's events up to this sequence: what comes above it is news.
   *
   * It is the sequence below the first one of which `receive` said `StreamSetBack`, or less.
   */
  async setBack(tenantId: string, sequence: number): Promise<void> {
    const stream = this.#streamOf(tenantId)
    await this.store.transaction(async (tx) => {
      const position = await this.store.hold(tx, stream)
      const watermark = Math.min(position.watermark, sequence)
      await this.store.dropNotesAbove(tx, stream, sequence)
      await this.store.move(tx, stream, { ...position, watermark, highest: watermark, digest: null }, this.#patienceMs)
    })
  }

  /** How far a tenant's events have come; null if there was none yet. */
  async progress(tenantId: string): Promise<Progress | null> {
    const position = await this.store.find(this.#streamOf(tenantId))
    return position && { ...position, hasGap: position.highest > position.watermark }
  }

  #streamOf(tenantId: string): Stream {
    return { tenantId: tenantId.toLowerCase(), receiver: this.receiver }
  }

  async #once(tx: Tx, envelope: Envelope, effect: () => Promise<Outcome>): Promise<Outcome> {
    checkReceiver(envelope, this.receiver)
    const stream = this.#streamOf(envelope.tenant_id)
    const position = await this.store.hold(tx, stream)
    const before = await this.#statusOf(tx, stream, envelope.sequence, position)
    if (before !== null && envelope.id > position.newestId) throw new StreamSetBack(stream.tenantId, envelope.sequence)
    if (before !== null) return { status: before, word: "duplicate" }
    const outcome = await effect()
    await this.#advance(tx, stream, withEnvelope(position, envelope), envelope.sequence, outcome.status)
    return outcome
  }

  async #handle(tx: Tx, envelope: Envelope): Promise<Outcome> {
    const handler = Object.hasOwn(this.#handlers, envelope.type) ? this.#handlers[envelope.type as EventType] : undefined
    if (!handler) return { status: 200, word: "ignored" }
    const answer = await (handler as (event: Envelope, tx: Tx) => Promise<unknown>)(envelope, tx)
    return answer === ACCEPTED ? { status: 202, word: "accepted" } : { status: 200, word: "done" }
  }

  /** The answer that an event was given before, or null. */
  async #statusOf(tx: Tx, stream: Stream, sequence: number, { watermark, highest }: Position): Promise<number | null> {
    if (sequence > highest) return null
    const noted = await this.store.findNote(tx, stream, sequence)
    return noted ?? (sequence <= watermark ? 200 : null)
  }

  /** Take note of one more sequence. The usual case, the next one of an unbroken run, costs one row written. */
  async #advance(tx: Tx, stream: Stream, position: Position, sequence: number, status: number): Promise<void> {
    const isNext = sequence === position.watermark + 1
    if (!isNext || status !== 200) await this.store.addNote(tx, stream, sequence, status)
    const couldJoin = isNext && position.highest > sequence
    const watermark = couldJoin ? await this.store.endOfRun(tx, stream, sequence) : isNext ? sequence : position.watermark
    const highest = Math.max(position.highest, sequence)
    await this.store.move(tx, stream, proven({ ...position, watermark, highest }), this.#patienceMs)
    if (couldJoin && watermark > sequence) await this.store.dropNotes(tx, stream, watermark)
  }
}

function withEnvelope(position: Position, envelope: Envelope): Position {
  const newestId = envelope.id > position.newestId ? envelope.id : position.newestId
  return { ...withDigest(position, envelope), newestId }
}

/** What a digest says is the newest, with the digest itself: its own place is above all that it speaks of. */
function withDigest(position: Position, envelope: Envelope): Position {
  if (!isEvent(envelope, "digest")) return position
  const told = Math.max(envelope.data.last_sequence, envelope.sequence)
  const at = new Date(envelope.timestamp)
  const newest = position.digest?.at ?? position.provedUntil
  const digest = newest === null || at > newest ? { sequence: told, at } : position.digest
  return { ...position, highest: Math.max(position.highest, told), digest }
}

/** The digest is proven as soon as the unbroken run reaches what it spoke of. */
function proven(position: Position): Position {
  const { digest, watermark } = position
  return digest !== null && watermark >= digest.sequence ? { ...position, digest: null, provedUntil: digest.at } : position
}
