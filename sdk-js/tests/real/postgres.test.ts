/** The promises of an inbox, kept in a real PostgreSQL: its address comes in `TEST_DATABASE_URL`. */
import assert from "node:assert/strict"
import { after, test } from "node:test"

import { Pool } from "pg"
import type { PoolClient } from "pg"

import { DDL, PostgresStore } from "../../src/postgres.ts"
import { failure } from "../platform.ts"
import { inboxTests } from "../inboxes.ts"

const pool = new Pool({ connectionString: process.env.TEST_DATABASE_URL, max: 4 })
after(() => pool.end())
await pool.query(DDL)
await pool.query(DDL)
await pool.query("CREATE TABLE effects (number bigint GENERATED ALWAYS AS IDENTITY, effect text NOT NULL)")

const store = new PostgresStore<PoolClient>(pool)

inboxTests("in PostgreSQL", {
  store,
  write: async (tx, effect) => {
    await tx.query("INSERT INTO effects (effect) VALUES ($1)", [effect])
  },
  effects: async () => (await pool.query<{ effect: string }>("SELECT effect FROM effects ORDER BY number")).rows.map(({ effect }) => effect),
  notes: async (tenantId) => {
    const { rows } = await pool.query<{ n: number }>("SELECT count(*)::int AS n FROM tochka_notes WHERE tenant_id = $1", [tenantId])
    return rows[0]?.n ?? -1
  },
})

test("a connection that is lost within a transaction is not used again", async () => {
  const lost = store.transaction(async (tx) => {
    tx.on("error", () => undefined)
    await tx.query("SELECT pg_terminate_backend(pg_backend_pid())")
  })
  await failure(lost)
  assert.equal(await store.find({ tenantId: "0190a0a0-0000-7000-8000-00000000000f", receiver: "guestbook" }), null)
})
