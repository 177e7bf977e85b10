"""Once a day every module is told how many events there are for it, tenant by tenant."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from core_kit.activation import activate, outcome
from core_kit.codes import look
from core_kit.modules import REMOVED, ScriptedModule
from core_kit.people import API, Owner, sign_up
from core_kit.receivers import receiver_of
from core_kit.running import RunningCore
from tochka_core.webhooks.service import digests
from tochka_sdk import clock
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
YESTERDAY = """
    UPDATE receiver_sequences SET digested_at = now() - interval '25 hours'
    WHERE tenant_id = $1 RETURNING receiver, last_sequence
"""


async def _write(core: RunningCore) -> None:
    async with core.jobs.connections.system("test") as connection:
        while await digests.write(connection):
            pass


async def test_a_module_is_told_how_far_its_events_go(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    async with receiver_of(core, owner) as receiver:
        await owner.client.post(f"{receiver.endpoint}/test")
        await receiver.wait_for("ping")
        told = {
            row["receiver"]: row["last_sequence"]
            for row in await look(core_database, YESTERDAY, owner.tenant_id)
        }
        await _write(core)
        [digest] = await module.wait_for("digest")
        assert digest.envelope.tenant_id == owner.tenant_id
        last = told[module.id]
        assert digest.envelope.data == {"last_sequence": last, "events": last, "since": None}
        assert digest.envelope.sequence == told[module.id] + 1
        await _write(core)
        await owner.client.post(f"{receiver.endpoint}/test")
        await receiver.wait_for("ping", 2)
        assert len(await module.wait_for("digest")) == 1
        assert "digest" not in [received.event for received in receiver.received]


async def _digests_of(database: ScratchDatabase, owner: Owner) -> list[dict[str, Any]]:
    query = "SELECT data FROM events WHERE tenant_id = $1 AND type = 'digest' ORDER BY id"
    return [json.loads(row["data"]) for row in await look(database, query, owner.tenant_id)]


async def test_the_next_one_says_how_many_came_since_the_one_before(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    for _ in range(2):
        await look(core_database, YESTERDAY, owner.tenant_id)
        await _write(core)
        await module.wait_for("digest")
        await owner.client.patch(f"{API}/tenants/{owner.tenant_id}", json={"name": "Пекарня"})
        await module.wait_for("tenant.updated")
    first, second = await _digests_of(core_database, owner)
    assert (first["events"], first["since"]) == (first["last_sequence"], None)
    assert second["events"] == second["last_sequence"] - first["last_sequence"] >= 2
    assert clock.now() - datetime.fromisoformat(second["since"]) > timedelta(hours=24)


async def test_whoever_writes_them_and_however_many_at_once_there_is_one_each(
    core: RunningCore, core_database: ScratchDatabase, module: ScriptedModule, dispatcher: None
) -> None:
    owners = [await sign_up(core.url) for _ in range(6)]
    for owner in owners:
        body = await activate(owner, module.id)
        await outcome(owner, body["id"])
        await look(core_database, YESTERDAY, owner.tenant_id)

    async def interrupted() -> None:
        async with core.jobs.connections.system("test") as connection:
            await digests.write(connection)
            raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError, match="the power went out"):
        await interrupted()
    await asyncio.gather(*(_write(core) for _ in range(4)))
    for owner in owners:
        assert len(await _digests_of(core_database, owner)) == 1
        await owner.client.aclose()


async def test_a_tenant_that_has_gone_is_told_of_once_more_and_then_left_alone(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    await owner.client.delete(f"{API}/installations/{body['id']}")
    await module.wait_for(REMOVED)
    for _ in range(3):
        await look(core_database, YESTERDAY, owner.tenant_id)
        await _write(core)
        await module.wait_for("digest")
    assert len(await _digests_of(core_database, owner)) == 1
