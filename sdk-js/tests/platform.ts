/** The platform's side of the wire, played for the tests. */
import { generateKeypair, sign } from "../src/signatures.ts"

export const RECEIVER = "guestbook"
export const TENANT = "0190a0a0-0000-7000-8000-000000000001"
export const INSTALLATION = "0190a0a0-0000-7000-8000-000000000002"
export const { privateKey: PRIVATE, publicKey: PUBLIC } = await generateKeypair()
export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

let made = 0

/** An id as the platform makes them: later ones are higher. */
export function newId(): string {
  const text = (Date.now() * 4096 + (made++ % 4096)).toString(16).padStart(15, "0")
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-7${text.slice(12)}-8000-${(made).toString(16).padStart(12, "0")}`
}

/** The JSON of an event; `changes` replace any member, `undefined` leaves it out. */
export function eventJson(type: string, sequence: number, data: object = {}, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: newId(),
    type,
    timestamp: new Date().toISOString(),
    sequence,
    schema_version: 1,
    tenant_id: TENANT,
    installation_id: INSTALLATION,
    receiver: RECEIVER,
    data,
    ...changes,
  }
}

/** The present in unix seconds. */
export function unix(): number {
  return Math.floor(Date.now() / 1000)
}

/** A signed request to the door. */
export async function request(event: Record<string, unknown>, keys: readonly string[] = [SECRET, PRIVATE]): Promise<Request> {
  const body = JSON.stringify(event)
  const headers = await sign(String(event.id), unix(), body, keys)
  return new Request("http://module.example/_tochka/webhooks", { method: "POST", body, headers })
}

/** What a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error("it was expected to fail")
}
