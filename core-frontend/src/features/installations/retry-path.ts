/** Back to the choice of an address, with everything chosen before still chosen. */
import type { Installation } from "@/features/installations/installation"
import { labelOf } from "@/shared/format/address"

export function retryPath({ module, url, subscription }: Pick<Installation, "module" | "url" | "subscription">): string {
  const choices = new URLSearchParams({ module, subdomain: labelOf(url), plan: subscription.plan })
  return `/select-module?${choices.toString()}`
}
