/** The package as it is published: built, and entered by its name. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

const ENTRIES: Record<string, string[]> = {
  "@tochka-rosta/sdk": ["verify", "PlatformKeys", "CoreClient", "Inbox", "Door", "Backfill", "SignatureInvalid"],
  "@tochka-rosta/sdk/node": ["nodeListener"],
  "@tochka-rosta/sdk/postgres": ["PostgresStore", "DDL"],
  "@tochka-rosta/sdk/testing": ["MemoryStore", "sign", "generateKeypair"],
}

for (const [entry, names] of Object.entries(ENTRIES)) {
  test(`${entry} is entered by its name`, async () => {
    const found = (await import(entry)) as Record<string, unknown>
    for (const name of names) assert.ok(name in found, name)
  })
}

test("the example in the readme is the one that is checked", () => {
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8")
  assert.ok(read("../README.md").includes(`\`\`\`ts\n${read("../examples/guestbook.ts").trimEnd()}\n\`\`\``))
})
