"""Queues stand in one line: everybody has a turn, and nothing that is due is forgotten."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from core_kit.activation import dispatching
from core_kit.codes import look
from core_kit.hastening import hasten
from core_kit.modules import ScriptedModule, answers, registered_module
from core_kit.people import Owner, sign_up
from core_kit.running import RunningCore
from core_kit.waiting import until, waiting_for_lock
from tochka_core.outbox.public import record
from tochka_core.webhooks.repository import outcomes
from tochka_core.webhooks.repository import queue as repository
from tochka_core.webhooks.schemas import Delivery
from tochka_core.webhooks.service import queue, routing
from tochka_core.webhooks.tasks import LANES
from tochka_sdk.db import Connection, Scope
from tochka_sdk.ids import uuid7
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
NEWS = LANES[1]
LEASE = timedelta(seconds=20)
# A queue may be looked at too early, and never too late: when its first delivery is due, or now if that was
# before now.
FORGOTTEN = """
    SELECT d.id FROM deliveries d JOIN delivery_queues q USING (tenant_id, receiver, command)
    WHERE d.status = 'pending' AND (q.due_at IS NULL OR q.due_at > greatest(d.due_at, now()))
"""


async def _record(core: RunningCore, tenant_id: UUID, module: ScriptedModule, count: int) -> None:
    async with core.resources.connections.transaction(Scope(tenant_id=tenant_id)) as connection:
        for _ in range(count):
            await record(
                connection,
                tenant_id=tenant_id,
                type="ping",
                data={},
                installation_id=uuid7(),
                module_id=module.id,
            )


async def _fan_out(core: RunningCore) -> None:
    while True:
        async with core.jobs.connections.system("test") as connection:
            if not await routing.fan_out(connection, 500):
                return


async def _claim(
    connection: Connection, module: ScriptedModule, share: int = 16, limit: int = 64
) -> list[Delivery]:
    """What the module's queues have; what other tests left behind may be due as well."""
    others = await connection.fetch(
        "SELECT DISTINCT receiver FROM delivery_queues WHERE receiver <> $1", module.id
    )
    without = [row["receiver"] for row in others]
    return await queue.claim(
        connection, command=False, share=share, limit=limit, without=without, lease=LEASE
    )


@pytest.mark.proof
async def test_a_long_queue_delays_nobody_elses(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule
) -> None:
    await _record(core, owner.tenant_id, module, 1000)
    await _fan_out(core)
    others = [await sign_up(core.url) for _ in range(20)]
    for other in others:
        await _record(core, other.tenant_id, module, 1)
    await _fan_out(core)
    async with dispatching(core.jobs):
        await module.wait_for("ping", 1020)
    order = [received.envelope.tenant_id for received in module.received]
    last = max(order.index(other.tenant_id) for other in others)
    # what was in flight when their turn came, and theirs
    assert last < NEWS.cap + NEWS.batch + len(others)
    assert await look(core_database, FORGOTTEN) == []
    for other in others:
        await other.client.aclose()


async def test_a_claim_takes_of_each_queue_its_share_and_the_longer_ones_stand_in_line_again(
    core: RunningCore, core_database: ScratchDatabase, module: ScriptedModule
) -> None:
    owners = [await sign_up(core.url) for _ in range(3)]
    for owner, count in zip(owners, (10, 2, 10), strict=True):
        await _record(core, owner.tenant_id, module, count)
        await _fan_out(core)
    counts = []
    for _ in range(3):
        async with core.jobs.connections.system("test") as connection:
            claimed = await _claim(connection, module, share=4, limit=8)
        counts.append([sum(d.tenant_id == owner.tenant_id for d in claimed) for owner in owners])
    # eight are not enough for all three: whose turn did not come is the first of the next
    assert counts == [[4, 2, 2], [4, 0, 4], [2, 0, 4]]
    async with core.jobs.connections.system("test") as connection:
        assert await _claim(connection, module) == []
    assert await look(core_database, FORGOTTEN) == []
    await hasten(core_database)  # the leases run out
    async with core.jobs.connections.system("test") as connection:
        assert len(await _claim(connection, module)) == 22
    for owner in owners:
        await owner.client.aclose()


async def test_what_is_committed_while_a_claim_looks_is_not_forgotten(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule
) -> None:
    await _record(core, owner.tenant_id, module, 1)
    await _fan_out(core)
    await _record(core, owner.tenant_id, module, 1)
    async with core.jobs.connections.system("test") as connection:
        held = await connection.fetch(repository.HOLD_QUEUES, False, 64, [])
        assert owner.tenant_id in [row["tenant_id"] for row in held]
        fanning_out = asyncio.create_task(_fan_out(core))
        await waiting_for_lock(core_database)  # it needs the queue that the claim holds
        keys = ([owner.tenant_id], [module.id])
        claimed = await connection.fetch(repository.CLAIM_DELIVERIES, *keys, False, 64, 16, LEASE, [0])
        assert len(claimed) == 1
    await fanning_out
    assert await look(core_database, FORGOTTEN) == []
    async with core.jobs.connections.system("test") as connection:
        assert len(await _claim(connection, module)) == 1


async def test_an_outcome_that_waited_for_a_heartbeat_counts(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule
) -> None:
    await _record(core, owner.tenant_id, module, 1)
    await _fan_out(core)
    async with core.jobs.connections.system("test") as connection:
        [delivery] = await _claim(connection, module)

    async def settle() -> set[UUID]:
        async with core.jobs.connections.system("test") as connection:
            return await outcomes.settle(connection, [(delivery, "delivered")])

    async with core.jobs.connections.system("test") as connection:
        await queue.renew(connection, [delivery], LEASE)
        settling = asyncio.create_task(settle())
        await waiting_for_lock(core_database)
    assert await settling == {delivery.id}


async def test_a_claim_passes_over_a_queue_that_somebody_else_holds(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule
) -> None:
    await _record(core, owner.tenant_id, module, 1)
    await _fan_out(core)
    async with core.jobs.connections.system("test") as first, core.jobs.connections.system("test") as second:
        held = await first.fetch(repository.HOLD_QUEUES, False, 64, [])
        assert owner.tenant_id in [row["tenant_id"] for row in held]
        async with asyncio.timeout(10):
            assert await _claim(second, module) == []
    async with core.jobs.connections.system("test") as connection:
        assert len(await _claim(connection, module)) == 1


@pytest.mark.proof
async def test_many_dispatchers_send_everything_once_and_never_wait_for_each_other_in_a_circle(
    core: RunningCore, core_database: ScratchDatabase, module: ScriptedModule
) -> None:
    owners = [await sign_up(core.url) for _ in range(8)]
    async with (
        registered_module(core.resources, core.jobs) as faltering,
        dispatching(core.jobs),
        dispatching(core.jobs),
        dispatching(core.jobs),
    ):
        faltering.on["ping"] = answers(429)
        for _ in range(5):
            for owner in owners:
                await _record(core, owner.tenant_id, module, 6)
                await _record(core, owner.tenant_id, faltering, 6)
        await module.wait_for("ping", 240)
        await faltering.wait_for("ping", 240)

        async def is_written_down() -> bool:
            rows = await look(core_database, WRITTEN, [module.id, faltering.id])
            return [(row["status"], row["n"]) for row in rows] == [("delivered", 240), ("pending", 240)]

        await until(is_written_down)
    assert len({received.envelope.id for received in module.received}) == len(module.received) == 240
    assert await look(core_database, FORGOTTEN) == []
    for owner in owners:
        await owner.client.aclose()


WRITTEN = """
    SELECT status, count(*) AS n FROM deliveries WHERE receiver = ANY($1::text[]) AND attempts > 0
      AND leased_until IS NULL GROUP BY status ORDER BY status
"""
