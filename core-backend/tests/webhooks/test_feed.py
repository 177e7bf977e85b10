"""`GET /module/events`: all that a module was given, in order, whether it was heard or not."""

import pytest
from core_kit.activation import activate, outcome
from core_kit.codes import refusal
from core_kit.members import enrol
from core_kit.modules import REMOVED, REQUESTED, ScriptedModule, answers, registered_module
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _live(owner: Owner, module: ScriptedModule) -> str:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    return str(body["id"])


async def test_a_module_reads_one_tenants_events_from_a_sequence_on(
    core: RunningCore, owner: Owner, stranger: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    await _live(stranger, module)
    first, second = await _live(owner, module), await _live(owner, module)
    await owner.client.delete(f"{API}/installations/{first}")
    await module.wait_for(REMOVED)
    query = {"tenant_id": str(owner.tenant_id), "after": "1"}
    feed = (await module.call(core.url, "GET", "/events", params=query)).json()
    told = [(item["sequence"], item["type"], item["installation_id"]) for item in feed["items"]]
    assert told == [(2, REQUESTED, second), (3, REMOVED, first)]
    assert (feed["next_cursor"], feed["cursor"]) == (None, "3")
    pushed = {r.envelope.id: r.envelope.model_dump(mode="json") for r in module.received}
    for item in feed["items"]:
        assert item == pushed[item["id"]]


async def test_pages_follow_each_other_over_all_tenants(
    core: RunningCore, owner: Owner, stranger: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    made = [await _live(person, module) for person in (owner, stranger, owner)]
    seen: list[str] = []
    after = "0"
    for _ in range(2):
        query = {"after": after, "limit": "2"}
        page = (await module.call(core.url, "GET", "/events", params=query)).json()
        seen += [item["installation_id"] for item in page["items"]]
        after = page["cursor"]
    assert seen == made
    assert page["next_cursor"] is None
    empty = (await module.call(core.url, "GET", "/events", params={"after": after})).json()
    assert (empty["items"], empty["cursor"]) == ([], after)


async def test_what_was_never_heard_can_still_be_read(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    module.on[REQUESTED] = answers(409)
    await _live(owner, module)
    await module.wait_for(REMOVED)
    feed = (await module.call(core.url, "GET", "/events")).json()
    assert [item["type"] for item in feed["items"]] == [REQUESTED, REMOVED]


async def test_news_about_the_tenant_reach_every_module_that_it_has_and_no_other(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    async with (
        registered_module(core.resources, core.jobs) as second,
        registered_module(core.resources, core.jobs) as stranger_to_it,
    ):
        await _live(owner, module)
        await _live(owner, second)
        gone = await _live(owner, stranger_to_it)
        await owner.client.delete(f"{API}/installations/{gone}")
        await stranger_to_it.wait_for(REMOVED)
        path = f"{API}/tenants/{owner.tenant_id}"
        assert (await owner.client.patch(path, json={"name": "Пекарня"})).status_code == 200
        for one in (module, second):
            (received,) = await one.wait_for("tenant.updated")
            assert received.envelope.data == {"name": "Пекарня"}
            assert received.envelope.installation_id is None
            feed = (await one.call(core.url, "GET", "/events")).json()
            assert [item["type"] for item in feed["items"]] == [REQUESTED, "tenant.updated"]
        assert stranger_to_it.effects == {REQUESTED: 1, REMOVED: 1}
        feed = (await stranger_to_it.call(core.url, "GET", "/events")).json()
        assert [item["type"] for item in feed["items"]] == [REQUESTED, REMOVED]


async def test_modules_hear_whose_role_changed_and_who_left(
    owner: Owner, stranger: Owner, module: ScriptedModule, core_database: ScratchDatabase, dispatcher: None
) -> None:
    await _live(owner, module)
    await enrol(core_database, owner, stranger, "admin")
    path = f"{API}/tenants/{owner.tenant_id}/members/{stranger.user_id}"
    assert (await owner.client.patch(path, json={"role": "staff"})).status_code == 200
    (changed,) = await module.wait_for("member.changed")
    assert changed.envelope.data == {"user_id": str(stranger.user_id), "role": "staff"}
    assert (await owner.client.delete(path)).status_code == 204
    (left,) = await module.wait_for("member.left")
    assert left.envelope.data == {"user_id": str(stranger.user_id)}


@pytest.mark.parametrize("after", ["x", "-1", "1e9", "٣", "9" * 30])
async def test_a_cursor_that_is_none_is_refused(
    core: RunningCore, module: ScriptedModule, after: str
) -> None:
    answer = await module.call(core.url, "GET", "/events", params={"after": after})
    assert refusal(answer) == (422, "webhooks.cursor_invalid")
