"""The module that the tests are about, on a database of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tochka_sdk import migrations
from tochka_sdk.db import Connections, Database
from tochka_sdk.module import Module
from tochka_sdk.testing.plugin import (  # noqa: F401  fixtures; pytest takes plugins in the root's conftest only
    admin,
    installation,
    module_settings,
    plain_logs,
    platform,
    running,
    storefront,
    stranger,
)
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

from sdk.tests import example

MIGRATIONS = Path(__file__).parent / "migrations"


@pytest.fixture(scope="session")
async def scratch(postgres: ScratchPostgres, anyio_backend: object) -> AsyncIterator[ScratchDatabase]:
    """A migrated database of the example module."""
    database = await postgres.create_database("notes", "notes_owner", "notes_app")
    await asyncio.to_thread(migrations.run, database.owner_dsn, MIGRATIONS, app_role="notes_app")
    yield database
    await postgres.drop_database(database.name)


@pytest.fixture(scope="session")
def module_dsn(scratch: ScratchDatabase) -> str:
    """The example module's database, as the unprivileged role."""
    return scratch.dsn("notes_app")


@pytest.fixture(scope="session")
def module_under_test() -> Module:
    """The example module."""
    return example.module


@pytest.fixture
async def database(module_dsn: str) -> AsyncIterator[Database]:
    """The everyday door to the example's database."""
    door = Database(module_dsn, pool_size=3, max_overflow=0, pool_timeout=3.0)
    yield door
    await door.close()


@pytest.fixture
async def connections(module_dsn: str) -> AsyncIterator[Connections]:
    """The hot door to the example's database."""
    door = Connections(module_dsn, size=3, pool_timeout=3.0)
    yield door
    await door.close()


@pytest.fixture
async def owner(scratch: ScratchDatabase) -> AsyncIterator[Any]:
    """Somebody who may look at, and turn, everything in the example's tables, clocks included."""
    connection = await asyncpg.connect(scratch.superuser_dsn)
    yield connection
    await connection.close()
