"""The standard protection of a module's tables: up, down, up again, and each wall does its part."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from tochka_sdk import migrations, tables
from tochka_sdk.db import Connections, Scope
from tochka_sdk.events import Ping
from tochka_sdk.ids import uuid7
from tochka_sdk.repository import TablesOutdated
from tochka_sdk.testing import FreshInstallation, PlatformDouble, running_module
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

from sdk.tests import example

pytestmark = pytest.mark.anyio
FOLDER = Path(__file__).parent / "migrations"
ROLE = "notes_app"


@pytest.fixture
async def empty(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """An empty database."""
    made = await postgres.create_database("migrating", "notes_owner", ROLE)
    yield made
    await postgres.drop_database(made.name)


async def names(database: ScratchDatabase) -> set[str]:
    """What stands in the database: tables, functions, policies."""
    connection = await asyncpg.connect(database.superuser_dsn)
    rows = await connection.fetch(
        "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'"
        " UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " UNION SELECT policyname::text FROM pg_policies"
    )
    await connection.close()
    return {row["name"] for row in rows} - {"alembic_version"}


async def test_up_down_and_up_again(empty: ScratchDatabase) -> None:
    async def up() -> set[str]:
        await asyncio.to_thread(migrations.run, empty.owner_dsn, FOLDER, app_role=ROLE)
        return await names(empty)

    first = await up()
    await asyncio.to_thread(migrations.downgrade, empty.owner_dsn, FOLDER, app_role=ROLE)
    nothing = await names(empty)
    again = await up()
    assert {"notes", "notes_own", "notes_wall", "app_tenant_id", "tochka_installations"} <= first
    assert nothing == set()
    assert again == first


async def test_migrations_wait_for_a_lock_only_so_long(empty: ScratchDatabase) -> None:
    await asyncio.to_thread(migrations.run, empty.owner_dsn, FOLDER, app_role=ROLE)
    holder = await asyncpg.connect(empty.superuser_dsn)

    def down() -> None:
        migrations.downgrade(empty.owner_dsn, FOLDER, app_role=ROLE, lock_timeout="50ms")

    async with holder.transaction():
        await holder.execute("LOCK TABLE notes IN ACCESS SHARE MODE")
        with pytest.raises(DBAPIError, match="lock timeout"):
            await asyncio.to_thread(down)
    await holder.close()
    assert "notes" in await names(empty)


async def test_the_wall_stands_when_another_policy_opens_the_table(empty: ScratchDatabase) -> None:
    await asyncio.to_thread(migrations.run, empty.owner_dsn, FOLDER, app_role=ROLE)
    door = Connections(empty.dsn(ROLE))
    theirs = Scope(tenant_id=uuid7(), installation_id=uuid7())
    await _row(door, theirs)
    owner = await asyncpg.connect(empty.owner_dsn)
    await owner.execute("CREATE POLICY careless ON notes TO PUBLIC USING (true) WITH CHECK (true)")
    await owner.close()
    async with door.transaction(Scope(tenant_id=uuid7(), installation_id=uuid7())) as connection:
        assert await connection.fetchval("SELECT count(*) FROM notes") == 0
    await door.close()


async def test_the_sdk_s_tables_are_those_that_it_queries(scratch: ScratchDatabase) -> None:
    connection = await asyncpg.connect(scratch.superuser_dsn)
    rows = await connection.fetch(
        "SELECT table_name, column_name, is_nullable = 'YES' AS nullable"
        " FROM information_schema.columns WHERE table_name LIKE 'tochka%'"
    )
    await connection.close()
    real = {(row["table_name"], row["column_name"], row["nullable"]) for row in rows}
    mapped = {
        (table.name, column.name, bool(column.nullable))
        for table in tables.METADATA.sorted_tables
        for column in table.columns
    }
    assert mapped == real


def test_only_plain_names_become_sql() -> None:
    with pytest.raises(ValueError, match="plain SQL identifier"):
        migrations.protect('notes"; DROP TABLE notes; --')


STATEMENTS = {
    "select": "SELECT count(*) FROM notes WHERE id = $1",
    "insert": (
        "WITH done AS (INSERT INTO notes (tenant_id, installation_id, id, text)"
        " SELECT $2, $3, gen_random_uuid(), 'x' WHERE $1::uuid IS NOT NULL RETURNING 1)"
        " SELECT count(*) FROM done"
    ),
    "update": (
        "WITH done AS (UPDATE notes SET text = 'y' WHERE id = $1 RETURNING 1) SELECT count(*) FROM done"
    ),
    "delete": "WITH done AS (DELETE FROM notes WHERE id = $1 RETURNING 1) SELECT count(*) FROM done",
}


async def _row(connections: Connections, scope: Scope) -> Any:
    note = uuid7()
    async with connections.transaction(scope) as connection:
        await connection.execute(
            "INSERT INTO notes (tenant_id, installation_id, id, text) VALUES ($1, $2, $3, 'theirs')",
            scope.tenant_id,
            scope.installation_id,
            note,
        )
    return note


@pytest.mark.parametrize("verb", STATEMENTS)
@pytest.mark.parametrize("whose", ["own", "same tenant", "same installation id", "nobody's"])
async def test_the_wall_holds_for_every_verb_and_every_scope(
    connections: Connections, verb: str, whose: str
) -> None:
    theirs = Scope(tenant_id=uuid7(), installation_id=uuid7())
    note = await _row(connections, theirs)
    scope = {
        "own": theirs,
        "same tenant": Scope(tenant_id=theirs.tenant_id, installation_id=uuid7()),
        "same installation id": Scope(tenant_id=uuid7(), installation_id=theirs.installation_id),
        "nobody's": Scope(user_id=uuid7()),
    }[whose]
    values = (note, theirs.tenant_id, theirs.installation_id) if verb == "insert" else (note,)

    async def attempt() -> Any:
        async with connections.transaction(scope) as connection:
            return await connection.fetchval(STATEMENTS[verb], *values)

    if whose == "own":
        assert await attempt() == 1
    elif whose == "nobody's" or verb == "insert":
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await attempt()
    else:
        assert await attempt() == 0


OLD_TABLES = """
    DROP TABLE tochka_feed;
    DROP INDEX uq_tochka_events_tenant_id_sequence;
    CREATE INDEX ix_tochka_events_tenant_id_sequence ON tochka_events (tenant_id, sequence);
    ALTER TABLE tochka_sequences DROP COLUMN newest_at, DROP COLUMN lost, DROP COLUMN digest_sequence,
        DROP COLUMN digest_at, DROP COLUMN proved_until;
"""
OLD_SEQUENCE = """
    INSERT INTO tochka_sequences (tenant_id, last_sequence, highest_sequence) VALUES ($1, $2, $3)
    ON CONFLICT (tenant_id) DO UPDATE SET last_sequence = $2, highest_sequence = $3
"""
OLD_EVENT = """
    INSERT INTO tochka_events (event_id, tenant_id, sequence, type) VALUES ($1, $2, $3, 'ping')
    ON CONFLICT (event_id) DO NOTHING
"""
LATER = '''"""The SDK's newer tables."""

from tochka_sdk import migrations

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    """Bring them up to date."""
    migrations.upgrade_sdk_tables()


def downgrade() -> None:
    """Nothing to undo."""
'''


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of the module, with one more for the SDK's newer tables."""
    folder = shutil.copytree(FOLDER, tmp_path / "migrations")
    (folder / "versions" / "0002_later.py").write_text(LATER)
    return Path(folder)


async def test_what_an_older_sdk_had_counted_is_neither_lost_nor_repeated(
    empty: ScratchDatabase, later: Path, platform: PlatformDouble
) -> None:
    await asyncio.to_thread(migrations.run, empty.owner_dsn, FOLDER, app_role=ROLE)
    old = await asyncpg.connect(empty.owner_dsn)
    await old.execute(OLD_TABLES)
    fresh = FreshInstallation()
    below, forgotten, above, missing, beside = (
        platform.event("ping", Ping(), fresh, tenant_wide=True, sequence=n) for n in (2, 1, 4, 3, 5)
    )
    await old.execute(OLD_SEQUENCE, fresh.tenant_id, 2, 4)
    for item in (below, above):
        await old.execute(OLD_EVENT, item.id, fresh.tenant_id, item.sequence)
    await old.execute(OLD_EVENT, "0-of-a-platform-before", fresh.tenant_id, 2)
    for _ in range(2):
        await asyncio.to_thread(migrations.run, empty.owner_dsn, later, app_role=ROLE)
    async with running_module(example.module, platform.settings(empty.dsn(ROLE)), platform) as client:
        answers = [await client.deliver(item) for item in (forgotten, below, above, missing)]
        await old.execute(OLD_EVENT, beside.id, fresh.tenant_id, 5)  # a process of the older SDK goes on
        await old.execute(OLD_SEQUENCE, fresh.tenant_id, 5, 5)
        again = [await client.deliver(beside)]
        await old.execute("DELETE FROM tochka_events")
        again += [await client.deliver(item) for item in (beside, below, above, missing)]
    query = "SELECT last_sequence, highest_sequence FROM tochka_sequences WHERE tenant_id = $1"
    rows = await old.fetch(query, fresh.tenant_id)
    await old.close()
    assert [a.json()["status"] for a in answers] == ["duplicate"] * 3 + ["done"]
    assert [a.json()["status"] for a in again] == ["duplicate"] * 5
    assert [tuple(row) for row in rows] == [(5, 5)]


async def test_a_module_does_not_start_on_tables_of_an_older_sdk(
    empty: ScratchDatabase, platform: PlatformDouble
) -> None:
    await asyncio.to_thread(migrations.run, empty.owner_dsn, FOLDER, app_role=ROLE)
    old = await asyncpg.connect(empty.owner_dsn)
    await old.execute(OLD_TABLES)
    await old.close()
    with pytest.raises(TablesOutdated, match="upgrade_sdk_tables"):
        async with running_module(example.module, platform.settings(empty.dsn(ROLE)), platform):
            pass
