/** Follows an activation over server-sent events and writes each change of status into the cache. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query"
import { useCallback, useEffect, useRef, useState } from "react"

import { type Installation, type InstallationStatus, isSettling, isStatus } from "@/features/installations/installation"
import type { Api } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"
import { readEvents } from "@/shared/api/event-stream"

export function useProgressStream(id: string): { isStreaming: boolean; start: () => void } {
  const api = useApi()
  const queries = useQueryClient()
  const [isStreaming, setStreaming] = useState(false)
  const running = useRef<AbortController | null>(null)

  useEffect(
    () => () => {
      running.current?.abort()
      running.current = null
    },
    [id],
  )

  const start = useCallback(() => {
    if (running.current !== null) return
    const control = new AbortController()
    running.current = control
    setStreaming(true)
    follow(api, id, control.signal, (status) => note(queries, id, status))
      // a broken stream is no news: the query goes on asking by itself, and opens the next one
      .catch(() => undefined)
      .finally(() => {
        if (running.current !== control) return
        running.current = null
        setStreaming(false)
      })
  }, [api, id, queries])

  return { isStreaming, start }
}

async function follow(api: Api, id: string, signal: AbortSignal, onStatus: (status: InstallationStatus) => void) {
  const { data } = await api.client.GET("/api/v1/installations/{installation_id}/progress", {
    params: { path: { installation_id: id } },
    headers: { Accept: "text/event-stream" },
    parseAs: "stream",
    signal,
  })
  if (!data) return
  for await (const event of readEvents(data)) {
    const status = statusOf(event.data)
    if (status !== null) onStatus(status)
  }
}

function note(queries: QueryClient, id: string, status: InstallationStatus): void {
  const key = ["installations", id]
  if (isSettling({ status })) {
    queries.setQueryData<Installation>(key, (known) => (known === undefined ? known : { ...known, status }))
    return
  }
  // the end brings more than a status: an address that works, or why it failed
  void queries.invalidateQueries({ queryKey: key })
  void queries.invalidateQueries({ queryKey: ["installations"], exact: true })
}

function statusOf(data: string): InstallationStatus | null {
  try {
    const body: unknown = JSON.parse(data)
    const status = typeof body === "object" && body !== null && "status" in body ? body.status : null
    return isStatus(status) ? status : null
  } catch {
    return null
  }
}
