"""Ways in which a database goes away that a server does not show on demand: a wire between us plays them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import anyio
import asyncpg
import pytest
from sqlalchemy import text
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

    dsn: str
    clients: list[asyncio.StreamWriter] = field(default_factory=list)
    flowing: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, until either side ends it."""
        self.clients.append(writer)
        parts = urlsplit(self.dsn)
        there, back = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(_pour(reader, back), _pour(there, writer, self.flowing))

    async def say_last_words(self) -> None:
        """What every client hears when the postmaster dies; that the connections end is not heard yet."""
        for writer in self.clients:
            writer.write(LAST_WORDS)
            await writer.drain()
        other = await asyncpg.connect(self.dsn)  # by the time of a whole conversation it has been heard
        await other.execute("SELECT 1")
        await other.close()


async def _pour(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event | None = None
) -> None:
    try:
        while chunk := await reader.read(65536):
            if flowing is not None:
                await flowing.wait()
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    writer.close()


@asynccontextmanager
async def wired(dsn: str, port: int = 0) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to the server of a DSN, and the DSN through it."""
    wire = Wire(dsn)
    wire.flowing.set()
    async with await asyncio.start_server(wire.carry, "127.0.0.1", port) as server:
        bound = server.sockets[0].getsockname()[1]
        yield wire, moved(dsn, bound)
        for writer in wire.clients:
            writer.close()


def moved(dsn: str, port: int) -> str:
    """The same database, reached by another port."""
    return dsn.replace(f":{urlsplit(dsn).port}/", f":{port}/")


async def _ask(door: Database | Connections) -> None:
    async with door.system("tests"):
        pass


RUNS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"


async def _sleep_long(door: Database | Connections, begun: asyncio.Event) -> None:
    """A transaction that does not end by itself."""
    if isinstance(door, Connections):
        async with door.system("tests") as connection:
            begun.set()
            await connection.execute("SELECT pg_sleep(600)")
    else:
        async with door.system("tests") as session:
            begun.set()
            await session.execute(text("SELECT pg_sleep(600)"))


async def _runs(scratch: ScratchDatabase) -> None:
    """Wait until the server runs the statement that does not end."""
    connection = await asyncpg.connect(scratch.superuser_dsn)
    async with asyncio.timeout(20):
        while not await connection.fetchval(RUNS):  # noqa: ASYNC110  a server has no event for it
            await asyncio.sleep(0.01)
    await connection.close()


async def _given_back(door: Database | Connections) -> None:
    """Wait until no connection is in use."""
    async with asyncio.timeout(20):
        while door.pool_status().checked_out:  # noqa: ASYNC110  a pool has no event for it
            await asyncio.sleep(0.01)


def _errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


async def _lose(door: Database | Connections, wire: Wire) -> None:
    if isinstance(door, Connections):
        async with door.system("tests") as connection:
            await wire.say_last_words()
            await connection.execute("SELECT 1")
    else:
        async with door.system("tests") as session:
            await wire.say_last_words()
            await session.execute(text("SELECT 1"))


@pytest.mark.parametrize("kind", [Database, Connections])
async def test_a_connection_on_which_the_last_words_were_said_is_replaced(
    kind: type[Database | Connections], scratch: ScratchDatabase
) -> None:
    async with wired(scratch.dsn("notes_app")) as (wire, dsn):
        door = kind(dsn)
        await _ask(door)
        await wire.say_last_words()
        await _ask(door)
        await door.close()
    assert len(wire.clients) == 2


@pytest.mark.parametrize("kind", [Database, Connections])
async def test_last_words_in_the_middle_are_told_as_unavailable(
    kind: type[Database | Connections], scratch: ScratchDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    async with wired(scratch.dsn("notes_app")) as (wire, dsn):
        door = kind(dsn)
        with pytest.raises(DatabaseUnavailable):
            await _lose(door, wire)
        await _ask(door)
        await door.close()
    assert _errors(caplog) == []


@pytest.mark.parametrize("kind", [Database, Connections])
async def test_a_cancelled_transaction_gives_its_connection_back_in_order(
    kind: type[Database | Connections], scratch: ScratchDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    door, begun = kind(scratch.dsn("notes_app")), asyncio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(_sleep_long, door, begun)
        await begun.wait()
        await _runs(scratch)  # what the server has not begun, it cannot be told to cancel
        group.cancel_scope.cancel()  # again and again until all have gone, as Starlette's do
    await _given_back(door)
    await _ask(door)
    await door.close()
    assert _errors(caplog) == []


@pytest.mark.parametrize("kind", [Database, Connections])
async def test_a_transaction_that_is_cancelled_while_it_begins_leaves_nothing_behind(
    kind: type[Database | Connections], scratch: ScratchDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    async with wired(scratch.dsn("notes_app")) as (wire, dsn):
        door = kind(dsn)
        await _ask(door)
        wire.flowing.clear()
        with anyio.move_on_after(0.2) as scope:
            await _ask(door)
        wire.flowing.set()
        await _given_back(door)
        await _ask(door)
        await door.close()
    assert scope.cancelled_caught
    assert _errors(caplog) == []


@pytest.mark.parametrize("kind", [Database, Connections])
async def test_a_process_that_starts_waits_for_a_database_that_starts(
    kind: type[Database | Connections], scratch: ScratchDatabase
) -> None:
    dsn, port = scratch.dsn("notes_app"), free_ports(1)[0]
    door = kind(moved(dsn, port))
    with pytest.raises(DatabaseUnavailable):
        await door.check_role(patience=0)
    checking = asyncio.create_task(door.check_role())
    async with wired(dsn, port):
        await checking
        await door.close()
