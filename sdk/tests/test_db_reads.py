"""Single questions to the database: a transaction and its scope in one round trip."""

import asyncpg
import pytest
from tochka_sdk.db import Connections, Scope
from tochka_sdk.ids import uuid7
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

ADD = "INSERT INTO notes (tenant_id, installation_id, id, text) VALUES ($1, $2, $3, $4)"


def fresh() -> Scope:
    """The scope of an installation that nobody has seen."""
    return Scope(tenant_id=uuid7(), installation_id=uuid7())


async def add(connections: Connections, scope: Scope, words: str) -> None:
    """Write a note as the scope."""
    async with connections.transaction(scope) as connection:
        await connection.execute(ADD, scope.tenant_id, scope.installation_id, uuid7(), words)


async def test_a_single_read_sees_what_its_scope_sees_and_leaves_no_scope_behind(
    connections: Connections,
) -> None:
    mine, theirs = fresh(), fresh()
    await add(connections, mine, "mine")
    query = "SELECT text, current_setting('app.tenant_id') AS told FROM notes WHERE text = $1"
    seen = await connections.read(mine, query, "mine")
    assert seen is not None
    assert tuple(seen) == ("mine", str(mine.tenant_id))
    assert await connections.read(theirs, query, "mine") is None
    left = "SELECT coalesce(current_setting('app.tenant_id', true), '')"
    after = await connections.read_system("looks what is left", left)
    assert after is not None
    assert after[0] == ""
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="no scope"):
        await connections.read_system("asks for too much", "SELECT text FROM notes")


async def test_a_single_read_sets_its_scope_first_whatever_the_plan(connections: Connections) -> None:
    mine = fresh()
    for words in ("one", "two"):
        await add(connections, mine, words)
    for query in (
        "SELECT text FROM notes ORDER BY text LIMIT 1",
        "SELECT min(a.text) AS text FROM notes a JOIN notes b ON a.id = b.id",
        "SELECT text FROM notes WHERE text IN (SELECT text FROM notes) ORDER BY text",
    ):
        row = await connections.read(mine, query)
        assert row is not None
        assert row["text"] == "one"


async def test_a_single_read_replaces_a_connection_that_the_server_cut(
    connections: Connections, scratch: ScratchDatabase
) -> None:
    ask = "SELECT pg_backend_pid()"
    victim = await connections.read_system("looks who answers", ask)
    assert victim is not None
    cutter = await asyncpg.connect(scratch.superuser_dsn)
    await cutter.execute("SELECT pg_terminate_backend($1, 5000)", victim[0])
    await cutter.close()
    assert await connections.read(fresh(), ask) != victim
