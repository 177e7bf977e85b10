"""Pressing twice, and racing for a name: one activation, one winner, the same answer for a repeat."""

import asyncio
import secrets

import pytest
from core_kit.activation import activate, ask, outcome, unique_label
from core_kit.codes import look, refusal
from core_kit.modules import REQUESTED, ScriptedModule, registered_module
from core_kit.people import Owner, sign_up
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
MANY = 20


async def _installations(database: ScratchDatabase, owner: Owner) -> int:
    query = "SELECT count(*) AS n FROM installations WHERE tenant_id = $1"
    return int((await look(database, query, owner.tenant_id))[0]["n"])


async def test_a_repeat_with_the_same_key_gets_the_same_answer(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule
) -> None:
    label = unique_label()
    first = await ask(owner, module.id, label, key="press")
    again = await ask(owner, module.id, label, key="press")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert await _installations(core_database, owner) == 1


async def test_a_key_is_for_one_request_only(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule
) -> None:
    assert (await ask(owner, module.id, unique_label(), key="press")).status_code == 201
    other = await ask(owner, module.id, unique_label(), key="press")
    assert refusal(other) == (422, "idempotency.mismatch")
    assert await _installations(core_database, owner) == 1


async def test_two_people_may_use_the_same_key(owner: Owner, stranger: Owner, module: ScriptedModule) -> None:
    first = await ask(owner, module.id, unique_label(), key="press")
    second = await ask(stranger, module.id, unique_label(), key="press")
    assert first.json()["id"] != second.json()["id"]


async def test_pressing_twenty_times_at_once_with_a_key_activates_once(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule
) -> None:
    label = unique_label()
    answers = await asyncio.gather(*(ask(owner, module.id, label, key="press") for _ in range(MANY)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await _installations(core_database, owner) == 1


async def test_pressing_twenty_times_at_once_without_a_key_activates_once(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    label = unique_label()
    answers = await asyncio.gather(*(ask(owner, module.id, label) for _ in range(MANY)))
    assert sorted(answer.status_code for answer in answers) == [200] * (MANY - 1) + [201]
    (installation_id,) = {answer.json()["id"] for answer in answers}
    assert await _installations(core_database, owner) == 1
    assert (await outcome(owner, installation_id))["status"] == "live"
    assert module.effects == {REQUESTED: 1}


async def test_asking_again_for_what_is_live_finds_it(
    owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    live = await outcome(owner, body["id"])
    label = body["host"].partition(".")[0]
    again = await ask(owner, module.id, label)
    assert (again.status_code, again.json()) == (200, live)


async def test_ones_own_address_is_taken_for_another_module(
    core: RunningCore, owner: Owner, module: ScriptedModule
) -> None:
    label = unique_label()
    await activate(owner, module.id, label)
    async with registered_module(core.resources, core.jobs) as other:
        assert refusal(await ask(owner, other.id, label)) == (409, "domains.taken")


async def test_of_twenty_owners_racing_for_a_name_one_wins(
    core: RunningCore, core_database: ScratchDatabase, module: ScriptedModule
) -> None:
    label = unique_label()
    owners = [await sign_up(core.url) for _ in range(MANY)]
    answers = await asyncio.gather(
        *(ask(owner, module.id, label, key=secrets.token_hex(8)) for owner in owners)
    )
    winners = [answer for answer in answers if answer.status_code == 201]
    losers = [refusal(answer) for answer in answers if answer.status_code != 201]
    assert len(winners) == 1
    assert losers == [(409, "domains.taken")] * (MANY - 1)
    for table in ("installations", "subscriptions", "licenses", "domains", "events"):
        query = f"SELECT count(*) AS n FROM {table} WHERE tenant_id = ANY($1)"  # noqa: S608  our own names
        if table == "events":
            query += " AND type LIKE 'installation.%'"
        rows = await look(core_database, query, [owner.tenant_id for owner in owners])
        assert rows[0]["n"] == 1, table
    for owner in owners:
        await owner.client.aclose()


async def test_a_loser_may_press_again_with_the_same_key_at_another_address(
    owner: Owner, stranger: Owner, module: ScriptedModule
) -> None:
    label = unique_label()
    await activate(stranger, module.id, label)
    assert refusal(await ask(owner, module.id, label, key="press")) == (409, "domains.taken")
    assert (await ask(owner, module.id, unique_label(), key="press")).status_code == 201
