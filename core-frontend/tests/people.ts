/** The part of the fake core that is about the people of a tenant. */
import { type FakeCore, tenant, USER, uuid } from "@tests/core"
import { type Answer, problem, type Received } from "@tests/server"

import type { Schemas } from "@/shared/api/api"

/** `/me/invitations`, and `/me/invitations/<id>/accept` or `/decline`. */
export function mine(core: FakeCore, path: string): Answer {
  const [, , , id, answer] = path.split("/")
  if (id === undefined) return { body: { items: core.invitationsToMe, next_cursor: null } }
  const found = core.invitationsToMe.find((one) => one.id === id)
  if (found === undefined) return problem(404, "tenants.invitation_unknown")
  core.invitationsToMe = core.invitationsToMe.filter((one) => one !== found)
  if (answer === "decline") return { status: 204 }
  const joined = { ...tenant(7, found.tenant_name), id: found.tenant_id, role: found.role }
  core.tenants.push(joined)
  return { body: joined }
}

/** `/tenants/<id>/members` and `/tenants/<id>/invitations`, each with one of them by its id. */
export function team(core: FakeCore, request: Received, path: string): Answer {
  const [, , , list, id] = path.split("/")
  if (list === "handover") return handover(core, request, id)
  if (list === "members") {
    if (id === undefined) return { body: { items: core.members, next_cursor: null } }
    const found = core.members.find((one) => one.user_id === id)
    if (found === undefined) return problem(404, "tenants.member_unknown")
    if (request.method === "PATCH") return { body: Object.assign(found, request.body) }
    core.members = core.members.filter((one) => one !== found)
    return { status: 204 }
  }
  if (request.method === "POST") {
    const made = invitation(core.invitations.length, request.body as Schemas["InvitationCreate"])
    core.invitations.push(made)
    return { status: 201, body: { ...made, token: "token" } satisfies Schemas["InvitationMade"] }
  }
  if (request.method === "DELETE") {
    core.invitations = core.invitations.filter((one) => one.id !== id)
    return { status: 204 }
  }
  return { body: { items: core.invitations, next_cursor: null } }
}

function invitation(number: number, { phone, role }: Schemas["InvitationCreate"]): Schemas["InvitationRead"] {
  const expires = new Date(Date.now() + 72 * 3_600_000).toISOString()
  return { id: uuid(300 + number), phone, role, invited_by: USER, created_at: "2026-11-01T00:00:00Z", expires_at: expires }
}

/** `/tenants/<id>/handover`, and its answers. */
function handover(core: FakeCore, request: Received, answer: string | undefined): Answer {
  if (request.method === "PUT") {
    const [created, expires] = [0, 72].map((hours) => new Date(Date.now() + hours * 3_600_000).toISOString()) as [string, string]
    const { user_id: to } = request.body as Schemas["HandoverCreate"]
    core.handover = { from_user_id: USER, to_user_id: to, created_at: created, expires_at: expires }
  }
  if (core.handover === null) return problem(404, "tenants.handover_unknown")
  if (request.method === "GET" || request.method === "PUT") return { body: core.handover }
  core.handover = null
  if (answer !== "accept") return { status: 204 }
  const accepted = { ...(core.tenants[0] as Schemas["TenantRead"]), role: "owner" as const }
  core.tenants = [accepted]
  return { body: accepted }
}
