/** A small HTTP server of the test's own: real sockets, answers as the test wants them, every request kept. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface Received {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: unknown
}

export interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: unknown
}

/** Answers a request; or takes the response over (for streams, silence, a torn connection) and returns nothing. */
export type Handler = (request: Received, response: ServerResponse) => Answer | undefined | Promise<Answer | undefined>

export interface TestServer {
  url: string
  received: Received[]
  count: (method: string, path: string) => number
  close: () => Promise<void>
}

export async function startServer(handler: Handler): Promise<TestServer> {
  const received: Received[] = []
  const server = createServer((incoming, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://test")
      const request: Received = {
        method: incoming.method ?? "GET",
        path: pathname,
        query: searchParams,
        headers: incoming.headers,
        body: text === "" ? null : (JSON.parse(text) as unknown),
      }
      received.push(request)
      const answer = await handler(request, response)
      if (answer === undefined) return
      const { status = 200, headers = {}, body } = answer
      const type = status >= 400 ? "application/problem+json" : "application/json"
      response.writeHead(status, { "Content-Type": type, ...headers })
      response.end(body === undefined ? undefined : JSON.stringify(body))
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    count: (method, path) => received.filter((request) => request.method === method && request.path === path).length,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function problem(status: number, code: string, extra: Record<string, unknown> = {}): Answer {
  return { status, body: { type: "about:blank", title: code, status, detail: "In English.", code, request_id: "req-1", ...extra } }
}
