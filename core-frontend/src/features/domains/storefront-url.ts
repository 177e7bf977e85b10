/** The address that a label will have. Only the core knows the storefronts' domain, so it is learnt from its answers. */
import { useQueryClient } from "@tanstack/react-query"

import type { Schemas } from "@/shared/api/api"

export function useStorefrontUrl(label: string): string {
  const answers = useQueryClient().getQueriesData<Schemas["SubdomainRead"]>({ queryKey: ["subdomains"] })
  for (const [, answer] of answers) {
    const url = answer === undefined ? null : withLabel(answer, label)
    if (url !== null) return url
  }
  // until the first answer: what the panel's own address suggests
  return `${window.location.protocol}//${label}.${window.location.host}`
}

/** The answer's address with another label in it, or null when it has none. */
export function withLabel({ label: known, url }: Pick<Schemas["SubdomainRead"], "label" | "url">, label: string): string | null {
  const start = `://${known}.`
  return url?.includes(start) === true ? url.replace(start, `://${label}.`) : null
}
