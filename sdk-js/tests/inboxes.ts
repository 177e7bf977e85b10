/** What an inbox promises, over any store. */
import assert from "node:assert/strict"
import { test } from "node:test"

import { Backfill } from "../src/backfill.ts"
import type { Envelope } from "../src/envelope.ts"
import { MisdirectedEvent, Refusal, StreamSetBack } from "../src/errors.ts"
import { failure } from "./platform.ts"
import { Scene } from "./scene.ts"
import type { Laboratory } from "./scene.ts"

/** Register the tests for one kind of store. */
export function inboxTests<Tx>(kind: string, laboratory: Laboratory<Tx>): void {
  const scene = (options: { patienceMs?: number } = {}): Scene<Tx> => new Scene(laboratory, options)

  test(`${kind}: an event has its effect once, however often it comes, and nothing is kept of an unbroken run`, async () => {
    const one = scene()
    const [first, second] = [one.named(1), one.named(2)]
    assert.deepEqual(await one.receive(first, first, second, first, second), ["done", "duplicate", "done", "duplicate", "duplicate"])
    assert.deepEqual(await one.effects(), ["name 1", "name 2"])
    assert.deepEqual([await one.stand(), await laboratory.notes(one.tenantId)], [[2, 2, null], 0])
  })

  test(`${kind}: the same event at the same moment has its effect once`, async () => {
    const one = scene()
    const event = one.named(1)
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => one.inbox.receive(event)))
    assert.deepEqual(outcomes.map(({ word }) => word).sort(), ["done", "duplicate", "duplicate", "duplicate"])
    assert.deepEqual(await one.effects(), ["name 1"])
  })

  test(`${kind}: whatever the order, the run closes and the notes above it go`, async () => {
    const one = scene()
    const events = Array.from({ length: 12 }, (_, index) => one.named(index + 1))
    const shuffled = [7, 2, 11, 0, 5, 1, 10, 3, 9, 4, 8, 6].flatMap((index) => events[index] ?? [])
    await one.receive(...shuffled.slice(0, 11))
    assert.deepEqual(await one.stand(), [6, 12, null])
    assert.deepEqual(await one.receive(...shuffled), Array.from({ length: 12 }, (_, index) => (index === 11 ? "done" : "duplicate")))
    assert.deepEqual([await one.stand(), await laboratory.notes(one.tenantId)], [[12, 12, null], 0])
    assert.equal((await one.effects()).length, 12)
  })

  test(`${kind}: what a handler throws undoes its effect, and the event counts as not taken`, async () => {
    const one = scene()
    one.isBroken = true
    assert.match(String(await failure(one.inbox.receive(one.named(1)))), /broken/)
    assert.deepEqual([await one.effects(), await one.stand()], [[], []])
    one.isBroken = false
    assert.deepEqual(await one.receive(one.named(1)), ["done"])
    assert.deepEqual(await one.effects(), ["name 1"])
  })

  test(`${kind}: a final no undoes the effect, and is said again to a repetition, below the run too`, async () => {
    const one = scene()
    const event = one.event("installation.removed", 1, { reason: "refuse" })
    const error = await failure(one.inbox.receive(event))
    assert.ok(error instanceof Refusal)
    await one.receive(one.named(2), one.named(3))
    assert.deepEqual(await one.inbox.receive(event), { status: 409, word: "duplicate" })
    assert.deepEqual([await one.effects(), await one.stand()], [["name 2", "name 3"], [3, 3, null]])
  })

  test(`${kind}: «working on it» is said again too`, async () => {
    const one = scene()
    const event = one.event("installation.removed", 2, { reason: "later" })
    assert.deepEqual(await one.inbox.receive(event), { status: 202, word: "accepted" })
    await one.receive(one.named(1))
    assert.deepEqual(await one.inbox.receive(event), { status: 202, word: "duplicate" })
  })

  test(`${kind}: types that nobody handles, also unknown ones, are taken`, async () => {
    const one = scene()
    const unknown = one.event("moon.risen", 2, {})
    assert.deepEqual(await one.receive(one.event("license.updated", 1, { license: "x" }), unknown, unknown), ["ignored", "ignored", "duplicate"])
    assert.deepEqual(await one.stand(), [2, 2, null])
  })

  test(`${kind}: an event for somebody else is refused and leaves no trace`, async () => {
    const one = scene()
    const error = await failure(one.inbox.receive(one.event("ping", 1, {}, { receiver: "shop" })))
    assert.ok(error instanceof MisdirectedEvent)
    assert.deepEqual(await one.stand(), [])
  })

  test(`${kind}: tenants are counted apart`, async () => {
    const [one, other] = [scene(), scene()]
    await one.receive(one.named(1))
    await other.receive(other.named(2), other.named(1))
    assert.deepEqual([await one.stand(), await other.stand()], [[1, 1, null], [2, 2, null]])
  })

  test(`${kind}: in a transaction of the caller the effect is committed, or undone, with it`, async () => {
    const one = scene()
    const undone = laboratory.store.transaction(async (tx) => {
      await one.inbox.take(tx, one.named(1))
      throw new Error("something else went wrong")
    })
    await failure(undone)
    assert.deepEqual([await one.effects(), await one.stand()], [[], []])
    await laboratory.store.transaction((tx) => one.inbox.take(tx, one.named(1)))
    assert.deepEqual([await one.effects(), await one.stand()], [["name 1"], [1, 1, null]])
  })

  test(`${kind}: a digest proves that nothing is missing, as soon as nothing is`, async () => {
    const one = scene()
    const [monday, tuesday] = ["2026-11-23T00:00:00.000Z", "2026-11-24T00:00:00.000Z"]
    await one.receive(one.named(1), one.digest(4, 3, monday))
    assert.deepEqual(await one.stand(), [1, 4, null])
    await one.receive(one.named(3), one.named(2))
    assert.deepEqual(await one.stand(), [4, 4, monday])
    await one.receive(one.digest(6, 5, tuesday))
    assert.deepEqual(await one.stand(), [4, 6, monday])
    await one.receive(one.named(5))
    assert.deepEqual(await one.stand(), [6, 6, tuesday])
  })

  test(`${kind}: a digest that is overtaken by a newer one takes nothing back`, async () => {
    const one = scene()
    const [monday, tuesday] = ["2026-11-23T00:00:00.000Z", "2026-11-24T00:00:00.000Z"]
    await one.receive(one.digest(2, 1, tuesday), one.digest(1, 0, monday))
    assert.deepEqual(await one.stand(), [2, 2, tuesday])
  })

  test(`${kind}: holes are filled from the feed, page by page, and by one process only`, async () => {
    const one = scene()
    const feed = [1, 2, 3, 4, 5].map((sequence) => one.named(sequence))
    const asked: string[] = []
    const core = {
      events: (after: number | string) => {
        asked.push(String(after))
        const rest = feed.filter(({ sequence }) => sequence > Number(after))
        return Promise.resolve({ events: rest.slice(0, 2), cursor: String(Number(after) + Math.min(2, rest.length)), hasMore: rest.length > 2 })
      },
    }
    await one.receive(...feed.slice(0, 1), ...feed.slice(4))
    const both = [new Backfill({ inbox: one.inbox, core }), new Backfill({ inbox: one.inbox, core })]
    const filled = await Promise.all(both.map((backfill) => backfill.fillGaps()))
    assert.deepEqual(filled.map(({ taken }) => taken).sort(), [0, 3])
    assert.deepEqual([asked, await one.stand()], [["1", "3"], [5, 5, null]])
  })

  test(`${kind}: numbers that are given out anew are no repetitions: nothing is lost silently`, async () => {
    const one = scene()
    const before = [1, 2, 4].map((sequence) => one.named(sequence))
    await one.receive(...before)
    const anew = [2, 3, 4].map((sequence) => one.named(sequence, `anew ${sequence}`))
    for (const event of anew.filter(({ sequence }) => sequence !== 3)) {
      const error = await failure(one.inbox.receive(event))
      assert.ok(error instanceof StreamSetBack)
      assert.deepEqual([error.status, error.tenantId, error.sequence], [503, one.tenantId, event.sequence])
    }
    await one.inbox.setBack(one.tenantId, 1)
    assert.deepEqual(await one.stand(), [1, 1, null])
    assert.deepEqual(await one.receive(...anew.reverse(), ...anew, ...before.slice(0, 1)), ["done", "done", "done", ...Array<string>(4).fill("duplicate")])
    assert.deepEqual(await one.stand(), [4, 4, null])
    assert.deepEqual(await one.effects(), ["name 1", "name 2", "name 4", "anew 4", "anew 3", "anew 2"])
  })

  test(`${kind}: what nobody has any more is told, and can be given up on`, async () => {
    const one = scene()
    const early = one.named(1)
    const feed = [one.named(3)]
    const core = { events: () => Promise.resolve({ events: feed, cursor: "3", hasMore: false }) }
    await one.receive(...feed)
    const backfill = new Backfill({ inbox: one.inbox, core, leaseMs: 0 })
    const found = []
    for (let round = 0; round < 3; round++) {
      const { lost } = await backfill.fillGaps()
      found.push(...lost.filter(({ tenantId }) => tenantId === one.tenantId))
      for (const { tenantId, sequence } of lost) await one.inbox.waive(tenantId, sequence)
    }
    assert.deepEqual(found.map(({ sequence }) => sequence), [1, 2])
    assert.deepEqual([await one.stand(), await one.receive(early)], [[3, 3, null], ["duplicate"]])
  })

  test(`${kind}: a number above all that the feed showed is on its way, not lost`, async () => {
    const one = scene()
    const [first, second, third, , fifth] = [1, 2, 3, 4, 5].map((sequence) => one.named(sequence)) as [Envelope, Envelope, Envelope, Envelope, Envelope]
    await one.receive(first, third)
    let feed = [second, third]
    const core = {
      events: async () => {
        const page = { events: feed, cursor: "3", hasMore: false }
        await one.receive(fifth) // overtakes the fourth, after the page was made
        return page
      },
    }
    const backfill = new Backfill({ inbox: one.inbox, core, leaseMs: 0 })
    const mine = async (): Promise<number[]> => (await backfill.fillGaps()).lost.flatMap(({ tenantId, sequence }) => (tenantId === one.tenantId ? [sequence] : []))
    assert.deepEqual([await mine(), await one.stand()], [[], [3, 5, null]])
    feed = [fifth]
    assert.deepEqual(await mine(), [4])
  })

  test(`${kind}: a hole is left alone while its event may still come by itself, or the platform is away`, async () => {
    const patient = scene({ patienceMs: 60_000 })
    await patient.receive(patient.named(2))
    const hasty = scene()
    await hasty.receive(hasty.named(2))
    const errors: unknown[] = []
    const asked: (string | undefined)[] = []
    const core = {
      events: (_after: number | string, tenantId?: string) => {
        asked.push(tenantId)
        return Promise.reject(new Error("away"))
      },
    }
    await new Backfill({ inbox: hasty.inbox, core, onError: (error) => errors.push(error) }).fillGaps()
    assert.ok(asked.includes(hasty.tenantId) && !asked.includes(patient.tenantId))
    assert.equal(errors.length, asked.length)
    assert.deepEqual(await hasty.stand(), [0, 2, null])
  })
}
