/** A person's tenants, and the one the panel acts for. */
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect } from "react"

import { read, type Schemas } from "@/shared/api/api"
import { useApi, useChosenTenant, useSessionStatus } from "@/shared/api/api-context"

export type Tenant = Schemas["TenantRead"]

const NONE: readonly Tenant[] = []

export function useTenants(): { tenants: readonly Tenant[]; current: Tenant | null } {
  const { client, tenant } = useApi()
  const queries = useQueryClient()
  const status = useSessionStatus()
  const chosen = useChosenTenant()
  const { data } = useQuery({
    queryKey: ["tenants"],
    queryFn: ({ signal }) => read(client.GET("/api/v1/tenants", { signal })),
    enabled: status === "active",
    staleTime: 60_000,
  })
  const tenants = data?.items ?? NONE
  const isGone = data?.next_cursor === null && chosen !== null && tenants.every(({ id }) => id !== chosen)
  useEffect(() => {
    // whoever was removed from the tenant that they had chosen goes on with one of their own
    if (!isGone || tenant.id === null) return
    tenant.forget()
    void queries.resetQueries()
  }, [isGone, tenant, queries])
  return { tenants, current: tenants.find(({ id }) => id === chosen) ?? tenants[0] ?? null }
}
