/** The catalogue: public, and the same for everyone. */
import { useQuery } from "@tanstack/react-query"

import { read, type Schemas } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"

export type Module = Schemas["ModuleRead"]
export type Plan = Schemas["PlanRead"]

export function useModules() {
  const { client } = useApi()
  return useQuery({
    queryKey: ["modules"],
    queryFn: async ({ signal }) => (await read(client.GET("/api/v1/modules", { signal }))).items,
    staleTime: 60_000,
  })
}

export function useModule(id: string) {
  const { client } = useApi()
  return useQuery({
    queryKey: ["modules", id],
    queryFn: ({ signal }) =>
      read(client.GET("/api/v1/modules/{module_id}", { params: { path: { module_id: id } }, signal })),
    staleTime: 60_000,
  })
}
