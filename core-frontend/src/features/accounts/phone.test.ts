// @vitest-environment node
import { expect, test } from "vitest"

import { caretAfterFormat, formatPhone, toE164 } from "@/features/accounts/phone"

test.each([
  ["+79991234567", "+7 999 123-45-67"],
  ["8 (999) 123-45-67", "+7 999 123-45-67"],
  ["89991234567", "+7 999 123-45-67"],
  ["9991234567", "+7 999 123-45-67"],
  ["7 999 123 45 67", "+7 999 123-45-67"],
  ["+8 999 123 45 67", "+7 999 123-45-67"],
  ["007 999 123 45 67", "+7 999 123-45-67"],
  ["\u00a0tel:+7-999-123-45-67\n", "+7 999 123-45-67"],
  ["+7 999 123-45-6789", "+7 999 123-45-67"],
  ["9", "+7 9"],
  ["8", "+7"],
  ["+7 999 1", "+7 999 1"],
  ["+", "+"],
  ["", ""],
  ["+375291234567", "+375291234567"],
])("%j is shown as %j", (typed, shown) => {
  expect(formatPhone(typed)).toBe(shown)
})

test("formatting what is formatted changes nothing, at any length", () => {
  const whole = "+79991234567"
  for (let length = 1; length <= whole.length; length++) {
    const once = formatPhone(whole.slice(0, length))
    expect(formatPhone(once)).toBe(once)
  }
})

test.each([
  ["+7 999 123-45-67", "+79991234567"],
  ["8 (999) 123-45-67", "+79991234567"],
  ["+375 29 123-45-67", "+375291234567"],
  ["+7 999 123-45", null],
  ["+7 495 123-45-67", "+74951234567"],
  ["+123", null],
  ["", null],
])("%j is sent as %j", (shown, sent) => {
  expect(toE164(shown)).toBe(sent)
})

test("the caret stays before the same digits when something is typed in the middle", () => {
  // a 5 typed after "+7 99" in "+7 999 123"
  const raw = "+7 995|9 123"
  const caret = raw.indexOf("|")
  const text = raw.replace("|", "")
  const formatted = formatPhone(text)
  expect(formatted).toBe("+7 995 912-3")
  const position = caretAfterFormat(text, caret, formatted)
  expect(formatted.slice(position).replace(/\D/g, "")).toBe("9123")
})
