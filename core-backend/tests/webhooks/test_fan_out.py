"""From events to deliveries: in a tenant's order, whoever does it."""

import asyncio
from collections import defaultdict
from uuid import UUID

import pytest
from core_kit.codes import look
from core_kit.modules import ScriptedModule
from core_kit.people import Owner, sign_up
from core_kit.running import RunningCore
from tochka_core.outbox.public import record
from tochka_core.resources import Resources
from tochka_core.webhooks.service import routing
from tochka_sdk.db import Scope
from tochka_sdk.ids import uuid7
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _record(core: RunningCore, owner: Owner, module: ScriptedModule, count: int) -> list[UUID]:
    made = []
    for _ in range(count):
        async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as connection:
            made.append(
                await record(
                    connection,
                    tenant_id=owner.tenant_id,
                    type="ping",
                    data={},
                    installation_id=uuid7(),
                    module_id=module.id,
                )
            )
    return made


async def _drain(jobs: Resources, limit: int) -> int:
    """Fan out until nothing is left."""
    total = 0
    while True:
        async with jobs.connections.system("test") as connection:
            count = await routing.fan_out(connection, limit)
        if not count:
            return total
        total += count


async def test_several_dispatchers_keep_each_tenants_order(
    core: RunningCore, core_database: ScratchDatabase, module: ScriptedModule
) -> None:
    owners = [await sign_up(core.url) for _ in range(3)]
    recorded: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for _ in range(4):
        for owner in owners:
            recorded[owner.tenant_id] += await _record(core, owner, module, 5)
    await asyncio.gather(*(_drain(core.jobs, 7) for _ in range(4)))
    await _drain(core.jobs, 100)
    for owner in owners:
        query = "SELECT event_id, sequence FROM deliveries WHERE tenant_id = $1 ORDER BY sequence"
        rows = await look(core_database, query, owner.tenant_id)
        assert [row["event_id"] for row in rows] == recorded[owner.tenant_id]
        assert [row["sequence"] for row in rows] == list(range(1, 21))
        await owner.client.aclose()
    query = "SELECT position FROM deliveries WHERE receiver = $1 ORDER BY position"
    rows = await look(core_database, query, module.id)
    assert [row["position"] for row in rows] == list(range(1, 61))


async def test_an_event_waits_for_an_older_one_of_its_tenant_that_somebody_else_holds(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule
) -> None:
    await _drain(core.jobs, 100)
    first, second = await _record(core, owner, module, 2)
    async with core.jobs.connections.system("test") as slow:
        assert await routing.fan_out(slow, 1) == 1  # holds the first, not committed yet
        async with asyncio.timeout(10), core.jobs.connections.system("test") as quick:
            assert await routing.fan_out(quick, 100) == 0
    await _drain(core.jobs, 100)
    query = "SELECT event_id, sequence FROM deliveries WHERE tenant_id = $1 ORDER BY sequence"
    rows = await look(core_database, query, owner.tenant_id)
    assert rows == [{"event_id": first, "sequence": 1}, {"event_id": second, "sequence": 2}]


BURST = """
    INSERT INTO events (tenant_id, id, type, installation_id, module_id, data)
    SELECT $1::uuid, gen_random_uuid(), 'ping', $1::uuid, $2, '{}' FROM generate_series(1, $3::int)
    RETURNING id
"""
LEFT = "SELECT count(*) AS left FROM events WHERE tenant_id = $1 AND fanned_out_at IS NULL"


async def _left(database: ScratchDatabase, owner: Owner) -> int:
    return int((await look(database, LEFT, owner.tenant_id))[0]["left"])


async def test_a_tenant_with_thousands_of_events_delays_nobody_elses(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, stranger: Owner, module: ScriptedModule
) -> None:
    await _drain(core.jobs, 100)
    await look(core_database, BURST, owner.tenant_id, module.id, 3000)
    await _record(core, stranger, module, 1)
    async with core.jobs.connections.system("test") as connection:
        assert await routing.fan_out(connection, 40) == 21
    assert await _left(core_database, stranger) == 0
    await _drain(core.jobs, 1000)
    assert await _left(core_database, owner) == 0


async def test_more_tenants_than_a_round_takes_have_their_turn_one_after_the_other(
    core: RunningCore, core_database: ScratchDatabase, module: ScriptedModule
) -> None:
    await _drain(core.jobs, 100)
    owners = [await sign_up(core.url) for _ in range(5)]
    await _drain(core.jobs, 100)
    for owner in owners:
        await look(core_database, BURST, owner.tenant_id, module.id, 9)
    turn = routing.Turn(tenants=2)
    counts = []
    for _ in range(4):
        async with core.jobs.connections.system("test") as connection:
            counts.append(await routing.fan_out(connection, 4, turn))
    assert counts == [4, 4, 4, 4]
    assert [await _left(core_database, owner) for owner in owners] == [5, 5, 7, 7, 5]
    await _drain(core.jobs, 1000)
    for owner in owners:
        assert await _left(core_database, owner) == 0
        await owner.client.aclose()
