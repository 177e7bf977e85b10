// @vitest-environment node
import { describe, expect, test } from "vitest"

import { labelFromTyping, malformation, suggestions } from "@/features/domains/label"
import { withLabel } from "@/features/domains/storefront-url"
import { transliterate } from "@/features/domains/transliterate"

test.each([
  ["Пекарня на углу", "pekarnya na uglu"],
  ["Щавель, цех и чай", "schavel, tseh i chay"],
  ["объём", "obyom"],
  ["подъезд", "podyezd"],
  ["Ёлки-иголки", "yolki-igolki"],
  ["Café Zürich", "cafe zurich"],
  ["съешь ещё этих мягких французских булок", "syesh eschyo etih myagkih frantsuzskih bulok"],
  ["Київ", "kiyiv"],
])("%j is spelt %j", (russian, latin) => {
  expect(transliterate(russian)).toBe(latin)
})

describe("what is typed becomes a label", () => {
  test.each([
    ["Пекарня на углу", "pekarnya-na-uglu"],
    ["  MyShop ", "myshop-"],
    ["my_shop.ru", "my-shop-ru"],
    ["https://pekarnya.example.ru/cart", "pekarnya"],
    ["--shop", "shop"],
    ["кофе & чай!", "kofe--chay"],
    ["x".repeat(40), "x".repeat(32)],
  ])("%j → %j", (typed, label) => {
    expect(labelFromTyping(typed)).toBe(label)
  })
})

test.each([
  ["ab", "short"],
  ["shop-", "edge"],
  ["xn--p1ai", "dashes"],
  ["shop", null],
  ["a-b", null],
  ["123", null],
  ["a".repeat(32), null],
])("%j is judged %j", (label, verdict) => {
  expect(malformation(label)).toBe(verdict)
})

describe("suggestions", () => {
  test("are spelt from the business's name, each a good label, none twice", () => {
    expect(suggestions("Пекарня «На углу»", "shop")).toEqual(["pekarnya-na-uglu", "pekarnya", "pekarnya-shop", "my-pekarnya"])
    expect(suggestions("Кофе", "shop")).toEqual(["kofe", "kofe-shop", "my-kofe"])
  })

  test("stay within the length of a label", () => {
    for (const label of suggestions("Межгалактическая фабрика удивительных сладостей", "shop")) {
      expect(malformation(label)).toBeNull()
    }
  })

  test.each(["", "«»", "7", "+7 999 123-45-67", "我的店"])("are none for %j", (name) => {
    expect(suggestions(name, "shop")).toEqual([])
  })
})

test("the address of one label tells that of another", () => {
  expect(withLabel({ label: "a-b", url: "https://a-b.shops.example:8443" }, "c")).toBe("https://c.shops.example:8443")
  expect(withLabel({ label: "a", url: null }, "c")).toBeNull()
})
