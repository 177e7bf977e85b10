"""The migrations go up, down and up again, and make exactly the tables that the models describe."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from core_kit.codes import look
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from tochka_core.metadata import METADATA
from tochka_core.migrate import config_for, upgrade
from tochka_sdk.ids import uuid7
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

pytestmark = pytest.mark.anyio


def _engine_url(database: ScratchDatabase) -> str:
    return database.owner_dsn.replace("postgresql://", "postgresql+asyncpg://")


def _differences(connection: Connection) -> list[object]:
    partitions = set(connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition")))
    opts = {"compare_type": True, "include_name": lambda name, *_: name not in partitions}
    context = MigrationContext.configure(connection, opts=opts)
    return list(compare_metadata(context, METADATA))


async def test_the_models_and_the_migrated_tables_agree(core_database: ScratchDatabase) -> None:
    engine = create_async_engine(_engine_url(core_database))
    async with engine.connect() as connection:
        differences = await connection.run_sync(_differences)
    await engine.dispose()
    assert differences == []


async def test_what_was_recorded_before_there_were_seals_waits_for_one(postgres: ScratchPostgres) -> None:
    database = await postgres.create_database("core_seals", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn, "0008")
    add = "INSERT INTO audit_entries (id, action, data) VALUES ($1, 'codes.refused', '{}') RETURNING id"
    before = await look(database, add, uuid7())
    await upgrade(database.owner_dsn)
    after = await look(database, add, uuid7())
    assert await look(database, "SELECT id FROM audit_waiting ORDER BY id") == before + after
    await postgres.drop_database(database.name)


SENT = """
    WITH tenant AS (INSERT INTO tenants (id, name) VALUES ($1, 'Т')),
      event AS (INSERT INTO events (tenant_id, id, type, data) VALUES ($1, $1, 'ping', '{}')),
      delivery AS (
        INSERT INTO deliveries (tenant_id, id, event_id, receiver, position, sequence, type, command)
        VALUES ($1, $1, $1, 'shop', 1, 1, 'ping', false))
    INSERT INTO attempts (tenant_id, id, delivery_id, number, started_at, duration_ms, response_body)
    VALUES ($1, $1, $1, 1, now(), 5, 'no') RETURNING id
"""
KEPT = """
    SELECT d.status, d.sequence, a.response_body FROM deliveries d
    JOIN attempts a ON a.tenant_id = d.tenant_id AND a.delivery_id = d.id
"""


async def test_what_was_sent_before_there_were_months_is_kept_and_kept_again(
    postgres: ScratchPostgres,
) -> None:
    database = await postgres.create_database("core_months", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn, "0014")
    await look(database, SENT, uuid7())
    expected = [{"status": "pending", "sequence": 1, "response_body": "no"}]
    await upgrade(database.owner_dsn, "0015")
    assert await look(database, KEPT) == expected
    engine = create_async_engine(_engine_url(database))
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(config_for(sync), "0014"))
    await engine.dispose()
    assert await look(database, KEPT) == expected
    await postgres.drop_database(database.name)


async def test_every_revision_can_be_undone_and_done_again(postgres: ScratchPostgres) -> None:
    database = await postgres.create_database("core_updown", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn)
    engine = create_async_engine(_engine_url(database))
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(config_for(sync), "base"))
    async with engine.begin() as connection:
        left = await connection.scalars(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
        )
        assert set(left) == {"alembic_version"}
    await engine.dispose()
    await upgrade(database.owner_dsn)
    await postgres.drop_database(database.name)
