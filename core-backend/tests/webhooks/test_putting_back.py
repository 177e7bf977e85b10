"""Deliveries that may not be sent now are put back; those that may are sent, whatever becomes of that."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from core_kit.activation import dispatching
from core_kit.hastening import hasten
from core_kit.people import rename
from core_kit.receivers import receiver_of
from core_kit.wired import wired_core
from tochka_core.migrate import upgrade
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

pytestmark = pytest.mark.anyio
RENAMED = "tenant.updated"


@pytest.fixture
async def database(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """One where nothing of other tests waits, which could be put back first."""
    found = await postgres.create_database("back", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(found.owner_dsn)
    yield found
    await postgres.drop_database(found.name)


async def test_what_may_be_sent_is_sent_though_the_rest_cannot_be_put_back(
    database: ScratchDatabase, redis_url: str
) -> None:
    async with (
        wired_core(database, redis_url) as wired,
        receiver_of(wired.core, wired.owner, concurrency=1) as receiver,
    ):
        for name in ("Первая", "Вторая"):
            await rename(wired.owner, name)
        putting_back = wired.wire.stop_at(r"deferrals = d\.deferrals")
        async with dispatching(wired.core.jobs):
            await asyncio.wait_for(putting_back.held.wait(), 30)
            try:
                await receiver.wait_for(RENAMED)
            finally:
                putting_back.cut()
            await hasten(database)  # the lease of the other one runs out
            await receiver.wait_for(RENAMED, 2)
