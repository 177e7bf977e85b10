/** Asking the platform over HTTP: short timeouts, no redirects, answers of a bounded size, JSON objects only. */
import { joined } from "./encoding.ts"
import { isObject } from "./schema.ts"

const MAX_ANSWER = 4 * 1024 * 1024
const AGAIN: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** How calls are made. */
export interface CallOptions {
  /** Milliseconds for one attempt, all in all; 5000 unless told. */
  readonly timeoutMs?: number
  /** How often a call is tried that may be repeated; 3 unless told. */
  readonly attempts?: number
  /** Milliseconds before the second try; doubled each time, with jitter; 200 unless told. */
  readonly backoffMs?: number
  /** Another `fetch`. */
  readonly fetch?: typeof fetch
}

/** What came back: no status when nothing did. */
export interface Answer {
  readonly status: number | null
  readonly body: Readonly<Record<string, unknown>>
}

/** One call that may be repeated. `make` is asked for a fresh request each time. Throws nothing. */
export async function call(url: string, make: () => Promise<RequestInit>, options: CallOptions): Promise<Answer> {
  const { attempts = 3, backoffMs = 200 } = options
  for (let attempt = 1; ; attempt++) {
    const answer = await once(url, await make(), options)
    if (attempt >= attempts || (answer.status !== null && !AGAIN.has(answer.status))) return answer
    const pause = backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random())
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

async function once(url: string, init: RequestInit, { timeoutMs = 5000, fetch: ask = fetch }: CallOptions): Promise<Answer> {
  try {
    const response = await ask(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) })
    return { status: response.status, body: objectIn(await readAll(response.body, MAX_ANSWER)) }
  } catch {
    return { status: null, body: {} }
  }
}

function objectIn(bytes: Uint8Array | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array()))
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

/** All bytes of a stream; null, and the rest unread, where they become more than `most`. */
export async function readAll(stream: ReadableStream<Uint8Array> | null, most: number): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream ?? []) {
    size += chunk.length
    if (size > most) return null
    chunks.push(chunk)
  }
  return joined(...chunks)
}
