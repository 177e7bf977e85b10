/** The trail, one's own and a tenant's. */
import { read, type Schemas } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"
import { usePages } from "@/shared/api/pages"

export type AuditEntry = Schemas["AuditEntryRead"]

export function useOwnTrail(limit: number) {
  const { client } = useApi()
  return usePages(["own-audit"], ({ query, signal }) =>
    read(client.GET("/api/v1/me/audit", { params: { query: { limit, ...query } }, signal })),
  )
}

export function useTenantTrail(tenantId: string, isEnabled: boolean) {
  const { client } = useApi()
  return usePages(["audit", tenantId], ({ query, signal }) => {
    const params = { path: { tenant_id: tenantId }, query }
    return read(client.GET("/api/v1/tenants/{tenant_id}/audit", { params, signal }))
  }, { isEnabled })
}
