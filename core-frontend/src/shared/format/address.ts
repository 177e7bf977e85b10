/** Addresses as people read them, and the one place that decides which addresses the panel will open or post to. */

/** A storefront's address without its scheme: `pekarnya.example.ru`. */
export function hostOf(url: string): string {
  const parsed = webUrl(url)
  return parsed === null ? url : parsed.host
}

export function labelOf(url: string): string {
  return hostOf(url).split(".")[0] ?? ""
}

/** The parsed address when it leads to the web, null for `javascript:` and all else. */
export function webUrl(url: string): URL | null {
  if (!URL.canParse(url)) return null
  const parsed = new URL(url)
  return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed : null
}
