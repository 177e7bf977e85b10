"""What an operator is told of the queues, and what sending again by hand does."""

import argparse
import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest
from core_kit.activation import dispatching
from core_kit.codes import look
from core_kit.modules import ScriptedModule, answers
from core_kit.people import API, Owner, rename, sign_up
from core_kit.processes import environment
from core_kit.receivers import DELIVERIES, receiver_of
from core_kit.running import RunningCore, core_settings, run_core
from core_kit.waiting import until
from prometheus_client import REGISTRY
from tochka_core import mailroom
from tochka_core.migrate import upgrade
from tochka_core.outbox.public import record
from tochka_core.webhooks.service import operations, routing
from tochka_sdk.db import Scope
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

pytestmark = pytest.mark.anyio
LONG_AGO = "2026-01-01T00:00:00+00:00"
SOMETHING = "01a218a4-0bb7-7263-ac57-00b454b4ba47"


@pytest.fixture(scope="module")
async def alone(
    postgres: ScratchPostgres, redis_url: str
) -> AsyncIterator[tuple[RunningCore, ScratchDatabase]]:
    """A core whose queues are nobody else's."""
    database = await postgres.create_database("operations", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn)
    async with run_core(core_settings(database, redis_url)) as core:
        yield core, database
    await postgres.drop_database(database.name)


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    text: str
    errors: str


async def _ask(core: RunningCore, *arguments: str) -> Said:
    """The command, in this process."""
    parser = argparse.ArgumentParser()
    mailroom.add_commands(parser)
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = await mailroom.answer(parser.parse_args(arguments), core.settings)
    return Said(code, out.getvalue(), err.getvalue())


async def _run(core: RunningCore, *arguments: str) -> Said:
    """The command, as a program of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tochka_core.main", "webhooks", *arguments),
        env=environment(core.settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Said(process.returncode or 0, out.decode(), err.decode())


async def _fan_out(core: RunningCore) -> None:
    async with core.jobs.connections.system("test") as connection:
        while await routing.fan_out(connection, 500):
            pass


async def test_an_operator_sees_how_the_queues_stand(alone: tuple[RunningCore, ScratchDatabase]) -> None:
    core, database = alone
    owner = await sign_up(core.url)
    await _fan_out(core)
    empty = await _ask(core, "stats")
    assert (empty.code, "No delivery waits." in empty.text) == (0, True), empty
    async with receiver_of(core, owner) as receiver:
        await rename(owner, "Раз")
        await _fan_out(core)
        await look(database, LATE, owner.tenant_id)
        late = await _ask(core, "stats", "--json", "--older-than", "30")
        state: dict[str, Any] = json.loads(late.text)
        [queue] = state["queues"]
        assert (late.code, queue["to"], queue["pending"], queue["due"]) == (1, "127.0.0.1", 1, 1)
        assert 90 < queue["oldest_s"] < 200
        assert receiver.door not in late.text
        told = await _ask(core, "stats", "--older-than", "3600")
        assert (told.code, "127.0.0.1 · news" in told.text) == (0, True)
        assert (await _ask(core, "drain", "--timeout", "0")).code == 1
        async with dispatching(core.jobs):
            drained = await _ask(core, "drain", "--timeout", "30")
        assert drained.code == 0, drained
        assert len(receiver.received) == 1
    await owner.client.aclose()


LATE = """
    UPDATE deliveries SET due_at = now() - interval '100 s' WHERE tenant_id = $1 AND status = 'pending'
    RETURNING id
"""


async def test_the_metrics_say_how_late_everything_is(alone: tuple[RunningCore, ScratchDatabase]) -> None:
    core, database = alone
    owner = await sign_up(core.url)
    await _fan_out(core)
    async with receiver_of(core, owner) as receiver:
        await rename(owner, "Раз")
        await look(database, "UPDATE events SET occurred_at = now() - interval '100 s' RETURNING id")
        assert 90 < (await _lateness(core)).event_s < 200
        await _fan_out(core)
        assert (await _lateness(core)).event_s == 0
        await look(
            database, "UPDATE delivery_queues SET due_at = now() - interval '100 s' RETURNING receiver"
        )
        late = await _lateness(core)
        assert (late.command_s, 90 < late.news_s < 200) == (0, True)
        async with dispatching(core.jobs):
            await receiver.wait_for("tenant.updated")
            await until(_is_said)
    assert REGISTRY.get_sample_value("tochka_outbox_lag_seconds") == 0
    await owner.client.aclose()


GAUGE = "tochka_webhook_late_seconds"


async def _is_said() -> bool:
    return REGISTRY.get_sample_value(GAUGE, {"lane": "news"}) is not None


async def _lateness(core: RunningCore) -> operations.Lateness:
    async with core.jobs.connections.system("test") as connection:
        return await operations.lateness(connection)


async def test_an_operator_sends_again_what_an_endpoint_has_missed(
    alone: tuple[RunningCore, ScratchDatabase],
) -> None:
    core, _ = alone
    owner = await sign_up(core.url)
    async with receiver_of(core, owner) as receiver, dispatching(core.jobs):
        await owner.client.patch(receiver.endpoint, json={"status": "disabled"})
        await rename(owner, "Раз")
        await rename(owner, "Два")

        async def are_held() -> bool:
            held = await owner.client.get(DELIVERIES, params={"status": "held"})
            return len(held.json()["items"]) == 2

        await until(are_held)
        await owner.client.patch(receiver.endpoint, json={"status": "enabled"})
        chosen = ("replay", "--endpoint", receiver.made["id"], "--since", LONG_AGO)
        counted = await _ask(core, *chosen, "--dry-run")
        assert (counted.code, counted.text) == (0, "2 deliveries would be sent again.\n"), counted
        assert receiver.received == []
        assert (await _ask(core, *chosen)).code == 0
        await receiver.wait_for("tenant.updated", 2)
        [one, _] = (await owner.client.get(DELIVERIES)).json()["items"]
        single = ("replay", "--delivery", one["id"], "--tenant", str(owner.tenant_id))
        await until(lambda: _is_settled(owner, one["id"]))
        again = await _ask(core, *single)
        assert again.code == 0, again
        received = await receiver.wait_for("tenant.updated", 3)
        assert received[-1].envelope.id == one["event_id"]
    await owner.client.aclose()


async def _is_settled(owner: Owner, delivery_id: str) -> bool:
    read = await owner.client.get(f"{DELIVERIES}/{delivery_id}")
    return bool(read.json()["status"] == "delivered")


async def test_an_operator_sends_a_modules_news_again_and_never_a_command(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = {"module": module.id, "subdomain": f"t{owner.tenant_id.hex[-12:]}"}
    assert (await owner.client.post(f"{API}/installations", json=body)).status_code == 201
    await module.wait_for("installation.requested")
    module.on["ping"] = answers(410)
    async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as connection:
        await record(connection, tenant_id=owner.tenant_id, type="ping", data={}, module_id=module.id)
    await module.wait_for("ping")

    async def is_refused() -> bool:
        rows = await look(core_database, REFUSED, owner.tenant_id)
        return [row["status"] for row in rows] == ["refused"]

    await until(is_refused)
    module.on["ping"] = answers(200)
    chosen = ("replay", "--module", module.id, "--since", LONG_AGO)
    assert "1 deliveries would be sent again" in (await _ask(core, *chosen, "--dry-run")).text
    said = await _ask(core, *chosen)
    assert said.code == 0, said
    first, second = await module.wait_for("ping", 2)
    assert first.envelope.id == second.envelope.id
    assert len(await module.wait_for("installation.requested")) == 1


REFUSED = "SELECT status FROM deliveries WHERE tenant_id = $1 AND type = 'ping'"


async def test_what_makes_no_sense_is_refused_with_a_sentence(core: RunningCore) -> None:
    assert (await _run(core, "replay")).code == 2
    for arguments in ((), ("--delivery", SOMETHING), ("--module", "shop")):
        said = await _ask(core, "replay", *arguments)
        assert (said.code, said.text) == (2, "")
        assert said.errors.startswith("Not done: ")


@pytest.mark.parametrize(
    ("to", "beside", "foreign"),
    [
        ("--module", ("--rate", "5", "--until", LONG_AGO, "--type", "ping"), "--until, --type, --rate"),
        ("--module", ("--status", "held"), "--status"),
        ("--delivery", ("--tenant", SOMETHING, "--dry-run"), "--since, --dry-run"),
        ("--endpoint", ("--tenant", SOMETHING), "--tenant"),
        ("--endpoint", ("--module", "shop"), ""),
    ],
)
async def test_what_means_nothing_for_what_is_sent_again_is_refused_and_not_passed_over(
    core: RunningCore, to: str, beside: tuple[str, ...], foreign: str
) -> None:
    said = await _ask(core, "replay", to, SOMETHING, "--since", LONG_AGO, *beside)
    assert (said.code, said.text) == (2, "")
    if foreign:
        assert said.errors == f"Not done: {to} takes no {foreign}.\n"
