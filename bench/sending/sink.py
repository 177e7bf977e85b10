"""A receiver as fast as Python allows, a process of its own: `python -m bench.sending.sink PORT`.

It answers at the address of every letter, notes when each `webhook-id` arrived first (the monotonic clock,
which all processes share), and tells at `/count`, `/arrivals`, `/reset`. Nobody is answered at `/hang`.
"""

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

from bench.durable import TENANTS
from bench.sending.letters import address

EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
MANY = 1024


class Book:
    """What has arrived: the first time of each id in nanoseconds, and how many requests there were."""

    def __init__(self) -> None:
        self.first: dict[str, int] = {}
        self.requests = 0

    def note(self, id: str) -> None:
        """One request."""
        self.requests += 1
        self.first.setdefault(id, time.monotonic_ns())

    def answer(self, path: bytes) -> bytes:
        """What is asked from outside."""
        if path == b"/count":
            return _json({"requests": self.requests, "ids": len(self.first)})
        if path == b"/arrivals":
            return _json(self.first)
        self.first, self.requests = {}, 0
        return EMPTY


class Connection(asyncio.Protocol):
    """Requests one after the other, each with a `Content-Length`."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._read = bytearray()
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's are none by their type

    def data_received(self, data: bytes) -> None:
        """Answer whatever is whole."""
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._read[:end])
            small = head.lower()
            whole = end + 4 + int(_header(small, b"content-length") or 0)
            if len(self._read) < whole:
                return
            del self._read[:whole]
            self._answer(head.split(b" ", 2)[1], small)

    def _answer(self, path: bytes, head: bytes) -> None:
        id = _header(head, b"webhook-id")
        if not id:
            self._transport.write(self._book.answer(path))
        elif path != b"/hang":
            self._book.note(id.decode())
            self._transport.write(EMPTY)


def _header(head: bytes, name: bytes) -> bytes:
    """A header's value; empty without one."""
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return b""
    end = head.find(b"\r\n", start + 2)
    return head[start + len(name) + 3 : end if end >= 0 else None].strip()


def _json(value: object) -> bytes:
    body = json.dumps(value).encode()
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )


async def _serve(port: int) -> None:
    book = Book()
    loop, hosts = asyncio.get_running_loop(), ["127.0.0.1", *map(address, range(1, TENANTS + 1))]
    server = await loop.create_server(lambda: Connection(book), hosts, port, backlog=MANY)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
