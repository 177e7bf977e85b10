"""kill -9, lost connections, a restarted database: an activation is finished once, or undone once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from anyio import to_thread
from core_kit.activation import Json, activate, ask, dispatching, outcome, read, unique_label
from core_kit.codes import look
from core_kit.hastening import hasten
from core_kit.modules import REMOVED, REQUESTED, ScriptedModule, answers, registered_module, waits_for
from core_kit.people import Owner, sign_up
from core_kit.processes import kill, web_process, worker_process
from core_kit.running import RunningCore, core_settings, run_core
from core_kit.wire import Stop, Wire, wire_to
from tochka_core.migrate import upgrade
from tochka_core.webhooks.tasks import LEASE
from tochka_stack.engines.postgres import Postgres
from tochka_stack.testing import ScratchDatabase, ScratchPostgres, running_postgres, scratch_folder

pytestmark = [pytest.mark.anyio, pytest.mark.proof]

HALF_A_LEASE_S = LEASE.total_seconds() / 2


@dataclass(frozen=True)
class Stage:
    """Somebody with a fresh tenant and a fresh module, on a core that no dispatcher works for yet."""

    database: ScratchDatabase
    core: RunningCore
    owner: Owner
    module: ScriptedModule


@asynccontextmanager
async def _core(
    postgres: ScratchPostgres, redis_url: str
) -> AsyncIterator[tuple[ScratchDatabase, RunningCore]]:
    database = await postgres.create_database("crash", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn)
    async with run_core(core_settings(database, redis_url)) as core:
        yield database, core
    await postgres.drop_database(database.name)


@pytest.fixture(scope="module")
async def theatre(
    postgres: ScratchPostgres, redis_url: str
) -> AsyncIterator[tuple[ScratchDatabase, RunningCore]]:
    """A database that no other dispatcher works on, and a core on it."""
    async with _core(postgres, redis_url) as found:
        yield found


CLEAR = """
    UPDATE deliveries SET status = 'cancelled' WHERE status IN ('pending', 'accepted');
    UPDATE events SET fanned_out_at = now() WHERE fanned_out_at IS NULL
"""


@asynccontextmanager
async def _on_stage(theatre: tuple[ScratchDatabase, RunningCore]) -> AsyncIterator[Stage]:
    """A fresh tenant and a fresh module; what the test before has left is not sent any more."""
    database, core = theatre
    await _execute(database, CLEAR)
    async with registered_module(core.resources, core.jobs) as module:
        owner = await sign_up(core.url)
        yield Stage(database, core, owner, module)
        await owner.client.aclose()


@pytest.fixture
async def stage(theatre: tuple[ScratchDatabase, RunningCore]) -> AsyncIterator[Stage]:
    """A fresh tenant and a fresh module there."""
    async with _on_stage(theatre) as found:
        yield found


@asynccontextmanager
async def _worker(stage: Stage) -> AsyncIterator[tuple[asyncio.subprocess.Process, Wire]]:
    """A worker process whose statements go over a wire."""
    dsn = stage.database.dsn("tochka_jobs")
    async with (
        wire_to(dsn) as wire,
        worker_process(stage.core.settings, jobs_database_url=wire.dsn(dsn)) as process,
    ):
        yield process, wire


async def _leases_run_out(stage: Stage) -> None:
    """What a dead worker has claimed is due again, as it would be some seconds later."""
    await hasten(stage.database)


async def _execute(database: ScratchDatabase, statements: str) -> None:
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


ASKED = ["installation.requested", "subscription.created"]
UNDONE = sorted([*ASKED, "installation.failed", "installation.removed", "subscription.cancelled"])


async def _counts(stage: Stage) -> dict[str, Any]:
    query = """
        WITH d AS (SELECT * FROM deliveries WHERE tenant_id = $1)
        SELECT (SELECT array_agg(type ORDER BY type) FROM events
                WHERE tenant_id = $1 AND type <> 'tenant.created') AS events,
               (SELECT array_agg(sequence ORDER BY sequence) FROM d) AS sequences,
               (SELECT array_agg(DISTINCT status) FROM d) AS statuses,
               (SELECT count(*) FROM domains WHERE tenant_id = $1) AS domains
    """
    return (await look(stage.database, query, stage.owner.tenant_id))[0]


FAN_OUT = {
    "events claimed": ("FROM claimed c", "after", False),
    "before the positions": ("INSERT INTO receiver_positions", "before", False),
    "before the sequences": ("INSERT INTO receiver_sequences", "before", False),
    "before the deliveries": ("INSERT INTO deliveries", "before", False),
    "before the mark": ("SET fanned_out_at", "before", False),
    "before the commit": ("SET fanned_out_at", "before", True),
    "after the commit": ("SET fanned_out_at", "after", True),
}
CONCLUDE = {
    "before it is live": ("SET status = 'live', live_at = now()", "before", False),
    "after it is live": ("SET status = 'live', live_at = now()", "after", False),
    "before the address opens": ("UPDATE domains SET", "before", False),
    "before the delivery is settled": ("SET status = r.status", "before", False),
    "before the attempt is logged": ("INSERT INTO attempts", "before", False),
    "before the commit": ("SET status = 'live'", "before", True),
    "after the commit": ("SET status = 'live'", "after", True),
}
POINTS = {f"fan-out: {name}": point for name, point in FAN_OUT.items()}
POINTS |= {f"answer: {name}": point for name, point in CONCLUDE.items()}


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_at_any_statement_is_survived(stage: Stage, point: str) -> None:
    pattern, moment, at_commit = POINTS[point]
    async with _worker(stage) as (process, wire):
        stop = wire.stop_at(pattern, moment, at_commit=at_commit)  # type: ignore[arg-type]  # literals above
        body = await activate(stage.owner, stage.module.id)
        await asyncio.wait_for(stop.held.wait(), 30)
        await kill(process)
    await _finishes_once(stage, body)


async def _finishes_once(stage: Stage, body: Json) -> None:
    """The next dispatcher brings the activation to its end; the module's effect has happened once."""
    await _leases_run_out(stage)
    async with dispatching(stage.core.jobs):
        assert (await outcome(stage.owner, body["id"]))["status"] == "live"
    assert stage.module.effects == {REQUESTED: 1}
    assert await _counts(stage) == {
        "events": ["installation.live", *ASKED],
        "sequences": [1],
        "statuses": ["delivered"],
        "domains": 1,
    }


HOLD = "SELECT q.tenant_id, q.receiver, q.command"
CLAIM = "UPDATE deliveries d SET due_at = now\\(\\) \\+"
CLAIMS = {
    "while it holds the queues": (CLAIM, "before", False),
    "claimed": (CLAIM, "after", False),
    "before the commit": (CLAIM, "before", True),
    "after the commit": (CLAIM, "after", True),
}


@pytest.mark.parametrize("point", CLAIMS)
async def test_a_worker_killed_while_it_claims_is_survived(stage: Stage, point: str) -> None:
    pattern, moment, at_commit = CLAIMS[point]
    async with _worker(stage) as (process, wire):
        idle = wire.stop_at(HOLD)  # nothing is claimed until there is something to claim
        await asyncio.wait_for(idle.held.wait(), 30)
        fanned_out = wire.stop_at("SET fanned_out_at", "after", at_commit=True)
        body = await activate(stage.owner, stage.module.id)
        await asyncio.wait_for(fanned_out.held.wait(), 30)
        stop = wire.stop_at(pattern, moment, at_commit=at_commit)  # type: ignore[arg-type]  # literals above
        idle.released.set()
        await _held_with_work(stop, point)
        await kill(process)
    await _finishes_once(stage, body)


async def _held_with_work(stop: Stop, point: str) -> None:
    await asyncio.wait_for(stop.held.wait(), 30)
    assert stop.line is not None, point


async def test_a_worker_killed_while_the_module_holds_the_request_is_replaced_when_its_lease_ends(
    stage: Stage,
) -> None:
    gate = asyncio.Event()
    stage.module.on[REQUESTED] = waits_for(gate, answers(200))
    async with _worker(stage) as (process, _):
        body = await activate(stage.owner, stage.module.id)
        await stage.module.wait_for(REQUESTED)
        await kill(process)
    gate.set()
    assert (await read(stage.owner, body["id"]))["status"] == "provisioning"
    async with _worker(stage):  # and nobody helps: the lease runs out by itself
        assert (await outcome(stage.owner, body["id"]))["status"] == "live"
    first, second = stage.module.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert stage.module.effects == {REQUESTED: 1}


UNDO = {
    "before it has failed": ("SET status = 'failed'", "before", False),
    "before the name is free": ("DELETE FROM domains", "before", False),
    "before the trial is void": ("UPDATE subscriptions SET status", "before", False),
    "before the license is closed": ("UPDATE licenses SET", "before", False),
    "before anybody is to be told": ("INSERT INTO events", "before", False),
    "before the delivery is settled": ("SET status = r.status", "before", False),
    "before the commit": ("SET status = 'failed'", "before", True),
    "after the commit": ("SET status = 'failed'", "after", True),
}


@pytest.mark.parametrize("point", UNDO)
async def test_a_worker_killed_while_it_undoes_leaves_all_or_nothing(stage: Stage, point: str) -> None:
    pattern, moment, at_commit = UNDO[point]
    stage.module.on[REQUESTED] = answers(422)
    async with _worker(stage) as (process, wire):
        stop = wire.stop_at(pattern, moment, at_commit=at_commit)  # type: ignore[arg-type]  # literals above
        label = unique_label()
        body = await activate(stage.owner, stage.module.id, label)
        await asyncio.wait_for(stop.held.wait(), 30)
        await kill(process)
    is_done = point == "after the commit"
    halfway = await read(stage.owner, body["id"])
    assert halfway["status"] == ("failed" if is_done else "provisioning")
    assert halfway["subscription"]["status"] == ("void" if is_done else "trialing")
    counts = await _counts(stage)
    assert (counts["domains"], counts["events"]) == ((0, UNDONE) if is_done else (1, ASKED))
    await _leases_run_out(stage)
    async with dispatching(stage.core.jobs):
        assert (await outcome(stage.owner, body["id"]))["status"] == "failed"
        await stage.module.wait_for(REMOVED)
    assert stage.module.effects == {REQUESTED: 1, REMOVED: 1}
    assert (await ask(stage.owner, stage.module.id, label)).status_code == 201


async def test_two_workers_share_the_queue_and_deliver_each_event_once(stage: Stage) -> None:
    owners = [await sign_up(stage.core.url) for _ in range(4)]
    async with _worker(stage), _worker(stage), asyncio.TaskGroup() as group:
        for owner in owners:
            for _ in range(5):
                group.create_task(_activate_and_remove(stage, owner))
    for owner in owners:
        query = "SELECT type, sequence FROM deliveries WHERE tenant_id = $1 ORDER BY sequence"
        rows = await look(stage.database, query, owner.tenant_id)
        assert [row["sequence"] for row in rows] == list(range(1, 11))
        await owner.client.aclose()
    query = "SELECT position FROM deliveries WHERE receiver = $1 ORDER BY position"
    positions = await look(stage.database, query, stage.module.id)
    assert [row["position"] for row in positions] == list(range(1, 41))
    assert stage.module.effects == {REQUESTED: 20, REMOVED: 20}
    for installation in {r.envelope.installation_id for r in stage.module.received}:
        heard = [r for r in stage.module.received if r.envelope.installation_id == installation]
        assert list(dict.fromkeys(r.event for r in heard)) == [REQUESTED, REMOVED]
        for event in (
            REQUESTED,
            REMOVED,
        ):  # asked for again only after a lease
            times = [r.at for r in heard if r.event == event]
            assert all(later - earlier > HALF_A_LEASE_S for earlier, later in pairwise(times))


async def _activate_and_remove(stage: Stage, owner: Owner) -> None:
    body = await activate(owner, stage.module.id)
    assert (await outcome(owner, body["id"]))["status"] == "live"
    await owner.client.delete(f"/api/v1/installations/{body['id']}")
    await stage.module.wait_for(REMOVED, installation_id=body["id"])


async def test_a_worker_that_is_told_to_stop_gives_back_what_it_holds(stage: Stage) -> None:
    gate = asyncio.Event()
    stage.module.on[REQUESTED] = waits_for(gate, answers(200))
    async with _worker(stage):
        body = await activate(stage.owner, stage.module.id)
        await stage.module.wait_for(REQUESTED)
    query = "SELECT status, leased_until, due_at <= now() AS due FROM deliveries WHERE tenant_id = $1"
    rows = await look(stage.database, query, stage.owner.tenant_id)
    assert rows == [{"status": "pending", "leased_until": None, "due": True}]
    gate.set()
    async with dispatching(stage.core.jobs):
        assert (await outcome(stage.owner, body["id"]))["status"] == "live"


async def test_the_dispatcher_outlives_lost_connections(stage: Stage, redis_url: str) -> None:
    gate = asyncio.Event()
    stage.module.on[REQUESTED] = waits_for(gate, answers(200))
    dsn = stage.database.dsn("tochka_jobs")
    async with wire_to(dsn) as wire:
        settings = core_settings(stage.database, redis_url, jobs_database_url=wire.dsn(dsn))
        async with run_core(settings) as core, dispatching(core.jobs):
            body = await activate(stage.owner, stage.module.id)
            await stage.module.wait_for(REQUESTED)
            wire.is_down = True
            wire.cut_all()
            gate.set()  # the module answers, and nobody can write it down
            again = asyncio.create_task(stage.module.wait_for(REQUESTED, 2))
            wire.is_down = False
            await _leases_run_out(stage)
            assert (await outcome(stage.owner, body["id"]))["status"] == "live"
            again.cancel()
    assert stage.module.effects == {REQUESTED: 1}


async def test_a_web_process_killed_during_an_activation_leaves_all_or_nothing(
    stage: Stage,
) -> None:
    dsn = stage.database.dsn("tochka_app")
    for moment, is_done in (("before", False), ("after", True)):
        async with wire_to(dsn) as wire:
            settings = stage.core.settings.model_copy(
                update={"database_url": type(stage.core.settings.database_url)(wire.dsn(dsn))}
            )
            async with web_process(settings) as (process, url):
                owner = await sign_up(url)
                stop = wire.stop_at("WITH reserved AS", moment, at_commit=True)  # type: ignore[arg-type]
                label = unique_label()
                pressed = asyncio.create_task(ask(owner, stage.module.id, label, key="press"))
                await asyncio.wait_for(stop.held.wait(), 30)
                await kill(process)
                assert isinstance(await asyncio.gather(pressed, return_exceptions=True), list)
        elsewhere = Owner(
            stage.owner.client.__class__(base_url=stage.core.url, headers=owner.client.headers),
            owner.user_id,
            owner.tenant_id,
            owner.phone,
        )
        query = "SELECT count(*) AS n FROM installations WHERE tenant_id = $1"
        assert await look(stage.database, query, owner.tenant_id) == [{"n": int(is_done)}]
        again = await ask(elsewhere, stage.module.id, label, key="press")
        assert again.status_code == 201
        assert await look(stage.database, query, owner.tenant_id) == [{"n": 1}]
        await owner.client.aclose()
        await elsewhere.client.aclose()


class _Engine:
    """A PostgreSQL that can be stopped and started again where it was, without holding up the event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port: int | None = None
        self._running: AbstractContextManager[Postgres] | None = None

    async def start(self) -> Postgres:
        self._running = running_postgres(self._folder, self._port)
        server = await to_thread.run_sync(self._running.__enter__)
        self._port = server.port
        return server

    async def stop(self) -> None:
        if self._running is not None:
            await to_thread.run_sync(self._running.__exit__, None, None, None)
            self._running = None


async def test_a_database_restarted_in_the_middle_delays_an_activation_and_no_more(redis_url: str) -> None:
    with scratch_folder() as folder:
        engine = _Engine(folder)
        try:
            server = await engine.start()
            async with (
                _core(ScratchPostgres(server.dsn()), redis_url) as theatre,
                _on_stage(theatre) as found,
                dispatching(found.core.jobs),
            ):
                gate = asyncio.Event()
                found.module.on[REQUESTED] = waits_for(gate, answers(200))
                body = await activate(found.owner, found.module.id)
                await found.module.wait_for(REQUESTED)
                await engine.stop()
                gate.set()  # the module answers, and nobody can write it down
                await engine.start()
                await _leases_run_out(found)
                assert (await outcome(found.owner, body["id"]))["status"] == "live"
                assert found.module.effects == {REQUESTED: 1}
        finally:
            await engine.stop()
