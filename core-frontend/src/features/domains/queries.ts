/** Whether an address is free, asked while it is typed. */
import { useDebouncedValue } from "@mantine/hooks"
import { useQueries, useQuery } from "@tanstack/react-query"

import { type Malformed, malformation } from "@/features/domains/label"
import { type Api, read } from "@/shared/api/api"
import { useApi } from "@/shared/api/api-context"

const PAUSE = 300

export type AddressState =
  | { kind: "idle" }
  | { kind: "checking" }
  | { kind: "available" }
  | { kind: "refused"; reason: string }
  | { kind: "malformed"; malformed: Malformed }
  | { kind: "error"; error: unknown; retry: () => void }

export function useAddressState(label: string): AddressState {
  const api = useApi()
  const [settled] = useDebouncedValue(label, PAUSE)
  const malformed = malformation(label)
  const isSettled = settled === label
  const check = useQuery({ ...checkOf(api, label), enabled: isSettled && malformed === null })
  if (label === "") return { kind: "idle" }
  if (malformed !== null) return isSettled ? { kind: "malformed", malformed } : { kind: "idle" }
  if (!isSettled || check.isFetching || check.isPending) return { kind: "checking" }
  if (check.isError) return { kind: "error", error: check.error, retry: () => void check.refetch() }
  if (check.data.available) return { kind: "available" }
  return { kind: "refused", reason: check.data.reason ?? "taken" }
}

/** Those of the labels that are free, in their order. */
export function useFreeLabels(labels: readonly string[]): string[] {
  const api = useApi()
  const checks = useQueries({ queries: labels.map((label) => checkOf(api, label)) })
  return labels.filter((_, index) => checks[index]?.data?.available === true)
}

function checkOf(api: Api, label: string) {
  return {
    queryKey: ["subdomains", label],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      read(api.client.GET("/api/v1/subdomains/{label}", { params: { path: { label } }, signal })),
    staleTime: 15_000,
  }
}
