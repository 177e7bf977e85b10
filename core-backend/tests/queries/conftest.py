"""A database whose tables are as large as they get."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from core_kit.large import fill
from tochka_core.migrate import upgrade
from tochka_stack.testing import ScratchDatabase, ScratchPostgres


@pytest.fixture(scope="session")
async def large_database(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """Filled once; nothing that looks at it changes it."""
    database = await postgres.create_database("large", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn)
    connection = await asyncpg.connect(database.superuser_dsn)
    await fill(connection)
    await connection.close()
    yield database
    await postgres.drop_database(database.name)


@pytest.fixture
async def superuser(large_database: ScratchDatabase) -> AsyncIterator[asyncpg.Connection]:
    """A connection that can take any role."""
    connection = await asyncpg.connect(large_database.superuser_dsn, statement_cache_size=0)
    yield connection
    await connection.close()
