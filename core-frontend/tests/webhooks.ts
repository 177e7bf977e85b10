/** The part of the fake core that is about webhooks. */
import { uuid } from "@tests/core"
import { type Deliveries, freshDeliveries, sending } from "@tests/deliveries"
import { type Answer, problem, type Received } from "@tests/server"

import type { Schemas } from "@/shared/api/api"

type Endpoint = Schemas["WebhookEndpointRead"]

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw1m2n3o4p5q6="
export const NEW_SECRET = "whsec_AAAA9r8GKYqrTwjUPD8ILPZIo2LaLaSw1m2n3o4p5q6="

export interface Webhooks extends Deliveries {
  endpoints: Endpoint[]
}

export function freshWebhooks(): Webhooks {
  return { endpoints: [], ...freshDeliveries() }
}

export function endpoint(number: number, own: Partial<Endpoint> = {}): Endpoint {
  return {
    id: uuid(500 + number),
    url: `https://crm${number}.example.com/webhooks`,
    description: "",
    event_types: [],
    schema_version: 1,
    status: "enabled",
    disabled_at: null,
    disabled_reason: null,
    ordered: false,
    rate_per_second: 50,
    concurrency: 8,
    failing_since: null,
    warned_percent: 0,
    previous_secret_until: null,
    created_at: "2026-11-01T00:00:00Z",
    ...own,
  }
}

/** `/webhook-endpoints`, one of them by its id, and what can be done with it. */
export function webhooks(core: Webhooks, request: Received, path: string): Answer {
  const { method, body } = request
  const [, , id, action] = path.split("/")
  if (id === undefined) {
    if (method === "GET") return { body: { items: core.endpoints, next_cursor: null } }
    const made = endpoint(core.endpoints.length + 1, body as Partial<Endpoint>)
    core.endpoints.unshift(made)
    return { status: 201, body: { ...made, secret: SECRET } satisfies Schemas["WebhookEndpointSecret"] }
  }
  const found = core.endpoints.find((one) => one.id === id)
  if (found === undefined) return problem(404, "endpoints.unknown")
  const sent = sending(core, request, id, action)
  if (sent !== undefined) return sent
  if (action === "rotate-secret") {
    const { grace_seconds: grace = 86_400 } = body as Schemas["SecretRotation"]
    found.previous_secret_until = grace === 0 ? null : new Date(Date.now() + grace * 1000).toISOString()
    return { body: { ...found, secret: NEW_SECRET } }
  }
  if (method === "PATCH") return { body: Object.assign(found, changed(body as Schemas["WebhookEndpointUpdate"])) }
  if (method === "DELETE") {
    core.endpoints = core.endpoints.filter((one) => one !== found)
    return { status: 204 }
  }
  return { body: found }
}

function changed(change: Schemas["WebhookEndpointUpdate"]): object {
  if (change.status === "disabled") return { ...change, disabled_at: new Date().toISOString(), disabled_reason: "owner" }
  if (change.status === "enabled") return { ...change, disabled_at: null, disabled_reason: null, failing_since: null, warned_percent: 0 }
  return change
}
