"""News: on a schedule of days, without holding up anything else."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from core_kit.activation import Json, activate, outcome
from core_kit.codes import look
from core_kit.hastening import hasten
from core_kit.modules import ScriptedModule, answers, one_by_one, waits_for
from core_kit.people import Owner
from core_kit.running import RunningCore
from tochka_core.subscriptions import public as subscriptions
from tochka_sdk import license as licenses
from tochka_sdk.db import Scope
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
UPDATED = "license.updated"


async def _live(owner: Owner, module: ScriptedModule) -> Json:
    body = await activate(owner, module.id)
    return await outcome(owner, body["id"])


async def _suspend(core: RunningCore, owner: Owner, body: Json) -> None:
    async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as connection:
        id = UUID(body["subscription"]["id"])
        await subscriptions.suspend(connection, core.resources, owner.tenant_id, id)


async def _resume(core: RunningCore, owner: Owner, body: Json) -> None:
    async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as connection:
        id = UUID(body["subscription"]["id"])
        await subscriptions.resume(connection, core.resources, owner.tenant_id, id)


async def _delivery(database: ScratchDatabase, owner: Owner) -> dict[str, Any]:
    query = "SELECT * FROM deliveries WHERE tenant_id = $1 AND type = $2"
    return (await look(database, query, owner.tenant_id, UPDATED))[0]


async def test_a_module_hears_of_a_changed_license_and_versions_grow(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await _live(owner, module)
    await _suspend(core, owner, body)
    await _resume(core, owner, body)
    resources = core.resources
    told = [
        licenses.verify(
            received.envelope.data["license"],
            resources.keyring.jwks(),
            module.id,
            resources.addresses.issuer,
        )
        for received in await module.wait_for(UPDATED, 2)
    ]
    first, second = sorted(told, key=lambda license: license.version)
    assert (first.access, first.status) == ("closed", "suspended")
    assert (second.access, second.status) == ("full", "trialing")
    assert first.version < second.version


async def test_a_module_that_falters_hears_of_news_later(
    core: RunningCore,
    core_database: ScratchDatabase,
    owner: Owner,
    module: ScriptedModule,
    dispatcher: None,
) -> None:
    module.on[UPDATED] = one_by_one(answers(500), answers(409), answers(200))
    body = await _live(owner, module)
    await _suspend(core, owner, body)
    for count in (1, 2, 3):
        await module.wait_for(UPDATED, count)
        await _settled(core_database, owner, count)
        await hasten(core_database, owner.tenant_id)
    assert (await _delivery(core_database, owner))["status"] == "delivered"
    assert len({received.headers["webhook-id"] for received in await module.wait_for(UPDATED, 3)}) == 1


async def _settled(database: ScratchDatabase, owner: Owner, attempts: int) -> None:
    """Wait until the outcome of an attempt has been written: outcomes of news are gathered first."""
    query = """
        SELECT count(*) AS n FROM attempts a JOIN deliveries d ON d.tenant_id = a.tenant_id
        AND d.id = a.delivery_id WHERE a.tenant_id = $1 AND d.type = $2
    """
    async with asyncio.timeout(10):
        while (await look(database, query, owner.tenant_id, UPDATED))[0]["n"] < attempts:  # noqa: ASYNC110  a row is no event
            await asyncio.sleep(0.02)


async def test_news_are_given_up_after_ten_attempts_and_can_still_be_read(
    core: RunningCore,
    core_database: ScratchDatabase,
    owner: Owner,
    module: ScriptedModule,
    dispatcher: None,
) -> None:
    module.on[UPDATED] = answers(429)
    body = await _live(owner, module)
    await _suspend(core, owner, body)
    for count in range(1, 11):
        await module.wait_for(UPDATED, count)
        await _settled(core_database, owner, count)
        await hasten(core_database, owner.tenant_id)
    delivery = await _delivery(core_database, owner)
    assert (delivery["status"], delivery["attempts"]) == ("expired", 10)
    feed = (await module.call(core.url, "GET", "/events")).json()
    assert UPDATED in [item["type"] for item in feed["items"]]


async def test_410_ends_the_attempts(
    core: RunningCore,
    core_database: ScratchDatabase,
    owner: Owner,
    module: ScriptedModule,
    dispatcher: None,
) -> None:
    module.on[UPDATED] = answers(410)
    body = await _live(owner, module)
    await _suspend(core, owner, body)
    await module.wait_for(UPDATED)
    await _settled(core_database, owner, 1)
    assert (await _delivery(core_database, owner))["status"] == "refused"


async def test_news_that_hang_do_not_hold_up_an_activation(
    core: RunningCore, owner: Owner, stranger: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    gate = asyncio.Event()
    module.on[UPDATED] = waits_for(gate, answers(200))
    body = await _live(owner, module)
    await _suspend(core, owner, body)
    await module.wait_for(UPDATED)
    assert (await _live(stranger, module))["status"] == "live"
    gate.set()
