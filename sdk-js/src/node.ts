/** A `Request` handler as a listener of `node:http`, of Express, and of whatever else takes such listeners. */
import type { IncomingMessage, ServerResponse } from "node:http"
import { Readable } from "node:stream"

/**
 * `createServer(nodeListener(door.handle))`, or `app.post("/_tochka/webhooks", nodeListener(door.handle))`.
 *
 * The request must not have been read: put it before `express.json()`, whose reading and printing changes bytes.
 */
export function nodeListener(handle: (request: Request) => Promise<Response>): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    answer(handle, req, res).catch(() => res.destroy())
  }
}

async function answer(handle: (request: Request) => Promise<Response>, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const response = await handle(requestOf(req))
  res.writeHead(response.status, Object.fromEntries(response.headers))
  res.end(Buffer.from(await response.arrayBuffer()))
}

function requestOf(req: IncomingMessage): Request {
  const { method = "GET", url = "/" } = req
  const headers = new Headers()
  for (const [name, values] of Object.entries(req.headersDistinct)) for (const value of values ?? []) headers.append(name, value)
  const init: RequestInit & { duplex?: "half" } = { method, headers }
  if (method !== "GET" && method !== "HEAD") {
    init.body = Readable.toWeb(req) as ReadableStream<Uint8Array>
    init.duplex = "half"
  }
  return new Request(new URL(url, "http://localhost"), init)
}
