/** From a request to an event: signature, form, and for whom it is. */
import type { Envelope } from "./envelope.ts"
import { parse } from "./envelope.ts"
import { EventInvalid, MisdirectedEvent } from "./errors.ts"
import { verifySignature } from "./signatures.ts"
import type { Body, HeadersLike, SignatureOptions } from "./signatures.ts"

/** How a request is verified, and whom it must be meant for. */
export interface VerifyOptions extends SignatureOptions {
  /**
   * Who we are: a module's id, or the id of a tenant's endpoint.
   *
   * All copies of an event are signed with one key, so that a copy for somebody else, or for nobody, proves nothing.
   */
  readonly receiver: string
}

/**
 * The event in a request to the door.
 *
 * @param body the raw bytes as they came: parsing and printing JSON again would change them.
 * @param keys `whpk_…` for `v1a`, `whsec_…` for `v1`; several during a rotation. Modules trust `v1a` alone.
 * @throws {SignatureInvalid} 401: nothing proves that the platform sent it. Malformed headers throw nothing else.
 * @throws {EventInvalid} 400: it is genuine, but no event, or not the one that its headers name.
 * @throws {MisdirectedEvent} 422: it is meant for another receiver.
 */
export async function verify(body: Body, headers: HeadersLike, keys: readonly string[], options: VerifyOptions): Promise<Envelope> {
  const id = await verifySignature(body, headers, keys, options)
  const envelope = parse(body)
  if (envelope.id !== id) throw new EventInvalid("The event's id and the request's are not the same.")
  checkReceiver(envelope, options.receiver)
  return envelope
}

/** Throws `MisdirectedEvent` unless the event is meant for this receiver. */
export function checkReceiver(envelope: Envelope, receiver: string): void {
  if (envelope.receiver !== receiver) throw new MisdirectedEvent()
}
