/** The core as the panel sees it, over a real socket: enough of its calls, with bodies of the generated types. */
import type { ServerResponse } from "node:http"

import { type Account, account, freshAccount } from "@tests/account"
import { mine, team } from "@tests/people"
import { deliveries } from "@tests/deliveries"
import { freshWebhooks, webhooks, type Webhooks } from "@tests/webhooks"
import { type Answer, problem, type Received, startServer, type TestServer } from "@tests/server"

import type { Schemas } from "@/shared/api/api"

export const CODE = "123456"
export const USER = "0197f000-0000-7000-8000-0000000000aa"
const SUBSCRIPTION = "0197f000-0000-7000-8000-0000000000bb"

export interface FakeCore extends TestServer, Account, Webhooks {
  /** Whether the refresh cookie of this browser opens a session. */
  isSignedIn: boolean
  isNewUser: boolean
  tenants: Schemas["TenantRead"][]
  installations: Schemas["InstallationRead"][]
  channels: Schemas["ChannelRead"][]
  members: Schemas["MemberRead"][]
  invitations: Schemas["InvitationRead"][]
  invitationsToMe: Schemas["InvitationOfPerson"][]
  handover: Schemas["HandoverRead"] | null
  refusals: Record<string, Schemas["SubdomainRead"]["reason"]>
  /** Called first; an answer of its own comes instead of the usual one. */
  intercept: (request: Received, response: ServerResponse) => Answer | undefined
  /** Brings an activation to its end and tells those who watch. */
  settle: (id: string, end: Pick<Schemas["InstallationRead"], "status" | "failure">) => void
}

export function tenant(id: number, name: string): Schemas["TenantRead"] {
  return { id: uuid(id), name, role: "owner", locale: "ru", created_at: "2026-11-01T00:00:00Z" }
}

export function installation(id: number, label: string, status: Schemas["InstallationRead"]["status"]): Schemas["InstallationRead"] {
  const ends = new Date(Date.now() + 13.5 * 86_400_000).toISOString()
  return {
    id: uuid(id),
    module: "shop",
    status,
    url: `http://${label}.shops.test:8080`,
    host: `${label}.shops.test`,
    subscription: { id: SUBSCRIPTION, status: "trialing", plan: "start", trial_ends_at: ends },
    failure: null,
    created_at: "2026-11-01T00:00:00Z",
  }
}

export const SHOP: Schemas["ModuleRead"] = {
  id: "shop",
  version: "1.0.0",
  name: { ru: "Интернет-магазин", en: "Online shop" },
  summary: { ru: "Витрина и заказы", en: "Storefront and orders" },
  description: { ru: "Всё для продаж", en: "All you need to sell" },
  category: "commerce",
  icon: "shop",
  screenshots: [],
  publisher: { name: "Точка Роста", support_url: "https://example.org" },
  entitlements: [
    { key: "goods", type: "static", name: { ru: "Товаров", en: "Goods" } },
    { key: "unnamed", type: "boolean" },
  ],
  plans: [
    {
      code: "start",
      name: { ru: "Старт", en: "Start" },
      trial_days: 14,
      price_minor: 99_000,
      currency: "RUB",
      entitlements: { goods: 100, unnamed: true },
    },
  ],
}

export async function startCore(): Promise<FakeCore> {
  const watchers = new Map<string, ServerResponse>()
  const core: FakeCore = {
    isSignedIn: false,
    isNewUser: true,
    ...freshAccount(USER),
    tenants: [tenant(1, "Пекарня «На углу»")],
    installations: [],
    channels: [
      { channel: "max", carrier: "messenger" },
      { channel: "telegram", carrier: "messenger" },
    ],
    members: [{ user_id: USER, name: "Анна", phone: "+79991234567", role: "owner", joined_at: "2026-11-01T00:00:00Z" }],
    invitations: [],
    invitationsToMe: [],
    handover: null,
    ...freshWebhooks(),
    refusals: {},
    intercept: () => undefined,
    settle(id, end) {
      const found = core.installations.find((one) => one.id === id)
      if (found === undefined) throw new Error("No such installation")
      Object.assign(found, end)
      watchers.get(id)?.end(progressOf(found))
    },
    ...(await startServer((request, response) => {
      const own = core.intercept(request, response)
      if (own !== undefined || response.writableEnded || response.headersSent || response.destroyed) return own
      return answer(core, watchers, request, response)
    })),
  }
  return core
}

function answer(core: FakeCore, watchers: Map<string, ServerResponse>, request: Received, response: ServerResponse): Answer | undefined {
  const path = request.path.replace("/api/v1", "")
  const [, slice, id = "", action] = path.split("/")
  if (path === "/auth/channels") return { body: { channels: core.channels } }
  if (path === "/auth/challenges") return { status: 202, body: challenge((request.body as Schemas["ChallengeCreate"]).channel) }
  if (slice === "auth") return signing(core, request, path)
  if (path === "/modules") return { body: { items: [SHOP], next_cursor: null } }
  if (slice === "modules") return id === "shop" ? { body: SHOP } : problem(404, "catalogue.module_unknown")
  if (slice === "subdomains") return { body: subdomain(core, id) }
  if (request.headers.authorization !== "Bearer good") return problem(401, "accounts.unauthenticated")
  if (path.startsWith("/me/invitations")) return mine(core, path)
  if (slice === "me" || action === "audit") return account(core, request, path)
  if (slice === "tenants" && id !== "") return team(core, request, path)
  if (slice === "webhook-endpoints") return webhooks(core, request, path)
  if (slice === "deliveries" || slice === "replays") return deliveries(core, request, path)
  if (path === "/tenants") return { body: { items: core.tenants, next_cursor: null } }
  if (path === "/installations" && request.method === "POST") return activate(core, request)
  if (path === "/installations") return { body: { items: core.installations, next_cursor: null } }
  const found = core.installations.find((one) => one.id === id)
  if (found === undefined) return problem(404, "installations.unknown")
  if (action === "session") return { body: { action: `${found.url}/_tochka/session`, ticket: "one-time" } }
  if (action === "progress") {
    response.writeHead(200, { "Content-Type": "text/event-stream" })
    response.write(`: hello\n\n${progressOf(found)}`)
    watchers.set(id, response)
    return undefined
  }
  if (request.method === "DELETE") {
    core.installations = core.installations.filter((one) => one !== found)
    return { status: 204 }
  }
  return { body: found }
}

export function challenge(channel: Schemas["ChallengeCreate"]["channel"]): Schemas["ChallengeRead"] {
  return {
    challenge_id: uuid(9),
    channel,
    carrier: "bot",
    links: [{ channel, url: `https://messenger.test/bot?start=1` }],
    code_length: 6,
    expires_at: new Date(Date.now() + 300_000).toISOString(),
    resend_at: new Date(Date.now() + 60_000).toISOString(),
  }
}

function signing(core: FakeCore, request: Received, path: string): Answer {
  if (path === "/auth/login" || path.endsWith("/recover")) {
    const { password, way } = request.body as Partial<Schemas["Recover"]>
    if (way !== "anew" && password !== core.password) return problem(401, "accounts.credentials_wrong")
    core.isSignedIn = true
    return { body: { ...access(core), is_new_user: way === "anew" } satisfies Schemas["SignedIn"] }
  }
  if (path.endsWith("/resend")) return { status: 202, body: challenge("max") }
  if (path.endsWith("/confirm")) {
    const { code } = request.body as Schemas["Confirm"]
    if (code !== CODE) return problem(422, "accounts.code_wrong", { tries_left: 4 })
    core.isSignedIn = true
    return { body: { ...access(core), is_new_user: core.isNewUser } satisfies Schemas["SignedIn"] }
  }
  if (path.endsWith("/logout")) {
    core.isSignedIn = false
    return { status: 204 }
  }
  return core.isSignedIn ? { body: access(core) } : problem(401, "accounts.refresh_invalid")
}

function access(core: FakeCore): Schemas["Access"] {
  const tenants = core.tenants.map(({ id, name, role }) => ({ id, name, role }))
  return {
    access_token: "good",
    token_type: "Bearer",
    expires_in: 600,
    refresh_token: null,
    tenant_id: tenants[0]?.id ?? null,
    user: core.user,
    tenants,
  }
}

function subdomain(core: FakeCore, label: string): Schemas["SubdomainRead"] {
  const reason = core.refusals[label] ?? null
  return { label, available: reason === null, reason, host: `${label}.shops.test`, url: `http://${label}.shops.test:8080` }
}

function activate(core: FakeCore, request: Received): Answer {
  const { subdomain: label } = request.body as Schemas["InstallationCreate"]
  const reason = core.refusals[label]
  if (reason) return problem(409, `domains.${reason}`)
  const made = installation(100 + core.installations.length, label, "provisioning")
  core.installations.unshift(made)
  return { status: 201, body: { ...made } }
}

function progressOf({ status, url, failure }: Schemas["InstallationRead"]): string {
  const progress: Schemas["Progress"] = { status, url, failure, step: status === "provisioning" ? "requested" : status }
  return `event: progress\ndata: ${JSON.stringify(progress)}\n\n`
}

export function uuid(number: number): string {
  return `0197f000-0000-7000-8000-${String(number).padStart(12, "0")}`
}
