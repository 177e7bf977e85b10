/** The promises of an inbox, kept in memory. */
import { MemoryStore } from "../src/memory.ts"
import type { MemoryTransaction } from "../src/memory.ts"
import { inboxTests } from "./inboxes.ts"

/** Rolls effects back together with its notes. */
class Store extends MemoryStore {
  effects: string[] = []

  override transaction<T>(work: (tx: MemoryTransaction) => Promise<T>): Promise<T> {
    return super.transaction(async (tx) => {
      const before = [...this.effects]
      try {
        return await work(tx)
      } catch (error) {
        this.effects = before
        throw error
      }
    })
  }
}

const store = new Store()

async function notes(tenantId: string): Promise<number> {
  const found = await Promise.all(
    Array.from({ length: 20 }, (_, sequence) => store.transaction((tx) => store.findNote(tx, { tenantId, receiver: "guestbook" }, sequence))),
  )
  return found.filter((status) => status !== null).length
}

inboxTests("in memory", {
  store,
  write: (_tx, effect) => {
    store.effects.push(effect)
    return Promise.resolve()
  },
  effects: () => Promise.resolve(store.effects),
  notes,
})
