/** Hands the api to components, so that tests can hand them one that talks to a server of their own. */
import { createContext, use, useSyncExternalStore } from "react"

import type { Api } from "@/shared/api/api"
import type { SessionStatus } from "@/shared/api/session"

export const ApiContext = createContext<Api | null>(null)

export function useApi(): Api {
  const api = use(ApiContext)
  if (api === null) throw new Error("ApiContext is missing")
  return api
}

export function useSessionStatus(): SessionStatus {
  const { session } = useApi()
  return useSyncExternalStore(session.subscribe, () => session.status, () => session.status)
}

export function useChosenTenant(): string | null {
  const { tenant } = useApi()
  return useSyncExternalStore(tenant.subscribe, () => tenant.id, () => tenant.id)
}

/** Whether a call waits for the person to prove who it is. */
export function useIsAskedAgain(): boolean {
  const { stepUp } = useApi()
  return useSyncExternalStore(stepUp.subscribe, () => stepUp.isAsking, () => stepUp.isAsking)
}
