/** Lists that the core gives out page by page, as one list that can grow. */
import { useInfiniteQuery } from "@tanstack/react-query"

interface Page<Item> {
  items: Item[]
  next_cursor: string | null
}

export interface Asked {
  /** Spread into the query of the call: empty for the first page. */
  query: { cursor?: string }
  signal: AbortSignal
}

interface PagesOptions<Item> {
  isEnabled?: boolean
  /** In how many milliseconds to look again, by what was found. */
  lookAgain?: (items: readonly Item[]) => number | false
}

export function usePages<Item>(
  queryKey: readonly string[],
  fetchPage: (asked: Asked) => Promise<Page<Item>>,
  { isEnabled = true, lookAgain = () => false }: PagesOptions<Item> = {},
) {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => fetchPage({ query: pageParam === null ? {} : { cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    select: (data) => data.pages.flatMap((page) => page.items),
    enabled: isEnabled,
    refetchInterval: ({ state }) => lookAgain(state.data?.pages.flatMap((page) => page.items) ?? []),
  })
}
