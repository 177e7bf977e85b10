/** Where a person was going before being asked to sign in. */
import type { Location } from "react-router"

import type { SessionStatus } from "@/shared/api/session"

export function signInPath({ pathname, search }: Pick<Location, "pathname" | "search">, status: SessionStatus): string {
  const query = new URLSearchParams({ next: pathname + search })
  if (status === "expired") query.set("expired", "1")
  return `/login?${query.toString()}`
}

/** The wanted page, when it is one of ours: an address that leads elsewhere is dropped. */
export function nextPath(query: URLSearchParams): string | null {
  const next = query.get("next")
  if (next === null || !next.startsWith("/") || /^\/[/\\]/.test(next)) return null
  return next
}
