"""Subscriptions: seen by their tenant, closed and opened as one, and licenses that only grow."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from core_kit.activation import activate, outcome, read
from core_kit.codes import look, refusal
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from tochka_core.subscriptions import public as subscriptions
from tochka_core.subscriptions.errors import SubscriptionEnded, SubscriptionUnknown
from tochka_sdk.db import Scope
from tochka_sdk.ids import uuid7
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _do(core: RunningCore, owner: Owner, what: Any, subscription_id: UUID) -> None:
    async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as connection:
        await what(connection, core.resources, owner.tenant_id, subscription_id)


async def _license(database: ScratchDatabase, owner: Owner) -> dict[str, Any]:
    query = "SELECT status, access, version FROM licenses WHERE tenant_id = $1"
    return (await look(database, query, owner.tenant_id))[0]


async def _events(database: ScratchDatabase, owner: Owner) -> list[str]:
    query = "SELECT type FROM events WHERE tenant_id = $1 AND module_id IS NOT NULL ORDER BY id"
    return [row["type"] for row in await look(database, query, owner.tenant_id)]


async def test_a_tenant_sees_its_subscriptions_and_nobody_else_does(
    owner: Owner, stranger: Owner, client: httpx.AsyncClient, module: ScriptedModule
) -> None:
    body = await activate(owner, module.id)
    id = body["subscription"]["id"]
    one = (await owner.client.get(f"{API}/subscriptions/{id}")).json()
    assert one["module"] == module.id
    assert {name: one[name] for name in body["subscription"]} == body["subscription"]
    assert one["ended_at"] is None
    assert (await owner.client.get(f"{API}/subscriptions")).json()["items"] == [one]
    assert refusal(await stranger.client.get(f"{API}/subscriptions/{id}")) == (404, "subscriptions.unknown")
    assert (await stranger.client.get(f"{API}/subscriptions")).json()["items"] == []
    assert (await client.get(f"{API}/subscriptions")).status_code == 401


async def test_suspending_and_resuming_twice_is_doing_it_once(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    id = UUID(body["subscription"]["id"])
    before = await _license(core_database, owner)
    for what, status, access in (
        (subscriptions.suspend, "suspended", "closed"),
        (subscriptions.resume, "trialing", "full"),
    ):
        await _do(core, owner, what, id)
        await _do(core, owner, what, id)
        now = await _license(core_database, owner)
        assert (now["status"], now["access"]) == (status, access)
        assert now["version"] > before["version"]
        before = now
        assert (await read(owner, body["id"]))["subscription"]["status"] == status
    assert (await _events(core_database, owner)).count("license.updated") == 2


async def test_a_trial_that_ran_out_meanwhile_is_not_resumed_as_one(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule
) -> None:
    body = await activate(owner, module.id)
    id = UUID(body["subscription"]["id"])
    await _do(core, owner, subscriptions.suspend, id)
    connection = await asyncpg.connect(core_database.superuser_dsn)
    query = "UPDATE subscriptions SET trial_ends_at = now() - interval '1 day' WHERE id = $1"
    await connection.execute(query, id)
    await connection.close()
    await _do(core, owner, subscriptions.resume, id)
    assert (await read(owner, body["id"]))["subscription"]["status"] == "active"


async def test_what_has_ended_is_neither_suspended_nor_resumed(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, stranger: Owner, module: ScriptedModule
) -> None:
    body = await activate(owner, module.id)
    id = UUID(body["subscription"]["id"])
    await owner.client.delete(f"{API}/installations/{body['id']}")
    for what in (subscriptions.suspend, subscriptions.resume):
        with pytest.raises(SubscriptionEnded):
            await _do(core, owner, what, id)
        with pytest.raises(SubscriptionUnknown):
            await _do(core, stranger, what, id)
        with pytest.raises(SubscriptionUnknown):
            await _do(core, owner, what, uuid7())
    assert (await _license(core_database, owner))["access"] == "closed"
    assert "license.updated" not in await _events(core_database, owner)


async def test_a_version_grows_also_when_the_stored_one_is_ahead_of_the_clock(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule
) -> None:
    body = await activate(owner, module.id)
    ahead = int((datetime.now(UTC) + timedelta(days=365)).timestamp() * 1000)
    connection = await asyncpg.connect(core_database.superuser_dsn)
    await connection.execute("UPDATE licenses SET version = $2 WHERE tenant_id = $1", owner.tenant_id, ahead)
    await connection.close()
    await _do(core, owner, subscriptions.suspend, UUID(body["subscription"]["id"]))
    assert (await _license(core_database, owner))["version"] == ahead + 1
