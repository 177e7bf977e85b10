/**
 * A module in TypeScript, as a process of its own: `node module.ts` with its settings as JSON in `TEST_MODULE`.
 *
 * Every effect is a row that nothing keeps from being written twice but the inbox. It prints its port when it listens.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

import { Pool } from "pg"
import type { PoolClient } from "pg"
import { Webhook } from "standardwebhooks"
import { Webhook as SvixWebhook } from "svix"

import { Backfill, CoreClient, Door, Inbox, PlatformKeys } from "../../src/index.ts"
import type { Event, EventType } from "../../src/index.ts"
import { nodeListener } from "../../src/node.ts"
import { DDL, PostgresStore } from "../../src/postgres.ts"

interface Settings {
  readonly moduleId: string
  readonly coreUrl: string
  readonly issuer: string
  readonly privateKey: string
  readonly secret: string
  readonly databaseUrl: string
  readonly manifest: object
}

const settings = JSON.parse(process.env.TEST_MODULE ?? "") as Settings
const pool = new Pool({ connectionString: settings.databaseUrl, max: 4 })
await pool.query(`${DDL}; CREATE TABLE IF NOT EXISTS effects (tenant_id uuid, sequence bigint, event_id text, type text, detail text)`)

async function write(event: Event<EventType>, tx: PoolClient): Promise<void> {
  const detail = JSON.stringify(event.data)
  const values = [event.tenant_id, event.sequence, event.id, event.type, detail]
  await tx.query("INSERT INTO effects (tenant_id, sequence, event_id, type, detail) VALUES ($1, $2, $3, $4, $5)", values)
}

function complain(error: unknown): void {
  process.stderr.write(`${String(error)}\n`)
}

const inbox = new Inbox({
  receiver: settings.moduleId,
  store: new PostgresStore<PoolClient>(pool),
  handlers: { "installation.requested": write, "installation.removed": write, "tenant.updated": write, "license.updated": write },
  patienceMs: 300,
})
const core = new CoreClient(settings)
const backfill = new Backfill({ inbox, core, onError: complain, leaseMs: 300 })
const door = new Door({ inbox, keys: new PlatformKeys(settings), onError: complain })
const published = [new Webhook(settings.secret), new SvixWebhook(settings.secret)]

/** The door, and beside it what a test asks: how far a tenant has come, and to take everything there is. */
async function serve(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url)
  switch (pathname) {
    case "/.well-known/tochka-module.json":
      return Response.json(settings.manifest)
    case "/_tochka/webhooks":
      for (const library of published) library.verify(await request.clone().text(), Object.fromEntries(request.headers))
      return door.handle(request)
    case "/progress":
      return Response.json(await inbox.progress(searchParams.get("tenant") ?? ""))
    case "/catch-up":
      return Response.json(await backfill.catchUp())
    default:
      return new Response(null, { status: 404 })
  }
}

const server = createServer(nodeListener(serve)).listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
})
backfill.start(100)
