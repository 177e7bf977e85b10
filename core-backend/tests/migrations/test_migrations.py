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
