/** Calls about installations: activate, list, look at one, enter its admin, remove it. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect } from "react"

import { isSettling } from "@/features/installations/installation"
import { useProgressStream } from "@/features/installations/use-progress-stream"
import { read, type Schemas } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"
import { useIdempotencyKey } from "@/shared/api/idempotency-key"
import { postForm } from "@/shared/browser/post-form"

const POLL_ALONE = 1_500
const POLL_BESIDE_STREAM = 10_000
const LEAVING = 8_000

export function useActivate() {
  const { client } = useApi()
  const queries = useQueryClient()
  const keyFor = useIdempotencyKey()
  return useMutation({
    mutationFn: (wanted: Schemas["InstallationCreate"]) =>
      keyFor(JSON.stringify(wanted), (key) =>
        read(client.POST("/api/v1/installations", { body: wanted, headers: { "Idempotency-Key": key } })),
      ),
    onSuccess: (installation) => {
      queries.setQueryData(["installations", installation.id], installation)
      void queries.invalidateQueries({ queryKey: ["installations"], exact: true })
    },
    onSettled: (_, __, wanted) => queries.invalidateQueries({ queryKey: ["subdomains", wanted.subdomain] }),
  })
}

export function useInstallations() {
  const { client } = useApi()
  return useInfiniteQuery({
    queryKey: ["installations"],
    queryFn: ({ pageParam, signal }) =>
      read(client.GET("/api/v1/installations", { params: { query: pageParam === null ? {} : { cursor: pageParam } }, signal })),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    select: (data) => data.pages.flatMap((page) => page.items),
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some(isSettling)) === true ? POLL_ALONE : false,
  })
}

/** One installation, followed while it is on its way. */
export function useInstallation(id: string) {
  const { client } = useApi()
  const { isStreaming, step, start } = useProgressStream(id)
  const query = useQuery({
    queryKey: ["installations", id],
    queryFn: ({ signal }) =>
      read(client.GET("/api/v1/installations/{installation_id}", { params: { path: { installation_id: id } }, signal })),
    refetchInterval: ({ state }) => {
      if (state.data === undefined || !isSettling(state.data)) return false
      return isStreaming ? POLL_BESIDE_STREAM : POLL_ALONE
    },
  })
  const isOnItsWay = query.data !== undefined && isSettling(query.data)
  const { dataUpdatedAt } = query
  useEffect(() => {
    // every look that finds it still on its way opens the stream again, should it have broken off
    if (isOnItsWay) start()
  }, [isOnItsWay, dataUpdatedAt, start])
  return { ...query, step }
}

export function useEnterAdmin() {
  const { client } = useApi()
  const entry = useMutation({
    mutationFn: (id: string) =>
      read(client.POST("/api/v1/installations/{installation_id}/session", { params: { path: { installation_id: id } } })),
    onSuccess: ({ action, ticket }) => postForm(action, { ticket }),
  })
  const { isSuccess, reset } = entry
  useEffect(() => {
    if (!isSuccess) return
    // the page is being left; but a person may come back to it, or the module may never answer
    const timer = setTimeout(reset, LEAVING)
    window.addEventListener("pageshow", reset)
    return () => {
      clearTimeout(timer)
      window.removeEventListener("pageshow", reset)
    }
  }, [isSuccess, reset])
  return entry
}

export function useRemove() {
  const { client } = useApi()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) =>
      read(client.DELETE("/api/v1/installations/{installation_id}", { params: { path: { installation_id: id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["installations"] }),
  })
}
