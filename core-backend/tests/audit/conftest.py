"""A platform of its own, whose trail no other test adds to."""

from collections.abc import AsyncIterator

import pytest
from core_kit.running import RunningCore, core_settings, run_core
from tochka_core.migrate import upgrade
from tochka_stack.testing import ScratchDatabase, ScratchPostgres


@pytest.fixture
async def trail_database(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """A migrated database without an entry."""
    database = await postgres.create_database("trail", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn)
    yield database
    await postgres.drop_database(database.name)


@pytest.fixture
async def platform(trail_database: ScratchDatabase, redis_url: str) -> AsyncIterator[RunningCore]:
    """A core on it; nothing seals unless a test does."""
    async with run_core(core_settings(trail_database, redis_url, pool_size=20)) as core:
        yield core
