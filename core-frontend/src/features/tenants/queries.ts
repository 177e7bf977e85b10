/** A person's tenants, and the one the panel acts for. */
import { useQuery } from "@tanstack/react-query"

import { read, type Schemas } from "@/shared/api/api"
import { useApi, useChosenTenant, useSessionStatus } from "@/shared/api/api-context"

export type Tenant = Schemas["TenantRead"]

const NONE: readonly Tenant[] = []

export function useTenants(): { tenants: readonly Tenant[]; current: Tenant | null } {
  const { client } = useApi()
  const status = useSessionStatus()
  const chosen = useChosenTenant()
  const { data } = useQuery({
    queryKey: ["tenants"],
    queryFn: ({ signal }) => read(client.GET("/api/v1/tenants", { signal })),
    enabled: status === "active",
    staleTime: 60_000,
  })
  const tenants = data?.items ?? NONE
  return { tenants, current: tenants.find(({ id }) => id === chosen) ?? tenants[0] ?? null }
}
