/** Events as values: read from a verified body, typed by their `type`. */
import { EventInvalid } from "./errors.ts"
import type { FieldError } from "./errors.ts"
import { DATA, ENVELOPE, TENANT_WIDE } from "./events.ts"
import type { EnvelopeFields, EventData } from "./events.ts"
import { bytesOf } from "./signatures.ts"
import type { Body } from "./signatures.ts"
import { check } from "./schema.ts"

/** One event as it travels, of a type that this SDK may not know. */
export type Envelope = Readonly<EnvelopeFields>

/** The types that this SDK knows. */
export type EventType = keyof EventData

/** An event of a known type. */
export interface Event<T extends EventType> extends Omit<Envelope, "type" | "data"> {
  readonly type: T
  readonly data: Readonly<EventData[T]>
}

/** Whether the event is of this type; its `data` is typed then. */
export function isEvent<T extends EventType>(envelope: Envelope, type: T): envelope is Envelope & Event<T> {
  return envelope.type === type
}

/** The event in a verified body. Throws `EventInvalid`, which names the fields, when it is none. */
export function parse(body: Body): Envelope {
  return readEnvelope(readJson(bytesOf(body)))
}

function readJson(body: Uint8Array): unknown {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body)
    value = JSON.parse(text)
  } catch {
    throw new EventInvalid("The body is not JSON.")
  }
  // valid JSON, but no database can store it
  if (text.includes("\\u0000")) throw new EventInvalid("The body holds a character that no text may have.")
  return value
}

/** The event in a parsed JSON value, its `data` checked too if the type is known. Throws `EventInvalid`. */
export function readEnvelope(value: unknown): Envelope {
  const found = check(ENVELOPE, value)
  if (found.errors.length > 0) throw new EventInvalid("The body is not an event.", found.errors)
  const envelope = found.value as Envelope
  if (envelope.sequence < 1) throw new EventInvalid("The event has no place among the others.", [field("sequence")])
  const tenantId = envelope.tenant_id.toLowerCase()
  return { ...envelope, tenant_id: tenantId, data: Object.hasOwn(DATA, envelope.type) ? readData(envelope) : envelope.data }
}

function readData(envelope: Envelope): Record<string, unknown> {
  const { value, errors } = check(DATA[envelope.type as EventType], envelope.data)
  if (errors.length > 0) {
    const inside = errors.map((error) => ({ ...error, field: error.field ? `data.${error.field}` : "data" }))
    throw new EventInvalid(`The data is not that of ${envelope.type}.`, inside)
  }
  if (!TENANT_WIDE.has(envelope.type) && envelope.installation_id === null) {
    throw new EventInvalid("The event names no installation.", [field("installation_id")])
  }
  return value as Record<string, unknown>
}

function field(name: string): FieldError {
  return { field: name, code: "missing", message: "It is missing." }
}
