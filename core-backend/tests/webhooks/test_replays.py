"""Sending again holds nobody up, however long the history is that it looks through."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from core_kit.activation import dispatching
from core_kit.codes import look, refusal
from core_kit.people import API, rename
from core_kit.receivers import ScriptedReceiver, receiver_of
from core_kit.waiting import until
from core_kit.wired import Wired, wired_core
from tochka_core.migrate import upgrade
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

pytestmark = pytest.mark.anyio
RENAMED = "tenant.updated"
SINCE = {"since": "2026-01-01T00:00:00Z"}
# what the endpoint was sent and took, and then one that it did not
HISTORY = """
    WITH numbered AS (
      UPDATE receiver_sequences SET last_sequence = last_sequence + $3 WHERE tenant_id = $1 AND receiver = $2
    ), event AS (SELECT tenant_id, id FROM events WHERE tenant_id = $1 AND type = 'tenant.updated' LIMIT 1)
    INSERT INTO deliveries (tenant_id, id, event_id, receiver, endpoint_id, position, sequence, type, command,
                            status, finished_at)
    SELECT e.tenant_id, uuidv7(), e.id, $2::text, $2::text::uuid, 1 + n, 1 + n, 'tenant.updated', false,
           CASE WHEN n < $3 THEN 'delivered' ELSE 'expired' END, now()
    FROM event e, generate_series(1, $3::integer) n RETURNING id
"""
MANY = 9000


@pytest.fixture
async def database(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """One that no other dispatcher works on."""
    found = await postgres.create_database("replays", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(found.owner_dsn)
    yield found
    await postgres.drop_database(found.name)


@pytest.fixture
async def wired(database: ScratchDatabase, redis_url: str) -> AsyncIterator[Wired]:
    """An instance whose statements can be stopped."""
    async with wired_core(database, redis_url) as found:
        yield found


async def _until_delivered(database: ScratchDatabase, receiver: ScriptedReceiver, count: int) -> None:
    query = "SELECT count(*) AS n FROM deliveries WHERE receiver = $1 AND status = 'delivered'"

    async def are_delivered() -> bool:
        return await look(database, query, receiver.made["id"]) == [{"n": count}]

    await until(are_delivered)


async def _job(wired: Wired, receiver: ScriptedReceiver, **asked: Any) -> dict[str, Any]:
    answer = await wired.owner.client.post(f"{receiver.endpoint}/replays", json=asked)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def _until_done(wired: Wired, job: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = {}

    async def is_done() -> bool:
        read.update((await wired.owner.client.get(f"{API}/replays/{job['id']}")).json())
        return bool(read["status"] == "done")

    await until(is_done)
    return read


async def test_a_wish_that_still_counts_what_there_is_holds_up_nothing_that_happens_meanwhile(
    wired: Wired, database: ScratchDatabase
) -> None:
    async with receiver_of(wired.core, wired.owner) as receiver, dispatching(wired.core.jobs):
        await rename(wired.owner, "Раз")
        await _until_delivered(database, receiver, 1)
        counting = wired.wire.stop_at(r"SELECT count\(\*\).* FROM deliveries d", "after")
        asked = asyncio.create_task(wired.owner.client.post(f"{receiver.endpoint}/recover", json=SINCE))
        await asyncio.wait_for(counting.held.wait(), 30)
        try:
            await rename(wired.owner, "Два")
            await _until_delivered(database, receiver, 2)
        finally:
            counting.released.set()
        assert (await asked).status_code == 202


async def _have_history(wired: Wired, database: ScratchDatabase, receiver: ScriptedReceiver) -> None:
    """So many deliveries that were made, of which the last alone has expired."""
    await rename(wired.owner, "Раз")
    await _until_delivered(database, receiver, 1)
    await look(database, HISTORY, wired.owner.tenant_id, receiver.made["id"], MANY)


async def test_a_replay_that_looks_through_a_long_history_holds_up_nobody(
    wired: Wired, database: ScratchDatabase
) -> None:
    async with receiver_of(wired.core, wired.owner) as receiver, dispatching(wired.core.jobs):
        await _have_history(wired, database, receiver)
        looking = wired.wire.stop_at(r"deliveries d WHERE .*d\.sequence > ", "after")
        job = await _job(wired, receiver)
        assert job["total"] == 1
        await asyncio.wait_for(looking.held.wait(), 30)
        try:
            await rename(wired.owner, "Два")
            await _until_delivered(database, receiver, MANY + 1)
        finally:
            looking.released.set()
        assert (await _until_done(wired, job))["done"] == 1
        await receiver.wait_for(RENAMED, 3)


FAR = "SELECT last_sequence, done FROM replays WHERE id = $1"


async def test_a_step_of_a_replay_looks_at_so_many_and_remembers_how_far_it_is(
    wired: Wired, database: ScratchDatabase
) -> None:
    async with receiver_of(wired.core, wired.owner) as receiver, dispatching(wired.core.jobs):
        await _have_history(wired, database, receiver)
        stepped = wired.wire.stop_at("UPDATE replays SET done", "after", at_commit=True)
        job = await _job(wired, receiver)
        await asyncio.wait_for(stepped.held.wait(), 30)
        try:
            [far] = await look(database, FAR, UUID(job["id"]))
        finally:
            stepped.released.set()
        assert 0 < far["last_sequence"] < MANY
        assert far["done"] == 0
        assert (await _until_done(wired, job))["done"] == 1
        assert len(await receiver.wait_for(RENAMED, 2)) == 2


async def test_each_job_has_a_transaction_of_its_own(wired: Wired, database: ScratchDatabase) -> None:
    async with (
        receiver_of(wired.core, wired.owner) as first,
        receiver_of(wired.core, wired.owner) as second,
    ):
        jobs = [await _job(wired, receiver) for receiver in (first, second)]
        wired.wire.stop_at("UPDATE replays SET done").released.set()  # let the first one pass
        another = wired.wire.stop_at("UPDATE replays SET done")
        async with dispatching(wired.core.jobs):
            await asyncio.wait_for(another.held.wait(), 30)
            try:
                done = "SELECT id FROM replays WHERE status = 'done'"
                assert len(await look(database, done)) == 1
            finally:
                another.released.set()
            for job in jobs:
                await _until_done(wired, job)


PAUSE = "UPDATE replays SET due_at = $2::text::timestamptz WHERE id = $1 RETURNING id"


async def test_a_replay_sends_what_there_was_when_it_was_asked_for_and_nothing_that_came_after(
    wired: Wired, database: ScratchDatabase
) -> None:
    async with receiver_of(wired.core, wired.owner) as receiver:
        asked = {"statuses": ["delivered"]}
        assert (await _job(wired, receiver, **asked))["total"] == 0  # nothing yet: it ends with nothing
        async with dispatching(wired.core.jobs):
            for name in ("Раз", "Два", "Три"):
                await rename(wired.owner, name)
            await _until_delivered(database, receiver, 3)
        dry = await wired.owner.client.post(f"{receiver.endpoint}/replays", json={**asked, "dry_run": True})
        job = await _job(wired, receiver, **asked)
        assert (dry.json()["total"], job["total"]) == (3, 3)
        meant = await wired.owner.client.post(f"{receiver.endpoint}/replays", json={**asked, "dryRun": True})
        assert refusal(meant) == (422, "request.invalid")  # and not sent for a word that nobody knows
        await look(database, PAUSE, UUID(job["id"]), "infinity")
        async with dispatching(wired.core.jobs):
            for name in ("Четыре", "Пять"):
                await rename(wired.owner, name)
            await _until_delivered(database, receiver, 5)
            await look(database, PAUSE, UUID(job["id"]), "now")
            assert (await _until_done(wired, job))["done"] == 3
            await receiver.wait_for(RENAMED, 8)
            await _until_delivered(database, receiver, 5)
        again = [one for one in receiver.received if "webhook-replay" in one.headers]
        assert sorted(one.envelope.sequence for one in again) == [1, 2, 3]


FROM_BEFORE = "UPDATE replays SET until_sequence = NULL WHERE id = $1 RETURNING id"


async def test_a_job_that_was_written_before_jobs_had_an_end_sends_all_there_is(
    wired: Wired, database: ScratchDatabase
) -> None:
    async with receiver_of(wired.core, wired.owner) as receiver:
        job = await _job(wired, receiver, statuses=["delivered"])
        await look(database, FROM_BEFORE, UUID(job["id"]))
        await look(database, PAUSE, UUID(job["id"]), "infinity")
        async with dispatching(wired.core.jobs):
            await rename(wired.owner, "Раз")
            await _until_delivered(database, receiver, 1)
            await look(database, PAUSE, UUID(job["id"]), "now")
            assert (await _until_done(wired, job))["done"] == 1
