"""Watching an activation: server-sent events that hold nothing and outlive the database's absence."""

import asyncio

import pytest
from core_kit.activation import activate, outcome, until_step, watch
from core_kit.modules import ScriptedModule, answers, one_by_one, waits_for
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from core_kit.wired import Wired

pytestmark = pytest.mark.anyio


async def test_the_steps_are_told_as_they_come(
    owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    gate = asyncio.Event()
    module.on["installation.requested"] = one_by_one(answers(500), waits_for(gate, answers(202)))
    body = await activate(owner, module.id)
    watching = asyncio.create_task(watch(owner, body["id"]))
    await module.wait_for("installation.requested", 2)
    gate.set()
    await until_step(owner, body["id"], "accepted")
    await module.call(str(owner.client.base_url), "POST", f"/installations/{body['id']}/ready")
    told = await watching
    assert [event["event"] for event in told] == ["progress"] * len(told)
    steps = [event["step"] for event in told]
    assert steps[-1] == "live"
    assert [step for step in ("requested", "retrying", "accepted", "live") if step in steps] == steps


async def test_what_has_ended_is_told_once(owner: Owner, module: ScriptedModule, dispatcher: None) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    told = await watch(owner, body["id"])
    assert [(event["status"], event["failure"]) for event in told] == [("live", None)]


async def test_a_stream_is_not_stored_and_says_what_it_is(
    owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    async with owner.client.stream("GET", f"{API}/installations/{body['id']}/progress") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"


async def test_watchers_hold_no_connections(core: RunningCore, owner: Owner, module: ScriptedModule) -> None:
    body = await activate(owner, module.id)  # nobody dispatches: it stays as it is
    watchers = core.settings.pool_size * 3
    path = f"{API}/installations/{body['id']}/progress"

    async def begin(seen: asyncio.Semaphore, leave: asyncio.Event) -> None:
        async with owner.client.stream("GET", path) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    seen.release()
                    break
            await leave.wait()

    seen, leave = asyncio.Semaphore(0), asyncio.Event()
    tasks = [asyncio.create_task(begin(seen, leave)) for _ in range(watchers)]
    for _ in tasks:
        await asyncio.wait_for(seen.acquire(), 20)
    assert (await owner.client.get(f"{API}/installations")).status_code == 200
    leave.set()
    await asyncio.gather(*tasks)


async def test_a_watcher_does_not_notice_that_the_database_was_away(wired: Wired) -> None:
    body = await activate(wired.owner, wired.module.id)
    begun = asyncio.Event()
    watching = asyncio.create_task(watch(wired.owner, body["id"], begun))
    await asyncio.wait_for(begun.wait(), 20)
    wired.wire.is_down = True
    wired.wire.cut_all()
    away = await wired.owner.client.get(f"{API}/installations")
    assert (away.status_code, away.json()["code"]) == (503, "database.unavailable")
    wired.wire.is_down = False
    path = f"{API}/installations/{body['id']}"
    assert (await wired.owner.client.delete(path)).status_code == 204
    assert (await watching)[-1]["status"] == "gone"
