/** Days as an owner counts them. */

const DAY = 86_400_000

/** Days left until a moment, the one under way included; 0 once it has passed. */
export function daysLeft(until: string, now: number = Date.now()): number {
  return Math.max(0, Math.ceil((Date.parse(until) - now) / DAY))
}

export function formatDay(moment: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { day: "numeric", month: "long" }).format(new Date(moment))
}
