/** The part of the fake core that is about one's own account, and the trails. */
import { challenge, CODE } from "@tests/core"
import { type Answer, problem, type Received } from "@tests/server"

import type { Schemas } from "@/shared/api/api"

export interface Account {
  user: Schemas["ProfileRead"]
  password: string | null
  /** Whether what matters asks for a code or the password first. */
  asksAgain: boolean
  sessions: Schemas["SessionRead"][]
  ownTrail: Schemas["AuditEntryRead"][]
  trail: Schemas["AuditEntryRead"][]
}

const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1"

export function freshAccount(id: string): Account {
  const user = { id, phone: "+79991234567", name: "", locale: "ru", created_at: "2026-11-01T00:00:00Z" } as const
  return {
    user: { ...user, has_password: false, phone_change: null },
    password: null,
    asksAgain: false,
    sessions: [session(1, CHROME, true), session(2, IPHONE, false)],
    ownTrail: [entry(1, "person.signed_in", { method: "otp" })],
    trail: [],
  }
}

export function session(number: number, userAgent: string, current: boolean): Schemas["SessionRead"] {
  const used = new Date(Date.now() - number * 300_000).toISOString()
  return {
    id: `0197f000-0000-7000-8000-00000000010${number}`,
    user_agent: userAgent,
    ip: `198.51.100.${number}`,
    created_at: used,
    last_used_at: used,
    expires_at: "2027-11-01T00:00:00Z",
    current,
  }
}

export function entry(number: number, action: string, data: Schemas["AuditEntryRead"]["data"] = {}): Schemas["AuditEntryRead"] {
  return {
    id: `0197f000-0000-7000-8000-${String(number).padStart(12, "0")}`,
    action,
    occurred_at: new Date(Date.now() - number * 60_000).toISOString(),
    user_id: "0197f000-0000-7000-8000-0000000000aa",
    session_id: null,
    subject_id: null,
    address: "198.51.100.7",
    request_id: null,
    data,
  }
}

export function account(core: Account, request: Received, path: string): Answer {
  const call = `${request.method} ${path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "…")}`
  const body = request.body as Record<string, string> | null
  if (core.asksAgain && ["PUT /me/password", "DELETE /me/password", "POST /me/phone-changes"].includes(call)) {
    return problem(401, "accounts.reauthentication_needed", { max_age: 600 })
  }
  if (body !== null && "code" in body && body["code"] !== CODE) return problem(422, "accounts.code_wrong", { tries_left: 4 })
  switch (call) {
    case "PATCH /me":
      Object.assign(core.user, body)
      return { body: core.user }
    case "GET /me":
      return { body: core.user }
    case "PUT /me/password":
      core.password = body?.["password"] ?? null
      core.user.has_password = true
      core.sessions = core.sessions.filter(({ current }) => current)
      return { status: 204 }
    case "DELETE /me/password":
      core.password = null
      core.user.has_password = false
      return { status: 204 }
    case "POST /me/reauthentication":
      return reauthenticate(core, body)
    case "GET /me/sessions":
      return { body: { items: core.sessions, next_cursor: null } }
    case "DELETE /me/sessions":
      core.sessions = core.sessions.filter(({ current }) => current)
      return { status: 204 }
    case "DELETE /me/sessions/…":
      core.sessions = core.sessions.filter(({ id }) => !path.endsWith(id))
      return { status: 204 }
    case "GET /me/audit":
      return { body: page(core.ownTrail, request.query) }
    case "GET /tenants/…/audit":
      return { body: page(core.trail, request.query) }
    default:
      return phone(core, call, body, request)
  }
}

function reauthenticate(core: Account, body: Record<string, string> | null): Answer {
  const password = body?.["password"]
  if (password !== undefined && password !== core.password) return problem(422, "accounts.password_wrong")
  core.asksAgain = false
  const until = new Date(Date.now() + 600_000).toISOString()
  return { body: { access_token: "good", token_type: "Bearer", expires_in: 600, recent_until: until } satisfies Schemas["Reauthenticated"] }
}

let wanted = ""

/** The change of number: new one, its code, the old one, its code; or the end of it. */
function phone(core: Account, call: string, body: Record<string, string> | null, request: Received): Answer {
  switch (call) {
    case "POST /me/phone-changes":
      wanted = body?.["phone"] ?? ""
      return { status: 202, body: challenge("max") }
    case "POST /me/phone-changes/…/confirm": {
      const [requested, due] = [0, 72].map((hours) => new Date(Date.now() + hours * 3_600_000).toISOString()) as [string, string]
      const change = { id: request.path.split("/")[5] ?? "", phone: wanted, requested_at: requested, due_at: due }
      core.user.phone_change = change
      return { body: change satisfies Schemas["PhoneChangeRead"] }
    }
    case "POST /me/phone-changes/…/old-phone/confirm":
      Object.assign(core.user, { phone: core.user.phone_change?.phone, phone_change: null })
      return { body: core.user }
    case "DELETE /me/phone-changes/…":
      core.user.phone_change = null
      return { status: 204 }
    case "POST /me/phone-changes/…/old-phone":
    case "POST /me/reauthentication/challenges":
      return { status: 202, body: challenge("max") }
    default:
      return problem(404, "request.not_found")
  }
}

function page<Item>(items: Item[], query: URLSearchParams): { items: Item[]; next_cursor: string | null } {
  const [start, limit] = [Number(query.get("cursor") ?? 0), Number(query.get("limit") ?? 50)]
  const next = start + limit
  return { items: items.slice(start, next), next_cursor: next < items.length ? String(next) : null }
}
