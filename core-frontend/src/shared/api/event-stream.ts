/** Reads server-sent events out of a fetched body, for the browser's own EventSource cannot send a token. */

export interface ServerEvent {
  event: string
  data: string
  id: string
}

/** The event stream grammar of the HTML standard, fed in pieces that may be cut anywhere. */
export class EventStreamParser {
  #rest = ""
  #started = false
  #data: string[] = []
  #event = ""
  #id = ""

  push(chunk: string): ServerEvent[] {
    this.#rest += this.#started ? chunk : chunk.replace(/^\uFEFF/, "")
    if (this.#rest !== "") this.#started = true
    const events: ServerEvent[] = []
    for (let line = this.#nextLine(); line !== null; line = this.#nextLine()) {
      const event = this.#read(line)
      if (event !== null) events.push(event)
    }
    return events
  }

  #nextLine(): string | null {
    const end = /\r\n|\n|\r/.exec(this.#rest)
    // a CR at the very end may be the first half of a CRLF that is still to come
    if (end === null || (end[0] === "\r" && end.index === this.#rest.length - 1)) return null
    const line = this.#rest.slice(0, end.index)
    this.#rest = this.#rest.slice(end.index + end[0].length)
    return line
  }

  #read(line: string): ServerEvent | null {
    if (line === "") return this.#dispatch()
    const colon = line.indexOf(":")
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "")
    if (field === "data") this.#data.push(value)
    else if (field === "event") this.#event = value
    else if (field === "id" && !value.includes("\0")) this.#id = value
    return null
  }

  #dispatch(): ServerEvent | null {
    const event = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id }
    const isEmpty = this.#data.length === 0
    this.#data = []
    this.#event = ""
    return isEmpty ? null : event
  }
}

export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const parser = new EventStreamParser()
  const decoder = new TextDecoder()
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield* parser.push(decoder.decode(value, { stream: true }))
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
