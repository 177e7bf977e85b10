"""Once a day every module is told how many events there are for it, tenant by tenant."""

import pytest
from core_kit.activation import activate, outcome
from core_kit.codes import look
from core_kit.modules import ScriptedModule
from core_kit.people import Owner
from core_kit.receivers import receiver_of
from core_kit.running import RunningCore
from tochka_core.webhooks.service import digests
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
        assert digest.envelope.data == {"last_sequence": told[module.id]}
        assert digest.envelope.sequence == told[module.id] + 1
        await _write(core)
        await owner.client.post(f"{receiver.endpoint}/test")
        await receiver.wait_for("ping", 2)
        assert len(await module.wait_for("digest")) == 1
        assert "digest" not in [received.event for received in receiver.received]
