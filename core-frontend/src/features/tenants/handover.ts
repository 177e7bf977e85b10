/** Calls about handing a tenant over to another member: offered by its owner, accepted or declined by that member. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"

import { read, type Schemas } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"
import { isApiError } from "@/shared/api/errors"

export type Handover = Schemas["HandoverRead"]

/** The offer that waits for an answer; null when there is none. */
export function useHandover(tenantId: string) {
  const { client } = useApi()
  return useQuery({
    queryKey: ["handover", tenantId],
    queryFn: async ({ signal }): Promise<Handover | null> => {
      const params = { path: { tenant_id: tenantId } }
      try {
        return await read(client.GET("/api/v1/tenants/{tenant_id}/handover", { params, signal }))
      } catch (error) {
        if (isApiError(error, "tenants.handover_unknown")) return null
        throw error
      }
    },
  })
}

export function useOfferHandover(tenantId: string) {
  const { client } = useApi()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (userId: string) => {
      const params = { path: { tenant_id: tenantId } }
      return read(client.PUT("/api/v1/tenants/{tenant_id}/handover", { params, body: { user_id: userId } }))
    },
    onSuccess: (offer) => queries.setQueryData(["handover", tenantId], offer),
  })
}

/** Takes the offer back, for whoever made it; accepts or declines it, for whomever it is made to. */
export function useSettleHandover(tenantId: string) {
  const { client } = useApi()
  const queries = useQueryClient()
  const params = { path: { tenant_id: tenantId } }
  return useMutation({
    mutationFn: async (how: "withdraw" | "accept" | "decline") => {
      if (how === "withdraw") await client.DELETE("/api/v1/tenants/{tenant_id}/handover", { params })
      else if (how === "accept") await client.POST("/api/v1/tenants/{tenant_id}/handover/accept", { params })
      else await client.POST("/api/v1/tenants/{tenant_id}/handover/decline", { params })
    },
    onSettled: () =>
      Promise.all([["handover", tenantId], ["members", tenantId], ["invitations", tenantId], ["tenants"]].map((queryKey) => queries.invalidateQueries({ queryKey }))),
  })
}
