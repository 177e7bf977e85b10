/** Follows an activation over server-sent events and writes each change of status into the cache. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query"
import { useCallback, useEffect, useRef, useState } from "react"

import { type Installation, isSettling, type Step } from "@/features/installations/installation"
import type { Api, Schemas } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"
import { readEvents } from "@/shared/api/event-stream"

type Progress = Schemas["Progress"]

export interface ProgressStream {
  isStreaming: boolean
  step: Step
  /** Opens the stream unless one is open. */
  start: () => void
}

export function useProgressStream(id: string): ProgressStream {
  const api = useApi()
  const queries = useQueryClient()
  const [isStreaming, setStreaming] = useState(false)
  const [step, setStep] = useState<Step>("requested")
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
    const take = (progress: Progress) => {
      setStep(progress.step)
      note(queries, id, progress)
    }
    follow(api, id, control.signal, take)
      // a broken stream is no news: the query goes on asking by itself, and opens the next one
      .catch(() => undefined)
      .finally(() => {
        if (running.current !== control) return
        running.current = null
        setStreaming(false)
      })
  }, [api, id, queries])

  return { isStreaming, step, start }
}

async function follow(api: Api, id: string, signal: AbortSignal, onProgress: (progress: Progress) => void) {
  const { data } = await api.client.GET("/api/v1/installations/{installation_id}/progress", {
    params: { path: { installation_id: id } },
    headers: { Accept: "text/event-stream" },
    parseAs: "stream",
    signal,
  })
  if (!data) return
  for await (const { event, data: text } of readEvents(data)) {
    if (event === "progress") onProgress(JSON.parse(text) as Progress)
  }
}

function note(queries: QueryClient, id: string, { status, url, failure }: Progress): void {
  queries.setQueryData<Installation>(["installations", id], (known) =>
    known === undefined ? known : { ...known, status, url, failure },
  )
  if (!isSettling({ status })) void queries.invalidateQueries({ queryKey: ["installations"] })
}
