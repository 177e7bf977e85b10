/** A store in PostgreSQL, over any client of the shape of `pg`'s. */
import type { Gap, Position, Store, Stream } from "./store.ts"

/**
 * The tables, for the module's own migrations. `tochka_streams` has one row per tenant and receiver, `tochka_notes` the
 * events above the unbroken run, and those that were not answered with 200.
 */
export const DDL = `
CREATE TABLE IF NOT EXISTS tochka_streams (
  tenant_id uuid NOT NULL,
  receiver text NOT NULL,
  watermark bigint NOT NULL DEFAULT 0,
  highest bigint NOT NULL DEFAULT 0,
  newest_id text NOT NULL DEFAULT '',
  digest_sequence bigint,
  digest_at timestamptz,
  proved_until timestamptz,
  check_at timestamptz,
  CONSTRAINT pk_tochka_streams PRIMARY KEY (tenant_id, receiver)
);
CREATE INDEX IF NOT EXISTS ix_tochka_streams_check_at ON tochka_streams (check_at) WHERE check_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS tochka_notes (
  tenant_id uuid NOT NULL,
  receiver text NOT NULL,
  sequence bigint NOT NULL,
  status smallint NOT NULL,
  CONSTRAINT pk_tochka_notes PRIMARY KEY (tenant_id, receiver, sequence)
);
`

const COLUMNS = "watermark, highest, newest_id, digest_sequence, digest_at, proved_until"
const FIND = `SELECT ${COLUMNS} FROM tochka_streams WHERE tenant_id = $1 AND receiver = $2`
const MAKE = "INSERT INTO tochka_streams (tenant_id, receiver) VALUES ($1, $2) ON CONFLICT DO NOTHING"
const FIND_NOTE = "SELECT status FROM tochka_notes WHERE tenant_id = $1 AND receiver = $2 AND sequence = $3"
const ADD_NOTE = "INSERT INTO tochka_notes (tenant_id, receiver, sequence, status) VALUES ($1, $2, $3, $4)"
const DROP_NOTES = "DELETE FROM tochka_notes WHERE tenant_id = $1 AND receiver = $2 AND sequence <= $3 AND status = 200"
const DROP_NOTES_ABOVE = "DELETE FROM tochka_notes WHERE tenant_id = $1 AND receiver = $2 AND sequence > $3"
const END_OF_RUN = `
  WITH RECURSIVE run (n) AS (
    SELECT $3::bigint
    UNION ALL
    SELECT t.sequence FROM run JOIN tochka_notes t ON t.tenant_id = $1 AND t.receiver = $2 AND t.sequence = run.n + 1
  )
  SELECT max(n) AS n FROM run`
const MOVE = `
  UPDATE tochka_streams SET watermark = $3::bigint, highest = $4::bigint, digest_sequence = $5, digest_at = $6,
    proved_until = $7, newest_id = $9, check_at = CASE WHEN $4::bigint > $3::bigint
                                  THEN coalesce(check_at, now() + $8 * interval '1 millisecond') END
  WHERE tenant_id = $1 AND receiver = $2`
const CLAIM_GAPS = `
  UPDATE tochka_streams s SET check_at = now() + $2 * interval '1 millisecond'
  FROM (SELECT tenant_id, receiver FROM tochka_streams WHERE check_at <= now() AND receiver = $1
        ORDER BY check_at LIMIT $3 FOR UPDATE SKIP LOCKED) due
  WHERE s.tenant_id = due.tenant_id AND s.receiver = due.receiver
  RETURNING s.tenant_id, s.receiver, s.watermark`

type Row = Record<string, unknown>

/** A connection: `query` of `pg`'s clients, or a function like it. */
export interface Client {
  query(sql: string, params?: unknown[]): Promise<{ rows: Row[] }>
}

/** A connection out of a pool. `release(true)` throws it away. */
export interface PooledClient extends Client {
  release(destroy?: boolean): void
}

/** A pool: `connect` of `pg`'s. */
export interface Pool {
  connect(): Promise<PooledClient>
}

/** Notes in PostgreSQL. Handlers get the connection of the transaction, and write their effect with it. */
export class PostgresStore<C extends Client = Client> implements Store<C> {
  readonly #connect: () => Promise<C & PooledClient>

  constructor(pool: { connect(): Promise<C & PooledClient> }) {
    this.#connect = () => pool.connect()
  }

  async transaction<T>(work: (tx: C) => Promise<T>): Promise<T> {
    const client = await this.#connect()
    let isSound = false
    try {
      await client.query("BEGIN")
      const result = await work(client)
      await client.query("COMMIT")
      isSound = true
      return result
    } catch (error) {
      isSound = await rolledBack(client)
      throw error
    } finally {
      client.release(!isSound)
    }
  }

  async hold(tx: C, stream: Stream): Promise<Position> {
    const locking = `${FIND} FOR NO KEY UPDATE`
    const [row] = await select(tx, locking, stream)
    if (row) return positionIn(row)
    await select(tx, MAKE, stream)
    const [made] = await select(tx, locking, stream)
    if (!made) throw new Error("the transaction cannot see a row that was just made: READ COMMITTED is needed")
    return positionIn(made)
  }

  async findNote(tx: C, stream: Stream, sequence: number): Promise<number | null> {
    const [row] = await select(tx, FIND_NOTE, stream, sequence)
    return row ? Number(row.status) : null
  }

  async addNote(tx: C, stream: Stream, sequence: number, status: number): Promise<void> {
    await select(tx, ADD_NOTE, stream, sequence, status)
  }

  async endOfRun(tx: C, stream: Stream, after: number): Promise<number> {
    const [row] = await select(tx, END_OF_RUN, stream, after)
    return Number(row?.n ?? after)
  }

  async move(tx: C, stream: Stream, position: Position, patienceMs: number): Promise<void> {
    const { watermark, highest, newestId, digest, provedUntil } = position
    const moments = [digest?.sequence ?? null, digest?.at.toISOString() ?? null, provedUntil?.toISOString() ?? null]
    await select(tx, MOVE, stream, watermark, highest, ...moments, patienceMs, newestId)
  }

  async dropNotes(tx: C, stream: Stream, watermark: number): Promise<void> {
    await select(tx, DROP_NOTES, stream, watermark)
  }

  async dropNotesAbove(tx: C, stream: Stream, sequence: number): Promise<void> {
    await select(tx, DROP_NOTES_ABOVE, stream, sequence)
  }

  async claimGaps(receiver: string, leaseMs: number, limit: number): Promise<readonly Gap[]> {
    const { rows } = await this.transaction((tx) => tx.query(CLAIM_GAPS, [receiver, leaseMs, limit]))
    return rows.map((row) => ({ tenantId: String(row.tenant_id), receiver, watermark: Number(row.watermark) }))
  }

  async find(stream: Stream): Promise<Position | null> {
    const [row] = await this.transaction((tx) => select(tx, FIND, stream))
    return row ? positionIn(row) : null
  }
}

async function select(client: Client, sql: string, { tenantId, receiver }: Stream, ...params: unknown[]): Promise<Row[]> {
  return (await client.query(sql, [tenantId, receiver, ...params])).rows
}

/** Whether the connection can be used again. */
async function rolledBack(client: Client): Promise<boolean> {
  try {
    await client.query("ROLLBACK")
    return true
  } catch {
    return false
  }
}

function positionIn(row: Row): Position {
  const at = momentIn(row.digest_at)
  return {
    watermark: Number(row.watermark),
    highest: Number(row.highest),
    newestId: String(row.newest_id),
    digest: at === null ? null : { sequence: Number(row.digest_sequence), at },
    provedUntil: momentIn(row.proved_until),
  }
}

function momentIn(value: unknown): Date | null {
  return value instanceof Date ? value : typeof value === "string" ? new Date(value) : null
}
