"""Endpoints that hang hold their own tenant's deliveries back, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from core_kit.activation import activate, dispatching, outcome
from core_kit.codes import look
from core_kit.modules import answers, waits_for
from core_kit.people import rename, sign_up
from core_kit.receivers import ScriptedReceiver, receiver_of
from core_kit.running import RunningCore
from core_kit.waiting import until
from core_kit.wired import wired_core
from tochka_core.migrate import upgrade
from tochka_core.outbound.public import Gates, Want
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

pytestmark = pytest.mark.anyio
RENAMED = "tenant.updated"
PLACES = 8
ATTEMPTS = "SELECT DISTINCT response_status, error FROM attempts"
UNSENT = "SELECT id FROM deliveries WHERE status <> 'delivered' OR attempts <> 1"


@pytest.fixture
async def database(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """One where nothing of other tests takes places."""
    found = await postgres.create_database("places", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(found.owner_dsn)
    yield found
    await postgres.drop_database(found.name)


async def _is_closed(core: RunningCore, receiver: ScriptedReceiver) -> bool:
    [grant] = await Gates(core.jobs.redis).take([Want(f"webhooks:{receiver.made['id']}:0")])
    return grant.why == ""


async def test_tenants_whose_endpoints_hang_hold_back_only_their_own_deliveries(
    database: ScratchDatabase, redis_url: str
) -> None:
    answer = asyncio.Event()
    async with (
        wired_core(database, redis_url, webhook_connections=PLACES) as wired,
        AsyncExitStack() as stack,
    ):
        core, hanging = wired.core, list[ScriptedReceiver]()
        owners = [wired.owner, await sign_up(core.url)]
        for owner in (*owners, *owners):
            hanging.append(await stack.enter_async_context(receiver_of(core, owner)))
            hanging[-1].on[RENAMED] = waits_for(answer, answers(200))
        for owner in owners:
            for number in range(PLACES):
                await rename(owner, f"Номер {number}")
        stranger = await sign_up(core.url)
        prompt = await stack.enter_async_context(receiver_of(core, stranger))
        for other in (owners[1], stranger):
            stack.push_async_callback(other.client.aclose)

        async def are_held() -> bool:
            tenants = {held.envelope.tenant_id for receiver in hanging for held in receiver.received}
            return len(tenants) == len(owners)

        async with dispatching(core.jobs):
            try:
                await until(are_held)
                await rename(stranger, "Чужая")
                await prompt.wait_for(RENAMED)
                activation = await activate(stranger, wired.module.id)
                assert (await outcome(stranger, activation["id"]))["status"] == "live"
                await prompt.wait_for("installation.live")
                assert sum(len(receiver.received) for receiver in hanging) < PLACES
                assert all([await _is_closed(core, receiver) for receiver in (prompt, *hanging)])
            finally:
                answer.set()

            async def is_all_sent() -> bool:
                return await look(database, UNSENT) == []

            await until(is_all_sent)
        rows = await look(database, ATTEMPTS)
        assert [(row["response_status"], row["error"]) for row in rows] == [(200, None)]
