// @vitest-environment node
import { expect, test } from "vitest"

import { formatAgo, formatDayHeading, formatMoment } from "@/shared/format/moments"

const NOW = new Date(2026, 10, 26, 9, 30).getTime()
const plain = (text: string) => text.replace(/\s/g, " ")
const before = (days: number, hours = 0, minutes = 0) =>
  new Date(NOW - ((days * 24 + hours) * 60 + minutes) * 60_000).toISOString()

test.each([
  [before(0), "сейчас", "now"],
  [before(0, 0, -3), "сейчас", "now"], // this device's clock is behind
  [before(0, 0, 5), "5 минут назад", "5 minutes ago"],
  [before(0, 2, 59), "2 часа назад", "2 hours ago"],
  [before(1), "25 ноября в 09:30", "November 25 at 09:30 AM"],
  [before(400), "22 октября 2025 г. в 09:30", "October 22, 2025 at 09:30 AM"],
])("%s was %s", (moment, russian, english) => {
  expect(plain(formatAgo(moment, "ru", NOW))).toBe(russian)
  expect(plain(formatAgo(moment, "en", NOW))).toBe(english)
})

test.each([
  [before(0, 9), "Сегодня", "Today"],
  [before(0, 10), "Вчера", "Yesterday"],
  [before(2), "24 ноября", "November 24"],
  [before(365), "26 ноября 2025 г.", "November 26, 2025"],
])("%s is of the day %s", (moment, russian, english) => {
  expect(plain(formatDayHeading(moment, "ru", NOW))).toBe(russian)
  expect(plain(formatDayHeading(moment, "en", NOW))).toBe(english)
})

test("a moment to come has day and time", () => {
  expect(plain(formatMoment(before(-3), "ru", NOW))).toBe("29 ноября в 09:30")
})
