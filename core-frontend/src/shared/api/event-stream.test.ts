// @vitest-environment node
import { expect, test } from "vitest"

import { EventStreamParser, readEvents } from "@/shared/api/event-stream"

const STREAM = "\uFEFF: hello\n\nevent: progress\r\ndata: {\"a\":\r\ndata: 1}\r\nid: 7\r\n\r\ndata\n\ndata:  two blanks\r\rretry: 5\n\nevent: empty\n\ndata: cut off"

const EVENTS = [
  { event: "progress", data: '{"a":\n1}', id: "7" },
  { event: "message", data: "", id: "7" },
  { event: "message", data: " two blanks", id: "7" },
]

test("events are read as the standard says: comments, every line ending, several data lines, no event without data", () => {
  expect(new EventStreamParser().push(STREAM)).toEqual(EVENTS)
})

test("it does not matter where the pieces are cut", () => {
  for (let size = 1; size < 12; size++) {
    const parser = new EventStreamParser()
    const events = []
    for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)))
    expect(events).toEqual(EVENTS)
  }
})

test("a body is read to its end, letters cut in half included", async () => {
  const bytes = new TextEncoder().encode("data: Готово\n\n")
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
      controller.close()
    },
  })
  const read = []
  for await (const event of readEvents(body)) read.push(event.data)
  expect(read).toEqual(["Готово"])
})

test("a body that nobody reads on is let go", async () => {
  let isCancelled = false
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
    cancel: () => {
      isCancelled = true
    },
  })
  for await (const event of readEvents(body)) if (event.data === "x") break
  expect(isCancelled).toBe(true)
})
