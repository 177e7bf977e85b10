/** Calls about a tenant's webhook endpoints. Their secrets stand in no cache: only the answer that makes one has it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"

import { healthOf } from "@/features/webhooks/endpoint"
import { read, type Schemas } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"
import { useIdempotencyKey } from "@/shared/api/idempotency-key"
import { usePages } from "@/shared/api/pages"

export type Endpoint = Schemas["WebhookEndpointRead"]
export type EndpointWish = Schemas["WebhookEndpointCreate"]
export type EndpointChange = Schemas["WebhookEndpointUpdate"]

export const ALL = ["webhook-endpoints"] as const

export function useEndpoints() {
  const { client } = useApi()
  return usePages(ALL, ({ query, signal }) => read(client.GET("/api/v1/webhook-endpoints", { params: { query }, signal })))
}

export function useEndpoint(id: string) {
  const { client } = useApi()
  return useQuery({
    queryKey: [...ALL, id],
    queryFn: ({ signal }) => read(client.GET("/api/v1/webhook-endpoints/{endpoint_id}", { params: at(id), signal })),
  })
}

/** Those that take no events, unless it was somebody here who disabled them. Looked at anew each time: old news alarm for nothing. */
export function useUnwellEndpoints() {
  const { client } = useApi()
  return useQuery({
    queryKey: [...ALL, "unwell"],
    queryFn: ({ signal }) => read(client.GET("/api/v1/webhook-endpoints", { params: { query: { limit: 100 } }, signal })),
    select: ({ items }) => items.filter((one) => healthOf(one) !== "enabled" && one.disabled_reason !== "owner"),
    gcTime: 0,
  })
}

export function useAddEndpoint() {
  const { client } = useApi()
  const queries = useQueryClient()
  const keyFor = useIdempotencyKey()
  return useMutation({
    mutationFn: (wanted: EndpointWish) =>
      keyFor(JSON.stringify(wanted), (key) =>
        read(client.POST("/api/v1/webhook-endpoints", { body: wanted, headers: { "Idempotency-Key": key } })),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ALL, exact: true }),
  })
}

export function useChangeEndpoint(id: string) {
  const { client } = useApi()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (change: EndpointChange) =>
      read(client.PATCH("/api/v1/webhook-endpoints/{endpoint_id}", { params: at(id), body: change })),
    onSuccess: (endpoint) => queries.setQueryData([...ALL, id], endpoint),
    onSettled: () => queries.invalidateQueries({ queryKey: ALL, exact: true }),
  })
}

export function useRotateSecret(id: string) {
  const { client } = useApi()
  const queries = useQueryClient()
  const keyFor = useIdempotencyKey()
  return useMutation({
    mutationFn: (graceSeconds: number) =>
      keyFor(`${id} ${graceSeconds}`, (key) => {
        const headers = { "Idempotency-Key": key }
        const body = { grace_seconds: graceSeconds }
        return read(client.POST("/api/v1/webhook-endpoints/{endpoint_id}/rotate-secret", { params: at(id), body, headers }))
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: [...ALL, id] }),
  })
}

export function useDeleteEndpoint(id: string) {
  const { client } = useApi()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => read(client.DELETE("/api/v1/webhook-endpoints/{endpoint_id}", { params: at(id) })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ALL, exact: true }),
  })
}

function at(id: string) {
  return { path: { endpoint_id: id } }
}
