/** What an inbox asks of a database: where each stream of events stands, in the transaction of the effect. */

/** The events of one tenant for one receiver: counted from 1 without holes. */
export interface Stream {
  readonly tenantId: string
  readonly receiver: string
}

/** Where a stream stands. */
export interface Position {
  /** The unbroken run: every event up to this sequence was taken. */
  readonly watermark: number
  /** The highest sequence known to exist. Above the watermark something is missing. */
  readonly highest: number
  /** The highest id of an event that was taken: ids begin with the time, so that an id above it was never seen. */
  readonly newestId: string
  /** The newest digest that is not proven yet: the sequence that the watermark has to reach, and its moment. */
  readonly digest: PendingDigest | null
  /** Everything that the platform had given out by this moment was taken. */
  readonly provedUntil: Date | null
}

/** A statement of the platform: up to this sequence, everything was given out by this moment. */
export interface PendingDigest {
  readonly sequence: number
  readonly at: Date
}

/** A stream with a hole whose time has come. */
export interface Gap extends Stream {
  readonly watermark: number
}

/**
 * A database. `Tx` is its transaction, in which the caller's effect is written too: the note that an event was taken and
 * what it did become true together or not at all.
 *
 * A note is kept for every event above the watermark, and for one below it only when its answer was not 200. So a
 * stream that misses nothing is one row, however old it is, and a repeat after a year is still a repeat.
 */
export interface Store<Tx> {
  /** Run in a transaction: committed when the promise is fulfilled, rolled back when it is rejected. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** Where the stream stands, locked until the transaction ends; made if it is new. */
  hold(tx: Tx, stream: Stream): Promise<Position>
  /** The answer noted for a sequence, or null. */
  findNote(tx: Tx, stream: Stream, sequence: number): Promise<number | null>
  /** Note an event and its answer. */
  addNote(tx: Tx, stream: Stream, sequence: number, status: number): Promise<void>
  /** The end of the run of noted sequences that begins right above `after`; `after` itself if there is none. */
  endOfRun(tx: Tx, stream: Stream, after: number): Promise<number>
  /** Write where the stream stands now. A hole is looked into `patienceMs` after it was first seen. */
  move(tx: Tx, stream: Stream, position: Position, patienceMs: number): Promise<void>
  /** Drop notes up to the watermark whose answer was 200: the watermark says as much. */
  dropNotes(tx: Tx, stream: Stream, watermark: number): Promise<void>
  /** Drop all notes above a sequence. */
  dropNotesAbove(tx: Tx, stream: Stream, sequence: number): Promise<void>
  /** Streams of this receiver with a hole whose time has come; nobody else gets them for `leaseMs`. */
  claimGaps(receiver: string, leaseMs: number, limit: number): Promise<readonly Gap[]>
  /** Where the stream stands, or null if nothing of it was ever taken. */
  find(stream: Stream): Promise<Position | null>
}
