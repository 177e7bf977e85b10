// @vitest-environment node
import { describe, expect, test } from "vitest"

import { hostOf, labelOf, webUrl } from "@/shared/format/address"
import { daysLeft } from "@/shared/format/days"
import { formatMoney } from "@/shared/format/money"
import { typesetText } from "@/shared/i18n/typeset"

test("a day that has begun counts as left, a moment that has passed does not", () => {
  const now = Date.parse("2026-11-20T12:00:00Z")
  expect(daysLeft("2026-12-04T11:00:00Z", now)).toBe(14)
  expect(daysLeft("2026-11-20T12:00:01Z", now)).toBe(1)
  expect(daysLeft("2026-11-20T11:59:59Z", now)).toBe(0)
})

test("whole roubles have no kopecks", () => {
  expect(formatMoney(99_000, "RUB", "ru").replace(/\s/g, " ")).toBe("990 ₽")
  expect(formatMoney(99_050, "RUB", "ru").replace(/\s/g, " ")).toBe("990,50 ₽")
  expect(formatMoney(99_000, "RUB", "en")).toBe("₽990")
})

describe("addresses", () => {
  test("are shown without their scheme", () => {
    expect(hostOf("http://pekarnya.localhost:8080/")).toBe("pekarnya.localhost:8080")
    expect(labelOf("http://pekarnya.localhost:8080/")).toBe("pekarnya")
  })

  test.each(["javascript:alert(1)", "data:text/html,x", "nonsense", ""])("%j leads nowhere", (text) => {
    expect(webUrl(text)).toBeNull()
  })
})

test("short words and dashes keep to their neighbours", () => {
  expect(typesetText("Вход в панель — за минуту")).toBe("Вход в\u00a0панель\u00a0— за\u00a0минуту")
  expect(typesetText("и в чеке, и на «стене»")).toBe("и\u00a0в\u00a0чеке, и\u00a0на\u00a0«стене»")
  expect(typesetText("Адрес свободен")).toBe("Адрес свободен")
})
