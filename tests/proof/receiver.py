"""An owner's system at the end of a webhook, a process of its own that can be killed at any moment.

    python receiver.py PORT FILE SEED SECRET SKEW_S ORDERED

It takes what carries a good signature by SECRET, by a clock that is SKEW_S off. Every effect is one row of an
SQLite file, committed before the answer; a repetition finds the row. As long as there is no file FILE.calm
its clock is wrong, and it misbehaves by chance, before the effect or after it. The way to it repeats requests
and, unless ORDERED is 1, lets them overtake each other: not by chance, but every so often.
"""

import asyncio
import gzip
import json
import random
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path

from tochka_sdk import clock, webhooks
from tochka_sdk.webhooks import SignatureInvalid

PORT, FILE, SEED = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
SECRET, SKEW = sys.argv[4], timedelta(seconds=float(sys.argv[5]))
IS_ORDERED = sys.argv[6] == "1"
BOMB = gzip.compress(bytes(8 * 1024 * 1024))
REQUESTS = "CREATE TABLE IF NOT EXISTS requests (id TEXT, sequence INT, came TEXT, mischief TEXT, again INT)"
REQUEST = "INSERT INTO requests SELECT ?, ?, ?, ?, EXISTS (SELECT 1 FROM effects WHERE id = ?)"
HEAD = "HTTP/1.1 {0} Status\r\nContent-Length: {1}\r\n{2}\r\n"


def answer(status: int, body: bytes = b"", headers: str = "") -> bytes:
    """A response as bytes."""
    return HEAD.format(status, len(body), headers).encode() + body


def is_genuine(headers: dict[str, str], body: bytes, skew: timedelta) -> bool:
    """Whether the platform sent this, and just now, by this clock."""
    try:
        webhooks.verify(headers, body, secrets=[SECRET], now=clock.now() + skew)
    except SignatureInvalid:
        return False
    return True


MISCHIEF = ("error", "hang_up", "drip", "endless", "bomb", "redirect", "later", "garbage")
TLS = b"\x16"
"""How a handshake begins."""
SAYING_YES = ("endless", "bomb")
SHARE = 0.2
DOUBLED, HELD, HOLD_S = 7, 5, 2.0


class Book:
    """What has taken effect, and every request."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("CREATE TABLE IF NOT EXISTS effects (id TEXT PRIMARY KEY, body TEXT)")
        self._database.execute(REQUESTS)

    def note(self, id: str, sequence: int, came: str, mischief: str) -> None:
        """A request came in, of what has taken effect already or has not."""
        self._database.execute(REQUEST, (id, sequence, came, mischief, id))

    def take(self, id: str, body: bytes) -> None:
        """The effect, once."""
        self._database.execute("INSERT OR IGNORE INTO effects VALUES (?, ?)", (id, body.decode()))


class Way:
    """What lies between the platform and us: it repeats every seventh request, and holds every fifth back
    until a later event has passed it.
    """

    def __init__(self) -> None:
        self._count = 0
        self._held: tuple[int, asyncio.Event] | None = None

    async def passed(self, sequence: int) -> str:
        """How a request comes when its time has come: `twice`, `late`, or as it was sent."""
        self._count += 1
        number = self._count
        if number % HELD == 0 and self._held is None and not IS_ORDERED:
            if await self._is_overtaken(sequence):
                return "late"
        elif self._held is not None and self._held[0] < sequence:
            self._held[1].set()
        return "" if number % DOUBLED else "twice"

    async def _is_overtaken(self, sequence: int) -> bool:
        self._held = sequence, asyncio.Event()
        try:
            async with asyncio.timeout(HOLD_S):
                return await self._held[1].wait()
        except TimeoutError:  # nothing came after it
            return False
        finally:
            self._held = None


class Receiver:
    """Serves until it is killed."""

    def __init__(self) -> None:
        self._book = Book(FILE)
        self._way = Way()
        self._chance = random.Random(f"{SEED}{FILE}")
        self._calm = FILE.with_suffix(".calm")

    async def run(self) -> None:
        """Listen."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", PORT)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the connection stays open."""
        first = await reader.readexactly(1)
        if first == TLS:  # what a server without TLS says to that
            writer.write(answer(400))
            await writer.drain()
            return False
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = [line.split(": ", 1) for line in head[1:] if ": " in line]
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        id, sequence = headers["webhook-id"], int(json.loads(body)["sequence"])
        came = await self._way.passed(sequence)
        is_calm = self._calm.exists()
        if not is_genuine(headers, body, timedelta() if is_calm else SKEW):
            self._book.note(id, sequence, "", "refused")
            writer.write(answer(401))
            await writer.drain()
            return True
        if came == "twice":  # nobody waits for what is said to the first
            self._book.note(id, sequence, "", "")
            self._book.take(id, body)
        is_wicked = not is_calm and self._chance.random() < SHARE
        mischief = self._chance.choice(MISCHIEF) if is_wicked else ""
        self._book.note(id, sequence, came, mischief)
        if mischief in {"", *SAYING_YES} or self._chance.random() < 0.5:
            self._book.take(id, body)
        if mischief:
            await getattr(self, f"_{mischief}")(writer)
            return False
        writer.write(answer(200))
        await writer.drain()
        return True

    async def _error(self, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(500, b"Bearer abcdefghijklmnop"))
        await writer.drain()

    async def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        """One byte a second, for longer than anybody should wait."""
        for byte in HEAD.format(200, 1000, ""):
            writer.write(byte.encode())
            await writer.drain()
            await asyncio.sleep(1)

    async def _endless(self, writer: asyncio.StreamWriter) -> None:
        """A body that does not end."""
        writer.write(b"HTTP/1.1 200 Status\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100_000):
            writer.write(b"1000\r\n" + bytes(0x1000) + b"\r\n")
            await writer.drain()

    async def _bomb(self, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(200, BOMB, "Content-Encoding: gzip\r\n"))
        await writer.drain()

    async def _redirect(self, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(307, b"", "Location: http://169.254.169.254/latest/meta-data/\r\n"))
        await writer.drain()

    async def _later(self, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(429, b"", "Retry-After: 1\r\n"))
        await writer.drain()

    async def _garbage(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xff no http at all\r\n\r\n")
        await writer.drain()


if __name__ == "__main__":
    asyncio.run(Receiver().run())
