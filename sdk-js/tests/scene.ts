/** A tenant whose events a test receives. */
import { randomUUID } from "node:crypto"

import { readEnvelope } from "../src/envelope.ts"
import type { Envelope } from "../src/envelope.ts"
import { Refusal } from "../src/errors.ts"
import { ACCEPTED, Inbox } from "../src/inbox.ts"
import type { Handlers } from "../src/inbox.ts"
import type { Store } from "../src/store.ts"
import { eventJson, RECEIVER } from "./platform.ts"

/** A store, and a place for effects that its transactions roll back. */
export interface Laboratory<Tx> {
  readonly store: Store<Tx>
  write(tx: Tx, effect: string): Promise<void>
  effects(): Promise<string[]>
  /** How many notes are kept of a tenant's events. */
  notes(tenantId: string): Promise<number>
}

/** One tenant and an inbox whose handlers do what each event says. */
export class Scene<Tx> {
  readonly tenantId = randomUUID()
  readonly laboratory: Laboratory<Tx>
  readonly inbox: Inbox<Tx>
  isBroken = false

  constructor(laboratory: Laboratory<Tx>, options: { patienceMs?: number } = {}) {
    this.laboratory = laboratory
    this.inbox = new Inbox({ receiver: RECEIVER, store: laboratory.store, handlers: this.#handlers(), patienceMs: 0, ...options })
  }

  event(type: string, sequence: number, data: object, changes: Record<string, unknown> = {}): Envelope {
    return readEnvelope(eventJson(type, sequence, data, { tenant_id: this.tenantId, ...changes }))
  }

  /** `tenant.updated`: its effect is the name. */
  named(sequence: number, name = `name ${sequence}`): Envelope {
    return this.event("tenant.updated", sequence, { name }, { installation_id: null })
  }

  digest(sequence: number, last: number, timestamp: string): Envelope {
    return this.event("digest", sequence, { last_sequence: last }, { installation_id: null, timestamp })
  }

  async receive(...envelopes: Envelope[]): Promise<string[]> {
    const words = []
    for (const envelope of envelopes) words.push((await this.inbox.receive(envelope)).word)
    return words
  }

  async effects(): Promise<string[]> {
    const mine = (await this.laboratory.effects()).filter((effect) => effect.startsWith(this.tenantId))
    return mine.map((effect) => effect.slice(this.tenantId.length + 1))
  }

  async stand(): Promise<(number | string | null)[]> {
    const found = await this.inbox.progress(this.tenantId)
    return found ? [found.watermark, found.highest, found.provedUntil?.toISOString() ?? null] : []
  }

  #handlers(): Handlers<Tx> {
    const write = (tx: Tx, effect: string): Promise<void> => this.laboratory.write(tx, `${this.tenantId} ${effect}`)
    return {
      "tenant.updated": async (event, tx) => {
        await write(tx, event.data.name)
        if (this.isBroken) throw new Error("the handler is broken")
      },
      "installation.removed": async (event, tx) => {
        await write(tx, "removed")
        if (event.data.reason === "refuse") throw new Refusal(409, "guestbook.busy", "Not now.")
        return event.data.reason === "later" ? ACCEPTED : undefined
      },
    }
  }
}
