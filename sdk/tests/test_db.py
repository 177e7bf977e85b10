"""The doors to the database: scope, commit, rollback, and what they refuse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tochka_sdk.db import (
    Connection,
    Connections,
    Database,
    NoScope,
    Scope,
    TransactionAborted,
    UnsafeRole,
    narrow,
    savepoint,
    violates,
)
from tochka_sdk.errors import DatabaseBusy, DatabaseUnavailable, DomainError, Recorded
from tochka_sdk.ids import uuid7
from tochka_stack.testing import ScratchDatabase, running_postgres, scratch_folder

pytestmark = pytest.mark.anyio

ADD = "INSERT INTO notes (tenant_id, installation_id, id, text) VALUES ($1, $2, $3, $4)"


class Kept(Recorded, DomainError):
    """An error whose transaction commits."""

    code = "tests.kept"


def fresh() -> Scope:
    """The scope of an installation that nobody has seen."""
    return Scope(tenant_id=uuid7(), installation_id=uuid7())


class Work(Protocol):
    """One transaction, by whichever door."""

    async def run(self, sql: str, *values: Any) -> Any:
        """Run a statement with $1… and give its first value."""


class Door:
    """Both doors behind one face, so that both are held to the same promises."""

    def __init__(self, door: Database | Connections) -> None:
        self.door = door

    @asynccontextmanager
    async def open(self, scope: Scope | None) -> AsyncIterator[Work]:
        """A transaction as `scope`; without one as the system."""
        door = self.door
        if isinstance(door, Database):
            context = door.session(scope) if scope else door.system("tests")
            async with context as session:
                yield _Orm(session)
        else:
            hot = door.transaction(scope) if scope else door.system("tests")
            async with hot as connection:
                yield _Hot(connection)


class _Orm:
    def __init__(self, session: Any) -> None:
        self._session = session

    async def run(self, sql: str, *values: Any) -> Any:
        for number in range(1, len(values) + 1):
            sql = sql.replace(f"${number}", f":p{number}")
        given = {f"p{number}": value for number, value in enumerate(values, 1)}
        result = await self._session.execute(text(sql), given)
        return result.scalar() if result.returns_rows else None


class _Hot:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def run(self, sql: str, *values: Any) -> Any:
        return await self._connection.fetchval(sql, *values)


@pytest.fixture(params=["database", "connections"])
def door(request: pytest.FixtureRequest, database: Database, connections: Connections) -> Door:
    """Each door in turn."""
    return Door(database if request.param == "database" else connections)


async def add(work: Work, scope: Scope, words: str) -> None:
    """Write a note as the scope."""
    await work.run(ADD, scope.tenant_id, scope.installation_id, uuid7(), words)


async def count(door: Door, scope: Scope) -> int:
    """How many notes the scope sees."""
    async with door.open(scope) as work:
        return int(await work.run("SELECT count(*) FROM notes"))


async def test_the_scope_is_set_for_the_transaction_and_for_no_longer(door: Door) -> None:
    scope = Scope(tenant_id=uuid7(), installation_id=uuid7(), user_id=uuid7(), module_id="shop")
    async with door.open(scope) as work:
        seen = [await work.run(f"SELECT current_setting('{name}')") for name in scope.settings()]
    async with door.open(None) as work:
        after = await work.run("SELECT coalesce(current_setting('app.tenant_id', true), '')")
    assert seen == list(scope.settings().values())
    assert after == ""


async def test_leaving_the_block_commits(door: Door) -> None:
    scope = fresh()
    async with door.open(scope) as work:
        await add(work, scope, "kept")
    assert await count(door, scope) == 1


async def test_an_error_rolls_back(door: Door) -> None:
    scope = fresh()

    async def fail() -> None:
        async with door.open(scope) as work:
            await add(work, scope, "lost")
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        await fail()
    assert await count(door, scope) == 0


async def test_a_recorded_error_commits(door: Door) -> None:
    scope = fresh()

    async def fail() -> None:
        async with door.open(scope) as work:
            await add(work, scope, "kept")
            raise Kept("kept")

    with pytest.raises(Kept):
        await fail()
    assert await count(door, scope) == 1


async def test_a_cancelled_block_rolls_back_and_gives_its_connection_back(door: Door) -> None:
    scope = fresh()
    entered = asyncio.Event()

    async def work_forever() -> None:
        async with door.open(scope) as work:
            await add(work, scope, "lost")
            entered.set()
            await work.run("SELECT pg_sleep(30)::text")

    tasks = [asyncio.create_task(work_forever()) for _ in range(3)]
    await entered.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await count(door, scope) == 0
    assert door.door.pool_status().checked_out == 0


async def test_a_swallowed_error_cannot_be_committed(door: Door) -> None:
    scope = fresh()

    async def swallow() -> None:
        async with door.open(scope) as work:
            await add(work, scope, "lost")
            with suppress(asyncpg.PostgresError, DBAPIError):
                await work.run("SELECT 1 / 0")

    with pytest.raises(TransactionAborted):
        await swallow()
    assert await count(door, scope) == 0


async def test_one_installation_sees_nothing_of_another(door: Door) -> None:
    mine, theirs = fresh(), fresh()
    async with door.open(mine) as work:
        await add(work, mine, "mine")
    same_tenant = Scope(tenant_id=mine.tenant_id, installation_id=uuid7())
    other_tenant = Scope(tenant_id=uuid7(), installation_id=mine.installation_id)
    assert [await count(door, scope) for scope in (theirs, same_tenant, other_tenant, mine)] == [0, 0, 0, 1]


async def test_nothing_can_be_written_into_another_installation(door: Door) -> None:
    mine, theirs = fresh(), fresh()
    with pytest.raises((asyncpg.InsufficientPrivilegeError, DBAPIError)):
        async with door.open(mine) as work:
            await add(work, theirs, "planted")
    assert await count(door, theirs) == 0


async def test_a_protected_table_raises_without_a_scope(door: Door) -> None:
    scope = fresh()
    async with door.open(scope) as work:
        await add(work, scope, "mine")
    with pytest.raises((asyncpg.InsufficientPrivilegeError, DBAPIError), match="no scope"):
        async with door.open(None) as work:
            await work.run("SELECT count(*) FROM notes")


async def test_a_door_without_a_scope_does_not_open(database: Database, connections: Connections) -> None:
    with pytest.raises(NoScope):
        async with database.session(None):  # type: ignore[arg-type]  # what a careless caller does
            pass
    with pytest.raises(NoScope):
        async with connections.transaction(None):  # type: ignore[arg-type]  # what a careless caller does
            pass
    with pytest.raises(NoScope):
        await connections.read(None, "SELECT 1")  # type: ignore[arg-type]  # what a careless caller does
    with pytest.raises(NoScope):
        async with database.system(" "):
            pass
    with pytest.raises(NoScope):
        await connections.read_system(" ", "SELECT 1")
    assert database.pool_status().checked_in == 0
    assert connections.pool_status().checked_in == 0


def test_a_scope_of_nobody_is_refused() -> None:
    with pytest.raises(NoScope):
        Scope()


@pytest.mark.parametrize("given", [{"tenant_id": "x'; DROP TABLE notes; --"}, {"module_id": "a'b"}])
def test_a_scope_takes_ids_only(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="of a scope"):
        Scope(**given)


async def test_a_full_pool_answers_busy_and_says_how_it_stands(door: Door) -> None:
    held = [door.open(None) for _ in range(3)]
    for context in held:
        await context.__aenter__()
    status = door.door.pool_status()
    with pytest.raises(DatabaseBusy) as caught:
        async with door.open(None):
            pass
    for context in held:
        await context.__aexit__(None, None, None)
    assert caught.value.headers["Retry-After"] == "1"
    assert (status.checked_out, status.checked_in, status.overflow) == (3, 0, 0)
    assert door.door.pool_status().checked_out == 0


async def test_violations_are_told_by_the_constraint_s_name(door: Door) -> None:
    scope = fresh()
    with pytest.raises((asyncpg.IntegrityConstraintViolationError, DBAPIError)) as caught:
        async with door.open(scope) as work:
            await add(work, scope, "x" * 200)
    assert violates(caught.value, "ck_notes_short")
    assert not violates(caught.value, "uq_notes_text")
    assert not violates(RuntimeError(), "ck_notes_short")


async def test_a_role_that_bypasses_row_level_security_is_refused(
    door: Door, scratch: ScratchDatabase
) -> None:
    await door.door.check_role()
    powerful = type(door.door)(scratch.superuser_dsn)
    with pytest.raises(UnsafeRole):
        await powerful.check_role()
    await powerful.close()


async def test_connections_that_the_server_cut_are_replaced(door: Door, scratch: ScratchDatabase) -> None:
    async with door.open(None) as work:
        victim = await work.run("SELECT pg_backend_pid()")
    cutter = await asyncpg.connect(scratch.superuser_dsn)
    await cutter.execute("SELECT pg_terminate_backend($1, 5000)", victim)
    await cutter.close()
    async with door.open(None) as work:
        assert await work.run("SELECT pg_backend_pid()") != victim


async def test_a_connection_lost_in_the_middle_is_told_as_unavailable(
    door: Door, scratch: ScratchDatabase
) -> None:
    scope = fresh()
    cutter = await asyncpg.connect(scratch.superuser_dsn)

    async def lose() -> None:
        async with door.open(scope) as work:
            await add(work, scope, "lost")
            victim = await work.run("SELECT pg_backend_pid()")
            await cutter.execute("SELECT pg_terminate_backend($1, 5000)", victim)
            await work.run("SELECT 1")

    with pytest.raises(DatabaseUnavailable):
        await lose()
    await cutter.close()
    assert await count(door, scope) == 0


@pytest.mark.parametrize("kind", [Database, Connections])
async def test_a_database_that_is_away_is_told_as_unavailable(kind: type[Database | Connections]) -> None:
    door = kind("postgresql://nobody:x@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable):
        async with Door(door).open(None):
            pass
    await door.close()


async def test_the_doors_survive_a_restart_of_the_server() -> None:
    with scratch_folder() as folder:
        with running_postgres(folder) as server:
            port = server.port
            doors = [Door(Database(server.dsn())), Door(Connections(server.dsn()))]
            for door in doors:
                async with door.open(None) as work:
                    assert await work.run("SELECT 1") == 1
        for door in doors:
            with pytest.raises(DatabaseUnavailable):
                async with door.open(None):
                    pass
        with running_postgres(folder, port):
            for door in doors:
                async with door.open(None) as work:
                    assert await work.run("SELECT 1") == 1
                await door.door.close()


@pytest.mark.parametrize("kind", [Database, Connections])
async def test_without_statement_caches_the_doors_do_the_same(
    kind: type[Database | Connections], module_dsn: str
) -> None:
    """What PgBouncer in transaction mode needs: nothing prepared by name survives a transaction."""
    scope = fresh()
    raw = kind(module_dsn, pgbouncer=True)
    door = Door(raw)
    for words in ("one", "two", "three"):
        async with door.open(scope) as work:
            await add(work, scope, words)
    async with door.open(scope) as work:
        named = await work.run("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''")
        total = await work.run("SELECT count(*) FROM notes")
    await raw.close()
    assert (named, total) == (0, 3)


async def test_json_and_uuids_come_and_go_as_values(connections: Connections) -> None:
    async with connections.system("tests") as connection:
        row = await connection.fetchrow(
            "SELECT $1::jsonb AS j, $2::json AS k, $3::uuid AS u", {"а": [1]}, [None], uuid7()
        )
    assert row is not None
    assert (row["j"], row["k"], type(row["u"]).__mro__[-2]) == ({"а": [1]}, [None], UUID)


async def test_a_savepoint_undoes_its_part_alone(connections: Connections) -> None:
    scope = fresh()

    async def fail(connection: Connection) -> None:
        async with savepoint(connection):
            await add(_Hot(connection), scope, "lost")
            await add(_Hot(connection), scope, "kept")

    async with connections.transaction(scope) as connection:
        await add(_Hot(connection), scope, "kept")
        with pytest.raises(asyncpg.UniqueViolationError):
            await fail(connection)
        async with savepoint(connection):
            await add(_Hot(connection), scope, "also kept")
    assert await count(Door(connections), scope) == 2


async def test_a_nested_transaction_of_the_session_may_fail_and_the_rest_commits(database: Database) -> None:
    scope = fresh()
    async with database.session(scope) as session:
        await add(_Orm(session), scope, "kept")
        with pytest.raises(DBAPIError):
            async with session.begin_nested():
                await add(_Orm(session), scope, "kept")
    assert await count(Door(database), scope) == 1


async def test_narrowing_sets_the_rest_of_the_scope(database: Database) -> None:
    scope = fresh()
    async with database.session(Scope(tenant_id=scope.tenant_id)) as session:
        await narrow(session, Scope(installation_id=scope.installation_id))
        await add(_Orm(session), scope, "kept")
    assert await count(Door(database), scope) == 1
