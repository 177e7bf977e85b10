/** Calls about the people of a tenant: its members, those it has invited, and the invitations to oneself. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"

import { read, type Schemas } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"
import { usePages } from "@/shared/api/pages"
import { randomKey } from "@/shared/api/random-key"

export type Member = Schemas["MemberRead"]
export type Invitation = Schemas["InvitationRead"]
export type InvitationToMe = Schemas["InvitationOfPerson"]
export type Role = Member["role"]

const RANKS: readonly Role[] = ["staff", "admin", "owner"]

/** The roles that a member may invite others to; the core decides, this only shows what it would allow. */
export function grantable(own: Role): readonly Role[] {
  return own === "staff" ? [] : RANKS.slice(0, RANKS.indexOf(own) + 1)
}

export function mayRemove(own: Role, other: Role): boolean {
  return own === "owner" || (own === "admin" && other === "staff")
}

export function useMembers(tenantId: string) {
  const { client } = useApi()
  return usePages(["members", tenantId], ({ query, signal }) => {
    const params = { path: { tenant_id: tenantId }, query }
    return read(client.GET("/api/v1/tenants/{tenant_id}/members", { params, signal }))
  })
}

export function useAppoint(tenantId: string) {
  const { client } = useApi()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ userId, role }: { userId: string; role: Schemas["MemberUpdate"]["role"] }) => {
      const params = { path: { tenant_id: tenantId, user_id: userId } }
      return read(client.PATCH("/api/v1/tenants/{tenant_id}/members/{user_id}", { params, body: { role } }))
    },
    onSettled: () => refreshTeam(queries, tenantId),
  })
}

/** Removes somebody, or oneself: then the panel goes on with another tenant. */
export function useRemoveMember(tenantId: string, me: string) {
  const { client, tenant } = useApi()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (userId: string) => {
      const params = { path: { tenant_id: tenantId, user_id: userId } }
      return read(client.DELETE("/api/v1/tenants/{tenant_id}/members/{user_id}", { params }))
    },
    onSuccess: (_, userId) => {
      if (userId !== me) return
      tenant.forget()
      void queries.resetQueries()
    },
    onSettled: (_, __, userId) => (userId === me ? undefined : refreshTeam(queries, tenantId)),
  })
}

export function useInvitations(tenantId: string, isEnabled: boolean) {
  const { client } = useApi()
  return usePages(["invitations", tenantId], ({ query, signal }) => {
    const params = { path: { tenant_id: tenantId }, query }
    return read(client.GET("/api/v1/tenants/{tenant_id}/invitations", { params, signal }))
  }, { isEnabled })
}

export function useInvite(tenantId: string) {
  const { client } = useApi()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (wanted: Schemas["InvitationCreate"]) => {
      const params = { path: { tenant_id: tenantId } }
      const headers = { "Idempotency-Key": randomKey() }
      return read(client.POST("/api/v1/tenants/{tenant_id}/invitations", { params, body: wanted, headers }))
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["invitations", tenantId] }),
  })
}

export function useWithdraw(tenantId: string) {
  const { client } = useApi()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => {
      const params = { path: { tenant_id: tenantId, invitation_id: id } }
      return read(client.DELETE("/api/v1/tenants/{tenant_id}/invitations/{invitation_id}", { params }))
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["invitations", tenantId] }),
  })
}

export function useMyInvitations() {
  const { client } = useApi()
  return useQuery({
    queryKey: ["my-invitations"],
    queryFn: ({ signal }) => read(client.GET("/api/v1/me/invitations", { signal })),
    select: (page) => page.items,
  })
}

/** Accepting makes the panel act for the tenant that was joined. */
export function useAccept() {
  const { client, tenant } = useApi()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) =>
      read(client.POST("/api/v1/me/invitations/{invitation_id}/accept", { params: { path: { invitation_id: id } } })),
    onSuccess: (joined) => {
      tenant.choose(joined.id)
      void queries.resetQueries()
    },
    onError: () => queries.invalidateQueries({ queryKey: ["my-invitations"] }),
  })
}

export function useDecline() {
  const { client } = useApi()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) =>
      read(client.POST("/api/v1/me/invitations/{invitation_id}/decline", { params: { path: { invitation_id: id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["my-invitations"] }),
  })
}

function refreshTeam(queries: ReturnType<typeof useQueryClient>, tenantId: string): Promise<unknown> {
  const keys = [["members", tenantId], ["invitations", tenantId], ["tenants"]]
  return Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey })))
}
