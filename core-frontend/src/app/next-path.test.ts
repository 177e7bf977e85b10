// @vitest-environment node
import { expect, test } from "vitest"

import { nextPath, signInPath } from "@/app/next-path"

test.each([
  ["/dashboard", "/dashboard"],
  ["/select-module?module=shop&subdomain=a", "/select-module?module=shop&subdomain=a"],
  ["//evil.example", null],
  ["/\\evil.example", null],
  ["https://evil.example", null],
  ["", null],
])("after signing in, %j leads to %j", (wanted, path) => {
  expect(nextPath(new URLSearchParams({ next: wanted }))).toBe(path)
})

test("a page that was left for the sign-in is found again", () => {
  const path = signInPath({ pathname: "/select-module", search: "?module=shop" }, "expired")
  const query = new URLSearchParams(path.slice(path.indexOf("?")))
  expect(nextPath(query)).toBe("/select-module?module=shop")
  expect(query.has("expired")).toBe(true)
})
