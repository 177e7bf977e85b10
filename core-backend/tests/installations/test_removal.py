"""Removing an installation: address, subscription and license go with it, and the module is told."""

import asyncio

import httpx
import pytest
from core_kit.activation import activate, ask, outcome, read, until_step
from core_kit.codes import look, refusal
from core_kit.members import enrol
from core_kit.modules import REMOVED, REQUESTED, ScriptedModule, answers, waits_for
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _remove(owner: Owner, installation_id: str, **headers: str) -> httpx.Response:
    return await owner.client.delete(f"{API}/installations/{installation_id}", headers=headers)


async def test_a_removed_installation_lets_go_of_everything(
    core: RunningCore,
    core_database: ScratchDatabase,
    owner: Owner,
    stranger: Owner,
    module: ScriptedModule,
    dispatcher: None,
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    assert (await _remove(owner, body["id"])).status_code == 204
    (told,) = await module.wait_for(REMOVED)
    assert str(told.envelope.installation_id) == body["id"]
    assert told.envelope.data == {"reason": "removed"}
    gone = await read(owner, body["id"])
    assert (gone["status"], gone["subscription"]["status"]) == ("gone", "canceled")
    licenses = await look(core_database, "SELECT access FROM licenses WHERE tenant_id = $1", owner.tenant_id)
    assert licenses == [{"access": "closed"}]
    assert (await owner.client.get(f"{API}/installations")).json()["items"] == []
    async with httpx.AsyncClient(base_url=core.private_url) as gateway:
        answer = await gateway.get("/internal/resolve", params={"host": body["host"]})
    assert refusal(answer) == (404, "domains.unknown")
    label = body["host"].partition(".")[0]
    assert refusal(await ask(stranger, module.id, label)) == (409, "domains.quarantined")
    assert (await ask(owner, module.id, label)).status_code == 201


async def test_removing_twice_is_removing_once(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    both = await asyncio.gather(*(_remove(owner, body["id"]) for _ in range(5)))
    assert {answer.status_code for answer in both} == {204}
    told = await look(
        core_database,
        "SELECT count(*) AS n FROM events WHERE tenant_id = $1 AND type = 'installation.removed'",
        owner.tenant_id,
    )
    assert told == [{"n": 1}]


async def test_only_the_owner_removes(
    core_database: ScratchDatabase, owner: Owner, stranger: Owner, module: ScriptedModule
) -> None:
    body = await activate(owner, module.id)
    acting = await enrol(core_database, owner, stranger, "admin")
    refused = await _remove(stranger, body["id"], **acting)
    assert refusal(refused) == (403, "tenants.role_required")
    assert (await read(owner, body["id"]))["status"] == "provisioning"


async def test_what_never_went_live_can_be_removed_and_its_name_is_free_for_anyone(
    owner: Owner, stranger: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    gate = asyncio.Event()
    module.on[REQUESTED] = waits_for(gate, answers(200))
    body = await activate(owner, module.id)
    await module.wait_for(REQUESTED)
    assert (await _remove(owner, body["id"])).status_code == 204
    await module.wait_for(REMOVED)
    gate.set()  # the module says yes, but nobody asks any more
    gone = await read(owner, body["id"])
    assert (gone["status"], gone["subscription"]["status"]) == ("gone", "void")
    label = body["host"].partition(".")[0]
    taken = await ask(stranger, module.id, label)
    assert taken.status_code == 201
    assert (await outcome(stranger, taken.json()["id"]))["status"] == "live"
    assert (await read(owner, body["id"]))["status"] == "gone"


async def test_a_failed_activation_can_be_put_away(
    owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    module.on[REQUESTED] = answers(422)
    body = await activate(owner, module.id)
    assert (await outcome(owner, body["id"]))["status"] == "failed"
    await module.wait_for(REMOVED)
    assert (await _remove(owner, body["id"])).status_code == 204
    assert (await read(owner, body["id"]))["status"] == "gone"
    assert module.effects[REMOVED] == 1


async def test_what_is_removed_is_not_asked_for_any_more(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    module.on[REQUESTED] = answers(503)
    body = await activate(owner, module.id)
    await until_step(owner, body["id"], "retrying")
    assert (await _remove(owner, body["id"])).status_code == 204
    await module.wait_for(REMOVED)
    rows = await look(
        core_database,
        "SELECT type, status FROM deliveries WHERE tenant_id = $1 ORDER BY sequence",
        owner.tenant_id,
    )
    assert rows[0] == {"type": REQUESTED, "status": "cancelled"}
    assert [received.event for received in module.received][-1] == REMOVED
