"""Fixtures of the tests of the catalogue."""

from collections.abc import AsyncIterator

import pytest
from tochka_core.migrate import upgrade
from tochka_stack.testing import ScratchDatabase, ScratchPostgres


@pytest.fixture
async def own_database(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """A migrated database with nothing in it."""
    database = await postgres.create_database("own", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn)
    yield database
    await postgres.drop_database(database.name)
