/** The one door: `POST /_tochka/webhooks` as a function from a `Request` to a `Response`. */
import type { Envelope } from "./envelope.ts"
import { TochkaError, TooLarge } from "./errors.ts"
import { readAll } from "./http.ts"
import type { Inbox, Outcome } from "./inbox.ts"
import type { Body, HeadersLike } from "./signatures.ts"
import { verify } from "./verify.ts"
import type { VerifyOptions } from "./verify.ts"

/** The most bytes that an event has. */
export const MAX_BODY = 256 * 1024

/** What verifies requests: `PlatformKeys`, or keys that never change. */
export type Keys = readonly string[] | { verify(body: Body, headers: HeadersLike, options: VerifyOptions): Promise<Envelope> }

/** Who takes events, and what proves them. */
export interface DoorOptions<Tx> {
  readonly inbox: Inbox<Tx>
  readonly keys: Keys
  /** Told of what a handler or the database threw: it is answered with an empty 500, and the event comes again. */
  readonly onError?: (error: unknown) => void
  /** Told of every event that was taken, for logs. */
  readonly onEvent?: (envelope: Envelope, outcome: Outcome) => void
}

/**
 * Verified before it is read, then its effect, then the answer:
 *
 * 200 and 202 with `{"status": "done" | "accepted" | "duplicate" | "ignored"}`; everything else as problem+json with a
 * stable `code`: 400 no event, 401 not proven, 409 and 422 refused by a handler (as before, when repeated), 413, 405,
 * 422 `events.misdirected`, 500.
 */
export class Door<Tx> {
  readonly #options: DoorOptions<Tx>

  constructor(options: DoorOptions<Tx>) {
    this.#options = options
  }

  /** Answer one request. Never rejected. Bound, so that it can be passed on as it is. */
  readonly handle = async (request: Request): Promise<Response> => {
    try {
      return answerOf(await this.#take(request))
    } catch (error) {
      if (!(error instanceof TochkaError) || error.status >= 500) this.#options.onError?.(error)
      if (error instanceof TochkaError) return problem(error)
      return problem(new TochkaError(500, "internal.error", ""))
    }
  }

  async #take(request: Request): Promise<Outcome> {
    const { inbox, keys, onEvent } = this.#options
    if (request.method !== "POST") throw new TochkaError(405, "request.method_not_allowed", "This address does not take this method.")
    const body = await readAll(request.body, MAX_BODY)
    if (body === null) throw new TooLarge(`An event has at most ${MAX_BODY} bytes.`)
    const wanted = { receiver: inbox.receiver }
    const envelope = "verify" in keys ? await keys.verify(body, request.headers, wanted) : await verify(body, request.headers, keys, wanted)
    const outcome = await inbox.receive(envelope)
    onEvent?.(envelope, outcome)
    return outcome
  }
}

function answerOf({ status, word }: Outcome): Response {
  if (status >= 400) return problem(new TochkaError(status, "events.refused_before", "This event was refused before."))
  return answer(status, { status: word }, "application/json")
}

function problem(error: TochkaError): Response {
  return answer(error.status, error.toProblem(), "application/problem+json")
}

function answer(status: number, body: object, type: string): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": type, "cache-control": "no-store" } })
}
