"""Deliveries lie in months, and old months are forgotten: whole, and with what they told of."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from core_kit.codes import look
from core_kit.people import Owner, sign_up
from core_kit.running import RunningCore, core_settings, run_core
from core_kit.webhook_endpoints import endpoint_of
from tochka_core.migrate import upgrade
from tochka_core.webhooks.repository import months
from tochka_core.webhooks.service import routing
from tochka_sdk import clock
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

pytestmark = pytest.mark.anyio
PARTS = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY relname"
WHERE = "SELECT tableoid::regclass::text AS part FROM deliveries"
LEFT = """
    SELECT (SELECT count(*) FROM deliveries) AS deliveries, (SELECT count(*) FROM attempts) AS attempts,
           (SELECT count(*) FROM events) AS events
"""
DELIVER = """
    WITH done AS (UPDATE deliveries SET status = 'delivered', finished_at = now() RETURNING tenant_id, id)
    INSERT INTO attempts (tenant_id, id, delivery_id, number, started_at, duration_ms)
    SELECT tenant_id, gen_random_uuid(), id, 1, now(), 5 FROM done
"""


@pytest.fixture
async def database(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """One whose months may go."""
    made = await postgres.create_database("core_months", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(made.owner_dsn)
    yield made
    await postgres.drop_database(made.name)


@pytest.fixture
async def young(database: ScratchDatabase, redis_url: str) -> AsyncIterator[RunningCore]:
    """The core on it."""
    async with run_core(core_settings(database, redis_url)) as core:
        yield core


@pytest.fixture
async def somebody(young: RunningCore) -> AsyncIterator[Owner]:
    """Who has an endpoint."""
    owner = await sign_up(young.url)
    await endpoint_of(owner)
    yield owner
    await owner.client.aclose()


async def _tell(core: RunningCore, owner: Owner, name: str) -> None:
    """Something happens, and a delivery is made of it."""
    await owner.client.patch(f"{core.url}/api/v1/tenants/{owner.tenant_id}", json={"name": name})
    async with core.jobs.connections.system("test") as connection:
        assert await routing.fan_out(connection, 50) > 0


async def _keep(core: RunningCore, moment: datetime, kept: int = 3) -> int:
    async with core.jobs.connections.system("test") as connection:
        return await months.keep_months(connection, moment, kept)


async def _forget(core: RunningCore, moment: datetime, limit: int) -> int:
    async with core.jobs.connections.system("test") as connection:
        return await months.forget_events(connection, moment, 3, limit)


def _later(count: int) -> datetime:
    """The middle of the month so many months after this one."""
    number = clock.now().year * 12 + clock.now().month - 1 + count
    return datetime(number // 12, number % 12 + 1, 15, tzinfo=UTC)


async def test_a_delivery_lies_in_the_month_in_which_it_was_made(
    young: RunningCore, database: ScratchDatabase, somebody: Owner
) -> None:
    await _tell(young, somebody, "One")
    assert await look(database, WHERE) == [{"part": f"deliveries_{clock.now():%Y_%m}"}]


async def test_there_are_always_two_months_ahead(young: RunningCore, database: ScratchDatabase) -> None:
    for now in (_later(0), _later(1), _later(2)):
        assert await _keep(young, now) == 0
    parts = {row["relname"] for row in await look(database, PARTS)}
    for ahead in range(5):
        for table in ("deliveries", "attempts"):
            assert f"{table}_{_later(ahead):%Y_%m}" in parts


async def test_old_months_go_whole_and_what_they_told_of_goes_with_them(
    young: RunningCore, database: ScratchDatabase, somebody: Owner
) -> None:
    await _tell(young, somebody, "One")
    await _tell(young, somebody, "Two")
    await look(database, DELIVER)
    await _forget(young, _later(4), 100)  # what happened before there was an endpoint
    [before] = await look(database, LEFT)
    assert before["deliveries"] >= 2
    assert await _forget(young, _later(4), 100) == 0  # each still has its delivery
    assert await _keep(young, _later(3)) == 1  # what was before this month
    assert await look(database, LEFT) == [before]
    assert await _keep(young, _later(4)) == 1  # this month
    [after] = await look(database, LEFT)
    assert (after["deliveries"], after["attempts"]) == (0, 0)
    assert await _forget(young, _later(3), 100) == 0  # they are not old enough
    assert await _forget(young, _later(4), 2) == 2
    assert await _forget(young, _later(4), 100) == before["events"] - 2
    assert (await look(database, LEFT))[0]["events"] == 0


async def test_a_month_in_which_something_waits_stays(
    young: RunningCore, database: ScratchDatabase, somebody: Owner
) -> None:
    await _tell(young, somebody, "One")
    assert await _keep(young, _later(9)) == 3  # what was before, and two empty ones
    assert (await look(database, LEFT))[0]["deliveries"] == 1
    await look(database, DELIVER)
    assert await _keep(young, _later(9)) == 1


async def test_a_worker_has_the_months_it_needs_whenever_it_was_last_run(
    young: RunningCore, database: ScratchDatabase, somebody: Owner
) -> None:
    await _keep(young, _later(9))  # as if there had been none for this month yet
    with pytest.raises(asyncpg.CheckViolationError):
        await _tell(young, somebody, "One")
    assert await _keep(young, clock.now() + timedelta(seconds=1)) == 0
    await _tell(young, somebody, "One")
    assert len(await look(database, WHERE)) >= 1
