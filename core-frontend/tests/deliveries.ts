/** The part of the fake core that is about deliveries: what an endpoint was sent, its attempts, and sending again. */
import { uuid } from "@tests/core"
import { type Answer, problem, type Received } from "@tests/server"

import type { Schemas } from "@/shared/api/api"

type Delivery = Schemas["DeliveryRead"]
type Replay = Schemas["ReplayRead"]

export interface Deliveries {
  deliveries: Delivery[]
  attempts: Schemas["AttemptRead"][]
  replays: Replay[]
  /** What the address answers to a test. */
  testAnswer: number
}

export function freshDeliveries(): Deliveries {
  return { deliveries: [], attempts: [], replays: [], testAnswer: 200 }
}

export function delivery(number: number, own: Partial<Delivery> = {}): Delivery {
  return {
    id: uuid(600 + number),
    event_id: uuid(700 + number),
    type: "member.joined",
    endpoint_id: uuid(501),
    sequence: number,
    status: "delivered",
    attempts: 1,
    due_at: null,
    created_at: new Date(Date.now() - number * 60_000).toISOString(),
    finished_at: new Date(Date.now() - number * 59_000).toISOString(),
    last_response_status: 200,
    last_error: null,
    replayed: false,
    ...own,
  }
}

export function attempt(number: number, own: Partial<Schemas["AttemptRead"]> = {}): Schemas["AttemptRead"] {
  return {
    id: uuid(800 + number),
    number,
    started_at: "2026-11-24T10:00:00Z",
    duration_ms: 35,
    response_status: 200,
    error: null,
    response_headers: { "content-type": "text/plain", server: "nginx" },
    response_body: "ok",
    timings: { total: 35, dns: 1.5, connect: 3, first_byte: 30, tls: 9.1 },
    address: "203.0.113.5",
    ...own,
  }
}

export function replay(number: number, own: Partial<Replay> = {}): Replay {
  return {
    id: uuid(900 + number),
    endpoint_id: uuid(501),
    since: null,
    until: null,
    event_types: [],
    statuses: ["held", "refused", "expired"],
    rate_per_second: 20,
    status: "running",
    total: 12,
    done: 3,
    created_at: new Date().toISOString(),
    finished_at: null,
    ...own,
  }
}

/** `/deliveries`, and one of them with its attempts; `/replays/<id>/cancel`. */
export function deliveries(core: Deliveries, { query }: Received, path: string): Answer {
  const [, slice, id, action] = path.split("/")
  if (slice === "replays") return cancelled(core, id)
  if (id === undefined) return { body: { items: core.deliveries.filter((one) => isAsked(one, query)), next_cursor: null } }
  const found = core.deliveries.find((one) => one.id === id)
  if (found === undefined) return problem(404, "webhooks.delivery_unknown")
  if (action === "attempts") return { body: { items: core.attempts, next_cursor: null } }
  if (action === "replay") {
    const finished = new Date().toISOString()
    Object.assign(found, { status: "delivered", replayed: true, attempts: 1, finished_at: finished, last_response_status: 200, last_error: null })
    core.attempts.unshift(attempt(core.attempts.length + 1))
    return { status: 202, body: added(core, { total: 1, done: 1, status: "done", finished_at: new Date().toISOString() }) }
  }
  const { event_id: event, type, sequence, created_at: timestamp } = found
  const body = { id: event, type, sequence, timestamp, schema_version: 1, tenant_id: uuid(1), receiver: uuid(501), data: { role: "staff" } }
  return { body: { ...found, body } satisfies Schemas["DeliveryDetail"] }
}

/** `/webhook-endpoints/<id>/test`, `/recover`, `/replays`; nothing for any other. */
export function sending(core: Deliveries, { method, body }: Received, endpointId: string, action: string | undefined): Answer | undefined {
  if (action === "test") {
    const [number, status] = [core.deliveries.length + 50, core.testAnswer]
    const settled = status < 300 ? ({ status: "delivered" } as const) : ({ status: "pending", finished_at: null } as const)
    const sent = delivery(number, { type: "ping", endpoint_id: endpointId, last_response_status: status, ...settled })
    core.deliveries.unshift(sent)
    return { status: 202, body: { event_id: sent.event_id } satisfies Schemas["TestSent"] }
  }
  if (action === "recover") return { status: 202, body: added(core, body as Partial<Replay>) }
  if (action !== "replays") return undefined
  if (method === "GET") return { body: { items: core.replays, next_cursor: null } }
  const { dry_run: isDry, ...wanted } = body as Schemas["ReplayRequest"]
  const total = core.deliveries.filter(({ status }) => wanted.statuses?.some((one) => one === status)).length
  if (isDry) return { body: { total } satisfies Schemas["ReplayCount"] }
  return { status: 202, body: added(core, { ...wanted, total, done: 0 }) }
}

function isAsked({ type, status, event_id: event, created_at: created }: Delivery, query: URLSearchParams): boolean {
  const [since, wanted] = [query.get("since"), { type, status, event_id: event } as Record<string, string>]
  return ["type", "status", "event_id"].every((name) => [null, wanted[name]].includes(query.get(name))) && (since === null || created >= since)
}

function added(core: Deliveries, own: Partial<Replay>): Replay {
  const made = replay(core.replays.length + 1, own)
  core.replays.unshift(made)
  return made
}

function cancelled(core: Deliveries, id: string | undefined): Answer {
  const found = core.replays.find((one) => one.id === id)
  if (found === undefined) return problem(404, "webhooks.replay_unknown")
  return { body: Object.assign(found, { status: "cancelled", finished_at: new Date().toISOString() }) }
}
