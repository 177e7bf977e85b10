"""Ways in which a database goes away that a server does not show on demand: a wire between us plays them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from tochka_sdk.db import Connections, Database
from tochka_sdk.errors import DatabaseUnavailable
from tochka_stack.ports import free_ports
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

FIELDS = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0"
LAST_WORDS = b"E" + (len(FIELDS) + 4).to_bytes(4, "big") + FIELDS


@dataclass
class Wire:
    """Carries bytes to the server and back, and can say something of its own to the clients."""

    host: str
    port: int
    clients: list[asyncio.StreamWriter] = field(default_factory=list)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, until either side ends it."""
        self.clients.append(writer)
        there, back = await asyncio.open_connection(self.host, self.port)
        await asyncio.gather(_pour(reader, back), _pour(there, writer))

    async def say_last_words(self) -> None:
        """What every client hears when the postmaster dies; that the connections end is not heard yet."""
        for writer in self.clients:
            writer.write(LAST_WORDS)
            await writer.drain()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    writer.close()


@asynccontextmanager
async def wired(dsn: str, port: int = 0) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to the server of a DSN, and the DSN through it."""
    parts = urlsplit(dsn)
    wire = Wire(parts.hostname or "", parts.port or 5432)
    async with await asyncio.start_server(wire.carry, "127.0.0.1", port) as server:
        bound = server.sockets[0].getsockname()[1]
        yield wire, dsn.replace(f":{wire.port}/", f":{bound}/")
        for writer in wire.clients:
            writer.close()


async def _ask(door: Database | Connections) -> None:
    async with door.system("tests"):
        pass


@pytest.mark.parametrize("kind", [Database, Connections])
async def test_a_server_s_last_words_are_a_loss_and_no_mistake_of_ours(
    kind: type[Database | Connections], scratch: ScratchDatabase
) -> None:
    async with wired(scratch.dsn("notes_app")) as (wire, dsn):
        door = kind(dsn)
        await _ask(door)
        await wire.say_last_words()
        with pytest.raises(DatabaseUnavailable):
            async with asyncio.timeout(10):
                while True:  # the words are on their way, and may be heard only at the second asking
                    await _ask(door)
        await door.close()


@pytest.mark.parametrize("kind", [Database, Connections])
async def test_a_process_that_starts_waits_for_a_database_that_starts(
    kind: type[Database | Connections], scratch: ScratchDatabase
) -> None:
    port = free_ports(1)[0]
    dsn = scratch.dsn("notes_app")
    door = kind(dsn.replace(f":{urlsplit(dsn).port}/", f":{port}/"))
    with pytest.raises(DatabaseUnavailable):
        await door.check_role(patience=0)
    checking = asyncio.create_task(door.check_role())
    async with wired(dsn, port):
        await checking
        await door.close()
