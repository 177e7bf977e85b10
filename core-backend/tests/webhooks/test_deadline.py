"""The deadline: a module that does not get ready in time has no say any more."""

import asyncio

import pytest
from core_kit.activation import Json, activate, ask, dispatching, outcome, read
from core_kit.codes import look, refusal
from core_kit.modules import REMOVED, REQUESTED, ScriptedModule, answers, waits_for
from core_kit.people import Owner
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
LATE = "installations.deadline"


async def _is_undone(database: ScratchDatabase, owner: Owner, stranger: Owner, body: Json) -> None:
    """The activation says why it failed, the trial is void, and the name is anyone's at once."""
    failed = await outcome(owner, body["id"])
    assert failed["status"] == "failed"
    assert failed["failure"]["code"] == LATE
    assert "in time" in failed["failure"]["detail"]
    assert failed["subscription"]["status"] == "void"
    label = body["host"].partition(".")[0]
    assert (await ask(stranger, body["module"], label)).status_code == 201
    query = "SELECT status FROM deliveries WHERE tenant_id = $1 AND type = $2"
    assert await look(database, query, owner.tenant_id, REQUESTED) == [{"status": "expired"}]


async def test_a_module_that_is_down_until_the_deadline_is_told_later_that_it_is_over(
    core_database: ScratchDatabase, hasty: Owner, stranger: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    await module.stop()
    body = await activate(hasty, module.id)
    await _is_undone(core_database, hasty, stranger, body)
    await module.start()
    (removed,) = await module.wait_for(REMOVED, installation_id=body["id"])
    assert removed.envelope.data == {"reason": LATE}
    heard = [r.event for r in module.received if str(r.envelope.installation_id) == body["id"]]
    assert heard == [REMOVED]


async def test_a_module_that_holds_the_request_beyond_the_deadline_changes_nothing(
    core_database: ScratchDatabase, hasty: Owner, stranger: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    gate = asyncio.Event()
    module.on[REQUESTED] = waits_for(gate, answers(200))
    body = await activate(hasty, module.id)
    await module.wait_for(REQUESTED)
    await _is_undone(core_database, hasty, stranger, body)
    gate.set()
    await module.wait_for(REMOVED, installation_id=body["id"])
    assert (await read(hasty, body["id"]))["status"] == "failed"


async def test_a_module_that_works_on_it_for_too_long_is_undone_and_its_ready_refused(
    core_database: ScratchDatabase,
    core: RunningCore,
    hasty: Owner,
    stranger: Owner,
    module: ScriptedModule,
    dispatcher: None,
) -> None:
    module.on[REQUESTED] = answers(202)
    body = await activate(hasty, module.id)
    await _is_undone(core_database, hasty, stranger, body)
    await module.wait_for(REMOVED, installation_id=body["id"])
    late = await module.call(core.url, "POST", f"/installations/{body['id']}/ready")
    assert refusal(late) == (409, "installations.not_provisioning")
    assert (await read(hasty, body["id"]))["status"] == "failed"


async def test_the_deadline_decides_also_before_anyone_has_acted_on_it(
    core: RunningCore, core_database: ScratchDatabase, hasty: Owner, module: ScriptedModule
) -> None:
    body = await activate(hasty, module.id)  # and no dispatcher
    passed = "SELECT pg_sleep_until(deadline_at) FROM installations WHERE tenant_id = $1"
    await look(core_database, passed, hasty.tenant_id)
    late = await module.call(core.url, "POST", f"/installations/{body['id']}/ready")
    assert refusal(late) == (409, "installations.not_provisioning")
    assert (await read(hasty, body["id"]))["status"] == "provisioning"


async def test_an_activation_that_nobody_dispatched_in_time_is_undone_unasked(
    core: RunningCore, core_database: ScratchDatabase, hasty: Owner, module: ScriptedModule
) -> None:
    body = await activate(hasty, module.id)
    passed = "SELECT pg_sleep_until(deadline_at) FROM installations WHERE tenant_id = $1"
    await look(core_database, passed, hasty.tenant_id)
    async with dispatching(core.jobs):
        assert (await outcome(hasty, body["id"]))["failure"]["code"] == LATE
        await module.wait_for(REMOVED)
    assert module.effects == {REMOVED: 1}
