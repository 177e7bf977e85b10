/**
 * Carries requests: a time limit on each, and another try where a repeat is safe.
 *
 * A repeat is safe for GET, HEAD, PUT and DELETE, and for a POST that carries an Idempotency-Key. Between tries it waits
 * with exponential backoff and full jitter, so that many panels do not knock at a restarted core at the same moment.
 */
import { ConnectionLost, TimedOut } from "@/shared/api/errors"

export type Send = (request: Request) => Promise<Response>

export interface TransportSettings {
  /** Milliseconds for the whole answer; for an event stream, until its first byte. */
  timeout: number
  /** Tries in all, the first included. */
  tries: number
  /** Longest first wait between two tries, in milliseconds; doubles with each. */
  backoff: number
  /** Longest wait that a server's Retry-After may cost before the refusal is shown instead, in milliseconds. */
  patience: number
}

export const TRANSPORT: TransportSettings = { timeout: 15_000, tries: 3, backoff: 400, patience: 3_000 }

const REPEATABLE_METHODS = new Set(["GET", "HEAD", "PUT", "DELETE"])
const PASSING_STATUS = new Set([429, 502, 503, 504])

export function createTransport(settings: Partial<TransportSettings> = {}): Send {
  const limits = { ...TRANSPORT, ...settings }
  return async (request) => {
    const tries = isRepeatable(request) ? limits.tries : 1
    for (let attempt = 1; ; attempt++) {
      const outcome = await once(request.clone(), limits.timeout).catch((error: unknown) => failureOf(error, request))
      const wait = attempt < tries ? waitBefore(outcome, attempt, limits) : null
      if (wait === null) {
        if (outcome instanceof Error) throw outcome
        return outcome
      }
      if (outcome instanceof Response) await outcome.body?.cancel()
      await pause(wait, request.signal)
    }
  }
}

function isRepeatable(request: Request): boolean {
  return REPEATABLE_METHODS.has(request.method) || request.headers.has("Idempotency-Key")
}

/** Milliseconds to wait before the next try, or null when this outcome is final. */
function waitBefore(outcome: Response | Error, attempt: number, limits: TransportSettings): number | null {
  const jittered = Math.random() * limits.backoff * 2 ** (attempt - 1)
  if (outcome instanceof ConnectionLost || outcome instanceof TimedOut) return jittered
  if (outcome instanceof Error || !PASSING_STATUS.has(outcome.status)) return null
  const asked = Number(outcome.headers.get("Retry-After") ?? 0) * 1000
  if (!(asked <= limits.patience)) return null
  return Math.max(asked, jittered)
}

async function once(request: Request, timeout: number): Promise<Response> {
  if (request.headers.get("Accept") !== "text/event-stream") {
    return fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeout)]) })
  }
  const opening = new AbortController()
  const timer = setTimeout(() => opening.abort(new DOMException("No answer in time", "TimeoutError")), timeout)
  try {
    return await fetch(request, { signal: AbortSignal.any([request.signal, opening.signal]) })
  } finally {
    clearTimeout(timer)
  }
}

/** Turns what `fetch` throws into our errors; a cancelled request stays what it was. */
function failureOf(error: unknown, request: Request): Error {
  if (request.signal.aborted) return error instanceof Error ? error : new Error("Cancelled", { cause: error })
  if (error instanceof DOMException && error.name === "TimeoutError") return new TimedOut("No answer in time", { cause: error })
  return new ConnectionLost("No connection", { cause: error })
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason instanceof Error ? signal.reason : new Error("Cancelled"))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop)
      resolve()
    }, milliseconds)
    if (signal.aborted) stop()
    else signal.addEventListener("abort", stop, { once: true })
  })
}
