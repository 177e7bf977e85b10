/** A store in memory, for tests and examples: it forgets everything when the process ends. */
import type { Gap, Position, Store, Stream } from "./store.ts"

const START: Position = { watermark: 0, highest: 0, newestId: "", digest: null, provedUntil: null }

interface Kept {
  position: Position
  notes: Map<number, number>
  checkAt: number | null
}

/** The transaction of a `MemoryStore`: nothing that an effect could be written with. */
export interface MemoryTransaction {
  readonly kind: "memory"
}

/** Transactions run one after the other; one that fails leaves the store as it was. */
export class MemoryStore implements Store<MemoryTransaction> {
  #streams = new Map<string, Kept>()
  #last: Promise<unknown> = Promise.resolve()

  transaction<T>(work: (tx: MemoryTransaction) => Promise<T>): Promise<T> {
    const mine = this.#last.then(async () => {
      const before = structuredClone(this.#streams)
      try {
        return await work({ kind: "memory" })
      } catch (error) {
        this.#streams = before
        throw error
      }
    })
    this.#last = mine.catch(() => null)
    return mine
  }

  hold(_tx: MemoryTransaction, stream: Stream): Promise<Position> {
    return Promise.resolve(this.#of(stream).position)
  }

  findNote(_tx: MemoryTransaction, stream: Stream, sequence: number): Promise<number | null> {
    return Promise.resolve(this.#of(stream).notes.get(sequence) ?? null)
  }

  addNote(_tx: MemoryTransaction, stream: Stream, sequence: number, status: number): Promise<void> {
    this.#of(stream).notes.set(sequence, status)
    return Promise.resolve()
  }

  endOfRun(_tx: MemoryTransaction, stream: Stream, after: number): Promise<number> {
    let end = after
    while (this.#of(stream).notes.has(end + 1)) end++
    return Promise.resolve(end)
  }

  move(_tx: MemoryTransaction, stream: Stream, position: Position, patienceMs: number): Promise<void> {
    const kept = this.#of(stream)
    kept.position = position
    kept.checkAt = position.highest > position.watermark ? (kept.checkAt ?? Date.now() + patienceMs) : null
    return Promise.resolve()
  }

  dropNotes(_tx: MemoryTransaction, stream: Stream, watermark: number): Promise<void> {
    const { notes } = this.#of(stream)
    for (const [sequence, status] of notes) if (sequence <= watermark && status === 200) notes.delete(sequence)
    return Promise.resolve()
  }

  dropNotesAbove(_tx: MemoryTransaction, stream: Stream, sequence: number): Promise<void> {
    const { notes } = this.#of(stream)
    for (const noted of [...notes.keys()]) if (noted > sequence) notes.delete(noted)
    return Promise.resolve()
  }

  claimGaps(receiver: string, leaseMs: number, limit: number): Promise<readonly Gap[]> {
    const now = Date.now()
    const due = [...this.#streams].filter(([, kept]) => kept.checkAt !== null && kept.checkAt <= now)
    const claimed = due.map(([key, kept]) => ({ ...streamOf(key), watermark: kept.position.watermark, kept })).filter((gap) => gap.receiver === receiver)
    return Promise.resolve(
      claimed.slice(0, limit).map(({ kept, ...gap }) => {
        kept.checkAt = now + leaseMs
        return gap
      }),
    )
  }

  find(stream: Stream): Promise<Position | null> {
    return Promise.resolve(this.#streams.get(keyOf(stream))?.position ?? null)
  }

  #of(stream: Stream): Kept {
    const key = keyOf(stream)
    const kept = this.#streams.get(key) ?? { position: START, notes: new Map<number, number>(), checkAt: null }
    this.#streams.set(key, kept)
    return kept
  }
}

function keyOf({ tenantId, receiver }: Stream): string {
  return JSON.stringify([tenantId, receiver])
}

function streamOf(key: string): Stream {
  const [tenantId = "", receiver = ""] = JSON.parse(key) as string[]
  return { tenantId, receiver }
}
