"""What reaches a module, how it is signed, and what its answers mean for an activation."""

import asyncio
from typing import Any

import pytest
from core_kit.activation import activate, ask, outcome, unique_label, until_step
from core_kit.codes import look, refusal
from core_kit.modules import (
    REMOVED,
    REQUESTED,
    Behaviour,
    ScriptedModule,
    answers,
    garbage,
    hangs_up,
    one_by_one,
    raw,
    registered_module,
    waits_for,
)
from core_kit.people import Owner
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _deliveries(database: ScratchDatabase, owner: Owner) -> list[dict[str, Any]]:
    query = "SELECT type, status, attempts, sequence FROM deliveries WHERE tenant_id = $1 ORDER BY sequence"
    return await look(database, query, owner.tenant_id)


async def test_every_attempt_is_signed_anew_under_one_id(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    module.on[REQUESTED] = one_by_one(answers(500), answers(200))
    body = await activate(owner, module.id)
    assert (await outcome(owner, body["id"]))["status"] == "live"
    first, second = await module.wait_for(REQUESTED, 2)
    assert module.refused == []  # v1a with our own verifier, v1 with the published library
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == first.envelope.id
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) >= int(first.headers["webhook-timestamp"])
    versions = [entry.partition(",")[0] for entry in first.headers["webhook-signature"].split(" ")]
    assert versions == ["v1", "v1a"]
    assert first.headers["content-type"] == "application/json"
    assert 0.7 < second.at - first.at < 5


FAULTS: dict[str, Behaviour] = {
    "500": answers(500),
    "a redirect": answers(307, Location="http://127.0.0.1:1/"),
    "404": answers(404),
    "410": answers(410),
    "429 with a wish beyond the schedule": answers(429, Retry_After="2"),
    "garbage": garbage(),
    "a closed connection": hangs_up(),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_module_that_falters_is_asked_again_and_goes_live(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None, fault: str
) -> None:
    module.on[REQUESTED] = one_by_one(FAULTS[fault], answers(200))
    body = await activate(owner, module.id)
    assert (await outcome(owner, body["id"]))["status"] == "live"
    assert len(module.received) == 2
    assert module.effects == {REQUESTED: 1}
    (delivery,) = await _deliveries(core_database, owner)
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 2)


async def test_a_module_that_is_down_is_found_when_it_is_up_again(
    owner: Owner, module: ScriptedModule, dispatcher: None, core_database: ScratchDatabase
) -> None:
    await module.stop()
    body = await activate(owner, module.id)
    await until_step(owner, body["id"], "retrying")
    attempts = await _attempts(core_database, owner)
    assert (attempts[0]["response_status"], attempts[0]["error"]) == (None, "connect")
    await module.start()
    assert (await outcome(owner, body["id"]))["status"] == "live"


async def _attempts(database: ScratchDatabase, owner: Owner) -> list[dict[str, Any]]:
    query = "SELECT * FROM attempts WHERE tenant_id = $1 ORDER BY number"
    return await look(database, query, owner.tenant_id)


async def test_a_slow_module_is_waited_for(owner: Owner, module: ScriptedModule, dispatcher: None) -> None:
    gate = asyncio.Event()
    module.on[REQUESTED] = waits_for(gate, answers(200))
    body = await activate(owner, module.id)
    await module.wait_for(REQUESTED)
    others = [await activate(owner, module.id) for _ in range(3)]  # the lane is not blocked by one
    await module.wait_for(REQUESTED, 4)
    gate.set()
    for made in (body, *others):
        assert (await outcome(owner, made["id"]))["status"] == "live"
    assert len(module.received) == 4


async def test_an_endless_answer_is_read_no_further_than_needed(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    async def flood(_received: object) -> bytes:
        return raw(200, b"\x00\xff" * 200_000)

    module.on[REQUESTED] = flood
    body = await activate(owner, module.id)
    assert (await outcome(owner, body["id"]))["status"] == "live"
    (attempt,) = await _attempts(core_database, owner)
    assert len(attempt["response_body"].encode()) <= 16384


WORDS = {"code": "shop.full", "detail": "The shop is full.", "title": "Conflict", "status": 409}
REFUSALS: dict[str, tuple[Behaviour, tuple[str, str]]] = {
    "409 in its own words": (answers(409, WORDS), ("shop.full", "The shop is full.")),
    "422 in its own words": (answers(422, WORDS), ("shop.full", "The shop is full.")),
    "409 without words": (
        answers(409),
        ("installations.refused", "The module refused the installation."),
    ),
    "422 with words that are none": (
        answers(422, {"code": "<b>", "detail": ["no"]}),
        ("installations.refused", "The module refused the installation."),
    ),
    "409 with control characters": (
        answers(409, {"code": "shop.full", "detail": "Full\x00\x1b[31m now"}),
        ("shop.full", "Full  [31m now"),
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_final_no_undoes_everything_and_says_why(
    core_database: ScratchDatabase,
    owner: Owner,
    stranger: Owner,
    module: ScriptedModule,
    dispatcher: None,
    case: str,
) -> None:
    behaviour, (code, detail) = REFUSALS[case]
    module.on[REQUESTED] = behaviour
    body = await activate(owner, module.id)
    failed = await outcome(owner, body["id"])
    assert failed["status"] == "failed"
    assert failed["failure"] == {"code": code, "detail": detail}
    assert failed["subscription"]["status"] == "void"
    (removed,) = await module.wait_for(REMOVED)
    assert str(removed.envelope.installation_id) == body["id"]
    assert removed.envelope.data == {"reason": code}
    assert removed.envelope.sequence == 2
    licenses = await look(
        core_database, "SELECT access, status FROM licenses WHERE tenant_id = $1", owner.tenant_id
    )
    assert licenses == [{"access": "closed", "status": "void"}]
    assert module.effects == {REQUESTED: 1, REMOVED: 1}
    del module.on[REQUESTED]
    label = body["host"].partition(".")[0]
    assert (await ask(stranger, module.id, label)).status_code == 201  # free at once, for anyone


async def test_after_a_failure_the_same_owner_may_try_again_at_the_same_address(
    owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    module.on[REQUESTED] = one_by_one(answers(422), answers(200))
    label = unique_label()
    failed = await activate(owner, module.id, label)
    assert (await outcome(owner, failed["id"]))["status"] == "failed"
    again = await activate(owner, module.id, label)
    assert again["id"] != failed["id"]
    assert (await outcome(owner, again["id"]))["status"] == "live"


async def test_removed_is_repeated_until_it_is_heard(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    module.on[REMOVED] = one_by_one(answers(503), hangs_up(), answers(200))
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    await owner.client.delete(f"/api/v1/installations/{body['id']}")
    await module.wait_for(REMOVED, 3)
    assert module.effects == {REQUESTED: 1, REMOVED: 1}


async def test_attempts_are_written_down(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    module.on[REQUESTED] = one_by_one(answers(503, {"why": "busy"}), answers(200))
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    first, second = await _attempts(core_database, owner)
    assert (first["number"], first["response_status"], first["response_body"]) == (1, 503, '{"why": "busy"}')
    assert (second["number"], second["response_status"], second["error"]) == (2, 200, None)
    assert first["duration_ms"] >= 0


async def test_a_tenants_events_are_counted_without_a_hole(
    core_database: ScratchDatabase, owner: Owner, stranger: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    for person in (owner, stranger, owner):
        body = await activate(person, module.id)
        await outcome(person, body["id"])
        await person.client.delete(f"/api/v1/installations/{body['id']}")
    await module.wait_for(REMOVED, 3)
    counted = [(row["sequence"], row["type"]) for row in await _deliveries(core_database, owner)]
    assert counted == [(1, REQUESTED), (2, REMOVED), (3, REQUESTED), (4, REMOVED)]
    assert [row["sequence"] for row in await _deliveries(core_database, stranger)] == [1, 2]
    assert refusal(await owner.client.get("/api/v1/modules/nothing")) == (404, "catalogue.module_unknown")


async def test_a_module_that_hangs_holds_up_no_other(
    core: RunningCore, owner: Owner, stranger: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    gate = asyncio.Event()
    module.on[REQUESTED] = waits_for(gate, answers(200))
    for _ in range(40):  # more than a dispatcher sends to one receiver at once
        await activate(owner, module.id)
    await module.wait_for(REQUESTED, 33)
    async with registered_module(core.resources, core.jobs) as other:
        body = await activate(stranger, other.id)
        assert (await outcome(stranger, body["id"]))["status"] == "live"
    gate.set()
    await module.wait_for(REQUESTED, 40)
