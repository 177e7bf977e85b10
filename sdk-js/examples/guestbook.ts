/** A guestbook's side of the platform: its manifest, its health, its one door. */
import { readFileSync } from "node:fs"
import { createServer } from "node:http"

import { Backfill, CoreClient, Door, Inbox, PlatformKeys, Refusal } from "@tochka-rosta/sdk"
import { nodeListener } from "@tochka-rosta/sdk/node"
import { PostgresStore } from "@tochka-rosta/sdk/postgres"
import { Pool } from "pg"
import type { PoolClient } from "pg"

const platform = { coreUrl: "http://localhost:8080", moduleId: "guestbook", privateKey: readFileSync("guestbook.key.json", "utf8") }
const pool = new Pool() // its migrations ran `DDL` of "@tochka-rosta/sdk/postgres", and made `guestbooks`

const inbox = new Inbox({
  receiver: platform.moduleId,
  store: new PostgresStore<PoolClient>(pool),
  handlers: {
    "installation.requested": async (event, tx) => {
      if (event.data.plan === "closed") throw new Refusal(409, "guestbook.plan_closed", "This plan is not sold any more.")
      await tx.query("INSERT INTO guestbooks (id, host) VALUES ($1, $2)", [event.installation_id, event.data.host])
    },
    "installation.removed": async (event, tx) => {
      await tx.query("DELETE FROM guestbooks WHERE id = $1", [event.installation_id])
    },
  },
})
const door = new Door({ inbox, keys: new PlatformKeys(platform), onError: console.error })
new Backfill({ inbox, core: new CoreClient(platform), onError: console.error, onLost: console.error }).start()

async function serve(request: Request): Promise<Response> {
  switch (new URL(request.url).pathname) {
    case "/_tochka/webhooks":
      return door.handle(request)
    case "/_tochka/health":
      return Response.json({ status: "ok", module: "guestbook", version: "0.1.0" })
    case "/.well-known/tochka-module.json":
      return new Response(readFileSync("tochka-module.json"), { headers: { "content-type": "application/json" } })
    default:
      return new Response("Nothing here.", { status: 404 })
  }
}

createServer(nodeListener(serve)).listen(9000)
