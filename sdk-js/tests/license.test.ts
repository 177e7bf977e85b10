/** A license is read against the clock, and only a newer one takes its place. */
import assert from "node:assert/strict"
import { test } from "node:test"

import { License, LicenseInvalid } from "../src/license.ts"
import { INSTALLATION, TENANT } from "./platform.ts"

const CLAIMS = {
  sub: INSTALLATION,
  tenant_id: TENANT,
  status: "active",
  access: "full",
  plan: "start",
  entitlements: { products: 10, export: true, seo: false, seats: null, none: 0, word: "x" },
  version: 5,
  iat: 1000,
  exp: 3000,
  grace_until: 4000,
}
const at = (seconds: number): Date => new Date(seconds * 1000)

test("features and limits are what was bought", () => {
  const license = new License(CLAIMS)
  const keys = ["products", "export", "seo", "seats", "none", "word", "unknown", "constructor"]
  assert.deepEqual(keys.map((key) => license.allows(key, at(2000))), [true, true, false, true, false, true, false, false])
  assert.deepEqual(keys.map((key) => license.limit(key, at(2000))), [10, null, 0, null, 0, 0, 0, 0])
  assert.deepEqual([license.installationId, license.refreshAt], [INSTALLATION, at(2000)])
})

test("after its grace everything is closed, and so it is at once when it says so", () => {
  const license = new License(CLAIMS)
  assert.deepEqual([license.access(at(3999)), license.access(at(4000)), license.allows("export", at(4000))], ["full", "closed", false])
  const closed = new License({ ...CLAIMS, access: "closed" })
  assert.deepEqual([closed.access(at(2000)), closed.limit("seats", at(2000))], ["closed", 0])
})

test("a lower version never takes the place of a higher one", () => {
  const held = new License(CLAIMS)
  const others = [{ version: 4, iat: 2000 }, { version: 5 }, { version: 5, iat: 1001 }, { version: 6, iat: 900 }]
  assert.deepEqual(others.map((change) => new License({ ...CLAIMS, ...change }).isNewerThan(held)), [false, false, true, true])
})

test("claims that are no license's are refused", () => {
  for (const change of [{ access: "all" }, { version: -1 }, { sub: "me" }, { exp: 900 }, { grace_until: 2999 }, { entitlements: { a: [] } }]) {
    assert.throws(() => new License({ ...CLAIMS, ...change }), LicenseInvalid)
  }
})
