/** The cache of answers. Repeats are the transport's business, so the cache itself repeats nothing. */
import { QueryClient } from "@tanstack/react-query"

export function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { retry: false, networkMode: "always" },
      mutations: { retry: false, networkMode: "always" },
    },
  })
}
