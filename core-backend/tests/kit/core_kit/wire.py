"""A wire to PostgreSQL that a test can read and cut: every statement passes by name, and stops where told.

It speaks enough of the protocol (version 3, no TLS) to know which SQL is being executed, so that a fault can
be put before any statement, after it (done, but the answer is lost), and at the COMMIT that follows it.
"""

import asyncio
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from core_kit.running import close_listener

STARTUP = 196608
Moment = Literal["before", "after"]


@dataclass
class Stop:
    """One place where the wire holds a connection.

    At the first statement that matches `pattern`, or at the COMMIT behind it; or, with `number`, at the
    statement of that number from now on, from 0.
    """

    pattern: str = ""
    moment: Moment = "before"
    at_commit: bool = False
    number: int | None = None
    held: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    line: "_Line | None" = None

    def cut(self) -> None:
        """Cut the held connection on both sides."""
        assert self.line is not None, "nothing is held here"
        self.line.cut()
        self.released.set()


@dataclass
class Wire:
    """All connections that go through it; `statements` is what was executed, in order."""

    server: tuple[str, int]
    statements: list[str] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    lines: set["_Line"] = field(default_factory=set)
    is_down: bool = False
    port: int = 0

    def dsn(self, dsn: str) -> str:
        """The same database, by way of this wire."""
        parts = urlsplit(dsn)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}"))

    def stop_at(self, pattern: str, moment: Moment = "before", *, at_commit: bool = False) -> Stop:
        """Hold the next connection that gets there."""
        stop = Stop(pattern, moment, at_commit)
        self.stops.append(stop)
        return stop

    def stop_at_number(self, number: int, moment: Moment = "before") -> Stop:
        """Hold the connection that executes this statement from now on, counted over all connections."""
        stop = Stop(moment=moment, number=number)
        self.stops.append(stop)
        return stop

    def cut_all(self) -> None:
        """Cut every connection there is."""
        for line in list(self.lines):
            line.cut()

    def _due(self, line: "_Line", sql: str) -> Stop | None:
        for stop in self.stops:
            if stop.line is not None:
                continue
            if stop.number is not None:
                fits = stop.number == 0
                stop.number -= 1
            elif stop.at_commit:
                fits = sql.startswith("COMMIT") and any(re.search(stop.pattern, past) for past in line.work)
            else:
                fits = re.search(stop.pattern, sql) is not None
            if fits:
                stop.line = line
                return stop
        return None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one client's connection."""
        if self.is_down:
            writer.close()
            return
        try:
            back_reader, back_writer = await asyncio.open_connection(*self.server)
        except OSError:
            writer.close()
            return
        line = _Line(self, reader, writer, back_reader, back_writer)
        self.lines.add(line)
        try:
            await line.run()
        finally:
            self.lines.discard(line)


class _Line:
    """One connection."""

    def __init__(
        self,
        wire: Wire,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back_reader: asyncio.StreamReader,
        back_writer: asyncio.StreamWriter,
    ) -> None:
        self._wire = wire
        self._reader, self._writer = reader, writer
        self._back_reader, self._back_writer = back_reader, back_writer
        self._prepared: dict[str, str] = {}
        self._bound = ""
        self._stop_after: Stop | None = None
        self.work: list[str] = []

    def cut(self) -> None:
        """Drop both sides at once."""
        for writer in (self._writer, self._back_writer):
            writer.transport.abort()

    async def run(self) -> None:
        """Carry bytes until either side ends."""
        pumps = [asyncio.create_task(self._forth()), asyncio.create_task(self._back())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.cut()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _forth(self) -> None:
        code = 0
        while code != STARTUP:
            head = await self._reader.readexactly(8)
            size, code = struct.unpack("!II", head)
            self._back_writer.write(head + await self._reader.readexactly(size - 8))
        while True:
            kind = await self._reader.readexactly(1)
            head = await self._reader.readexactly(4)
            body = await self._reader.readexactly(struct.unpack("!I", head)[0] - 4)
            sql = self._read(kind, body)
            if sql is not None:
                await self._pass(sql)
            self._back_writer.write(kind + head + body)
            await self._back_writer.drain()

    def _read(self, kind: bytes, body: bytes) -> str | None:
        """Follow what is prepared and bound; the SQL when it is about to be executed."""
        if kind == b"P":
            name, sql, _ = body.split(b"\0", 2)
            self._prepared[name.decode()] = " ".join(sql.decode().split())
        elif kind == b"B":
            _, name, _ = body.split(b"\0", 2)
            self._bound = self._prepared.get(name.decode(), "")
        elif kind == b"E":
            return self._bound
        elif kind == b"Q":
            return " ".join(body.rstrip(b"\0").decode().split())
        return None

    async def _pass(self, sql: str) -> None:
        stop = self._wire._due(self, sql)
        if stop is not None and stop.moment == "before":
            stop.held.set()
            await stop.released.wait()
        elif stop is not None:
            self._stop_after = stop
        self._wire.statements.append(sql)
        if sql.startswith("BEGIN"):
            self.work = []
        self.work.append(sql)

    async def _back(self) -> None:
        while True:
            data = await self._back_reader.read(65536)
            if not data:
                return
            stop = self._stop_after
            if stop is not None and data[-6:-1] == b"Z\x00\x00\x00\x05":  # ReadyForQuery: it is done
                self._stop_after = None
                stop.held.set()
                await stop.released.wait()
            self._writer.write(data)
            await self._writer.drain()


@asynccontextmanager
async def wire_to(dsn: str) -> AsyncIterator[Wire]:
    """A wire to the server in `dsn`."""
    parts = urlsplit(dsn)
    wire = Wire((parts.hostname or "127.0.0.1", parts.port or 5432))
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        wire.cut_all()
        await close_listener(server)
