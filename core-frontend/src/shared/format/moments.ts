/** Moments as people say them: how long ago, on which day, at what time. */

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** `5 минут назад` for what was lately, `24 ноября, 14:02` for the rest. */
export function formatAgo(moment: string, locale: string, now: number = Date.now()): string {
  const passed = Math.max(0, now - Date.parse(moment))
  const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" })
  if (passed < MINUTE) return words.format(0, "second")
  if (passed < HOUR) return words.format(-Math.floor(passed / MINUTE), "minute")
  if (passed < 12 * HOUR) return words.format(-Math.floor(passed / HOUR), "hour")
  return formatMoment(moment, locale, now)
}

/** Day and time, with the year only when it is another one. */
export function formatMoment(moment: string, locale: string, now: number = Date.now()): string {
  const parts = { ...dayParts(moment, now), hour: "2-digit", minute: "2-digit" } as const
  return new Intl.DateTimeFormat(locale, parts).format(new Date(moment))
}

export function formatTime(moment: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" }).format(new Date(moment))
}

/** `Сегодня`, `Вчера`, else the date: what stands above the things of one day. */
export function formatDayHeading(moment: string, locale: string, now: number = Date.now()): string {
  const days = Math.round((startOfDay(now) - startOfDay(Date.parse(moment))) / (24 * HOUR))
  if (days === 0 || days === 1) return capital(new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-days, "day"), locale)
  return new Intl.DateTimeFormat(locale, dayParts(moment, now)).format(new Date(moment))
}

function dayParts(moment: string, now: number): Intl.DateTimeFormatOptions {
  const isThisYear = new Date(moment).getFullYear() === new Date(now).getFullYear()
  return isThisYear ? { day: "numeric", month: "long" } : { day: "numeric", month: "long", year: "numeric" }
}

function startOfDay(moment: number): number {
  return new Date(moment).setHours(0, 0, 0, 0)
}

function capital(text: string, locale: string): string {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1)
}
