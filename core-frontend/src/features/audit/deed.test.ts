// @vitest-environment node
import { readFileSync } from "node:fs"

import { i18n } from "@lingui/core"
import { describe, expect, test } from "vitest"

import { describeDeed, KNOWN_DEEDS } from "@/features/audit/deed"
import { messages as english } from "@/shared/i18n/locales/en.po"
import { entry } from "@tests/account"

/** The deeds that the core records, read from where it names them. */
function recorded(): string[] {
  const source = readFileSync(new URL("../../../../core-backend/src/tochka_core/audit/schemas.py", import.meta.url), "utf8")
  const list = /^Action = Literal\[(.*?)^\]/ms.exec(source)?.[1] ?? ""
  return Array.from(list.matchAll(/"([a-z_.]+)"/g), ([, action]) => action ?? "")
}

test("every deed that the core records has its words, and no other", () => {
  expect(recorded()).toContain("person.signed_in")
  expect(KNOWN_DEEDS.toSorted()).toEqual(recorded().toSorted())
})

describe("in English", () => {
  test.each(KNOWN_DEEDS)("%s is said without a Russian word or an empty place", (action) => {
    i18n.loadAndActivate({ locale: "en", messages: english })
    const data = { phone: "+7******4567", new_phone: "+7******4321", host: "pekarnya.test", name: "Bakery", role: "admin", before: "staff", percent: 50, seal: 7 }
    const { text } = describeDeed(entry(1, action, data), i18n)
    expect(text).not.toMatch(/[а-яё]|undefined|: ?$/i)
  })
})

test("how somebody came in makes a difference", () => {
  i18n.loadAndActivate({ locale: "en", messages: english })
  const texts = ["otp", "pwd"].map((method) => describeDeed(entry(1, "person.signed_in", { method }), i18n).text)
  expect(texts).toEqual(["Signed in with a code", "Signed in with the password"])
})
