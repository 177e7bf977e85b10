"""Two parties, each with something in every table, in a database of their own."""

import secrets
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from core_kit.activation import activate, ask, dispatching, outcome, unique_label
from core_kit.members import invited, join
from core_kit.modules import REMOVED, ScriptedModule, registered_module
from core_kit.passwords import changing, set_password
from core_kit.people import API, Owner, sign_up, unique_phone
from core_kit.rls import CASES, PLATFORM, Walk, World, Worlds
from core_kit.running import RunningCore, core_settings, run_core
from core_kit.sealing import seal
from core_kit.webhook_endpoints import ENDPOINTS, endpoint_of
from tochka_core.accounts.repository import people
from tochka_core.migrate import upgrade
from tochka_core.subscriptions import public as subscriptions
from tochka_sdk.db import Scope
from tochka_stack.testing import ScratchPostgres


@pytest.fixture(scope="session")
async def worlds(postgres: ScratchPostgres, redis_url: str) -> AsyncIterator[Worlds]:
    """Made once, by way of the API; nothing that looks at it changes it."""
    database = await postgres.create_database("rls", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn)
    async with (
        run_core(core_settings(database, redis_url)) as core,
        registered_module(core.resources, core.jobs) as first,
        registered_module(core.resources, core.jobs) as second,
        dispatching(core.jobs),
    ):
        owners = [await sign_up(core.url) for _ in range(2)]
        hosts = [
            await _live(core, owner, module) for owner, module in zip(owners, (first, second), strict=True)
        ]
        await seal(core.jobs)
        await _expect_each_other(core, *owners)  # which is not sealed yet
        for owner in owners:
            await _prepare_to_sign_in(core, owner)
            await _hook(owner)
        for owner in owners:
            await owner.client.aclose()
    me, other = (
        World(owner.tenant_id, owner.user_id, module.id)
        for owner, module in zip(owners, (first, second), strict=True)
    )
    superuser = await asyncpg.connect(database.superuser_dsn)
    steps = Walk(superuser, (me, other), switch=True)
    expectations = {table: await steps.expect(table) for table in CASES}
    platform = {table: await steps.rows(table) for table in PLATFORM}
    await superuser.close()
    phones = (owners[0].phone, owners[1].phone)
    yield Worlds(database, (me, other), expectations, platform, (hosts[0], hosts[1]), phones)
    await postgres.drop_database(database.name)


async def _expect_each_other(core: RunningCore, *owners: Owner) -> None:
    """Each invites the other, and has offered the tenant to somebody who has joined."""
    for owner, other in zip(owners, owners[::-1], strict=True):
        await invited(owner, other.phone)
        heir = await sign_up(core.url)
        await join(owner, heir)
        offer = {"user_id": str(heir.user_id)}
        await owner.client.put(f"{API}/tenants/{owner.tenant_id}/handover", json=offer)
        await heir.client.aclose()


async def _hook(owner: Owner) -> None:
    """An endpoint, and a replay of what it was sent."""
    made = await endpoint_of(owner)
    replay = await owner.client.post(f"{ENDPOINTS}/{made['id']}/replays", json={})
    assert replay.status_code == 202, replay.text


async def _prepare_to_sign_in(core: RunningCore, owner: Owner) -> None:
    """A password, a change of number that is pending, an account of a messenger."""
    assert (await set_password(owner.client)).status_code == 204
    assert (await changing(owner, unique_phone())).status_code == 200
    async with core.resources.connections.transaction(Scope(user_id=owner.user_id)) as connection:
        await people.link(connection, owner.user_id, "max", str(owner.user_id.int)[:9])


async def _live(core: RunningCore, owner: Owner, module: ScriptedModule) -> str:
    """Something of everything: an installation, one that is gone, a suspension, a renamed tenant."""
    made = await ask(owner, module.id, unique_label(), key=secrets.token_hex(8))
    body = await outcome(owner, made.json()["id"])
    gone = await activate(owner, module.id)
    await outcome(owner, gone["id"])
    await owner.client.delete(f"{API}/installations/{gone['id']}")
    await module.wait_for(REMOVED)
    await owner.client.patch(f"{API}/tenants/{owner.tenant_id}", json={"name": "Пекарня"})
    await module.wait_for("tenant.updated")
    id = UUID(body["subscription"]["id"])
    async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as connection:
        await subscriptions.suspend(connection, core.resources, owner.tenant_id, id)
    await module.wait_for("license.updated")
    return str(body["host"])
