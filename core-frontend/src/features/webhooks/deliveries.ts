/** Calls about what endpoints were sent: deliveries, their attempts, and sending again. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"

import { ALL } from "@/features/webhooks/queries"
import { read, type Schemas } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"
import { useIdempotencyKey } from "@/shared/api/idempotency-key"
import { usePages } from "@/shared/api/pages"
import { randomKey } from "@/shared/api/random-key"

export type Delivery = Schemas["DeliveryRead"]
export type DeliveryStatus = Delivery["status"]
export type Attempt = Schemas["AttemptRead"]
export type Replay = Schemas["ReplayRead"]
export type ReplayWish = Required<Pick<Schemas["ReplayRequest"], "since" | "until" | "event_types" | "statuses" | "rate_per_second">>

export interface DeliveryFilter {
  endpointId: string
  status: DeliveryStatus | null
  type: string | null
  since: string | null
}

const SOON = 2_000

export function useDeliveries({ endpointId, status, type, since }: DeliveryFilter) {
  const { client } = useApi()
  const asked = { endpoint_id: endpointId, ...(status && { status }), ...(type && { type }), ...(since && { since }) }
  return usePages(
    ["deliveries", endpointId, status ?? "", type ?? "", since ?? ""],
    ({ query, signal }) => read(client.GET("/api/v1/deliveries", { params: { query: { ...asked, limit: 20, ...query } }, signal })),
    { lookAgain: (items) => (items.some(isOnItsWay) ? SOON : false) },
  )
}

/** `isAwaited`: it was asked to be sent again, which the platform will do in a moment. */
export function useDelivery(id: string, isAwaited: boolean) {
  const { client } = useApi()
  return useQuery({
    queryKey: ["delivery", id],
    queryFn: ({ signal }) => read(client.GET("/api/v1/deliveries/{delivery_id}", { params: delivery(id), signal })),
    refetchInterval: ({ state }) => (isAwaited || (state.data !== undefined && isOnItsWay(state.data)) ? SOON : false),
  })
}

/** What the delivery tells of its attempts is part of the key: they are counted anew when it is sent again. */
export function useAttempts({ id, attempts, finished_at: finished }: Delivery) {
  const { client } = useApi()
  return usePages(["attempts", id, String(attempts), finished ?? ""], ({ query, signal }) =>
    read(client.GET("/api/v1/deliveries/{delivery_id}/attempts", { params: { ...delivery(id), query }, signal })),
  )
}

export function useSendAgain() {
  const { client } = useApi()
  const refresh = useRefresh()
  return useMutation({
    mutationFn: (id: string) => {
      const headers = { "Idempotency-Key": randomKey() }
      return read(client.POST("/api/v1/deliveries/{delivery_id}/replay", { params: delivery(id), headers }))
    },
    onSettled: refresh,
  })
}

/** Sends a `ping`; its delivery is found by the event's id. */
export function useSendTest(endpointId: string) {
  const { client } = useApi()
  const refresh = useRefresh()
  return useMutation({
    mutationFn: () => {
      const headers = { "Idempotency-Key": randomKey() }
      return read(client.POST("/api/v1/webhook-endpoints/{endpoint_id}/test", { params: endpoint(endpointId), headers }))
    },
    onSettled: refresh,
  })
}

export function useTestResult(eventId: string) {
  const { client } = useApi()
  const queries = useQueryClient()
  return useQuery({
    queryKey: ["test", eventId],
    queryFn: async ({ signal }) => {
      const query = { event_id: eventId, limit: 1 }
      const page = await read(client.GET("/api/v1/deliveries", { params: { query }, signal }))
      const [found = null] = page.items
      if (found !== null && wasTried(found)) void refreshAfter(queries)
      return found
    },
    refetchInterval: ({ state }) => (state.data && wasTried(state.data) ? false : 700),
  })
}

export function useReplays(endpointId: string) {
  const { client } = useApi()
  const queries = useQueryClient()
  return usePages(
    ["replays", endpointId],
    async ({ query, signal }) => {
      const params = { ...endpoint(endpointId), query: { limit: 5, ...query } }
      const page = await read(client.GET("/api/v1/webhook-endpoints/{endpoint_id}/replays", { params, signal }))
      if (page.items.some(isFresh)) void queries.invalidateQueries({ queryKey: ["deliveries"] })
      return page
    },
    { lookAgain: (items) => (items.some(({ status }) => status === "running") ? SOON : false) },
  )
}

/** How many deliveries a replay would send again now. */
export function useCountReplay(endpointId: string) {
  const { client } = useApi()
  return useMutation({
    mutationFn: async (wish: ReplayWish) => {
      const body = { ...wish, dry_run: true }
      const path = "/api/v1/webhook-endpoints/{endpoint_id}/replays"
      const counted = await read(client.POST(path, { params: endpoint(endpointId), body }))
      return counted.total
    },
  })
}

export function useStartReplay(endpointId: string) {
  const { client } = useApi()
  const refresh = useRefresh()
  const keyFor = useIdempotencyKey()
  return useMutation({
    mutationFn: (wish: ReplayWish) =>
      keyFor(JSON.stringify(wish), (key) => {
        const asked = { params: endpoint(endpointId), body: { ...wish, dry_run: false }, headers: { "Idempotency-Key": key } }
        return read(client.POST("/api/v1/webhook-endpoints/{endpoint_id}/replays", asked))
      }),
    onSettled: refresh,
  })
}

export function useRecover(endpointId: string) {
  const { client } = useApi()
  const refresh = useRefresh()
  const keyFor = useIdempotencyKey()
  return useMutation({
    mutationFn: (since: string) =>
      keyFor(since, (key) => {
        const asked = { params: endpoint(endpointId), body: { since }, headers: { "Idempotency-Key": key } }
        return read(client.POST("/api/v1/webhook-endpoints/{endpoint_id}/recover", asked))
      }),
    onSettled: refresh,
  })
}

export function useCancelReplay() {
  const { client } = useApi()
  const refresh = useRefresh()
  return useMutation({
    mutationFn: (id: string) => read(client.POST("/api/v1/replays/{replay_id}/cancel", { params: { path: { replay_id: id } } })),
    onSettled: refresh,
  })
}

/** An answer may also change what the endpoint is: by a 410 it is disabled. */
function refreshAfter(queries: ReturnType<typeof useQueryClient>): Promise<unknown> {
  return Promise.all([["deliveries"], ALL].map((queryKey) => queries.invalidateQueries({ queryKey })))
}

/** Whether something may become of it within seconds: a retry in hours is not waited for. */
function isOnItsWay({ status, due_at: due }: Delivery): boolean {
  return status === "pending" && due !== null && Date.parse(due) < Date.now() + 60_000
}

/** Whether what a replay sends may not stand in the list of deliveries yet. */
function isFresh({ finished_at: finished }: Replay): boolean {
  return finished === null || Date.parse(finished) > Date.now() - 5 * SOON
}

export function wasTried({ last_error: error, last_response_status: status }: Delivery): boolean {
  return error !== null || status !== null
}

function useRefresh(): () => Promise<unknown> {
  const queries = useQueryClient()
  return () => Promise.all(["deliveries", "delivery", "attempts", "replays"].map((key) => queries.invalidateQueries({ queryKey: [key] })))
}

function delivery(id: string) {
  return { path: { delivery_id: id } }
}

function endpoint(id: string) {
  return { path: { endpoint_id: id } }
}
