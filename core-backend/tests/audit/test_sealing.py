"""Every entry is sealed once: whoever writes meanwhile, however late it commits, whatever ends the sealer."""

import asyncio
import json
import random
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from core_kit.codes import look
from core_kit.processes import kill, worker_process
from core_kit.running import RunningCore, core_settings, run_core, with_key_file
from core_kit.sealing import seal, seal_all, until_taken, verified
from core_kit.waiting import until
from core_kit.wire import Moment, wire_to
from tochka_core.audit import service
from tochka_core.audit.public import record
from tochka_core.resources import Resources
from tochka_sdk.key_rings import PURPOSES, Rings
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

WRITERS, EACH, SEALERS = 12, 60, 3
BOOKS = """
    SELECT (SELECT count(*) FROM audit_entries) AS entries, (SELECT count(*) FROM audit_waiting) AS waiting,
      count(s.id) AS sealed, count(DISTINCT s.id) AS distinct_sealed
    FROM (SELECT unnest(entry_ids) AS id FROM audit_seals) s
"""


async def _deed(resources: Resources) -> None:
    async with resources.connections.system("a deed of nobody's") as connection:
        await record(connection, "codes.refused", data={"number": random.randrange(1000)})


async def _books(database: ScratchDatabase) -> dict[str, Any]:
    return (await look(database, BOOKS))[0]


async def _is_whole(platform: RunningCore, database: ScratchDatabase, entries: int) -> None:
    """Everything is sealed, once, and nothing is wrong with it."""
    counted = dict.fromkeys(("entries", "sealed", "distinct_sealed"), entries)
    assert await _books(database) == {**counted, "waiting": 0}
    findings, verification = await verified(platform.jobs)
    assert findings == []
    assert verification.head.entries == entries


async def test_what_waits_is_sealed_in_batches_and_nothing_is_an_empty_seal(
    platform: RunningCore, trail_database: ScratchDatabase
) -> None:
    assert await seal(platform.jobs) == 0
    async with platform.resources.connections.system("many deeds of nobody's") as connection:
        for _ in range(service.BATCH + 1):
            await record(connection, "codes.refused")
    assert [await seal(platform.jobs) for _ in range(3)] == [service.BATCH, 1, 0]
    seals = await look(trail_database, "SELECT position, first_number FROM audit_seals ORDER BY position")
    assert seals == [
        {"position": 1, "first_number": 1},
        {"position": 2, "first_number": service.BATCH + 1},
    ]
    await _is_whole(platform, trail_database, service.BATCH + 1)


async def test_an_entry_that_commits_late_is_sealed_late_and_holds_nobody_up(
    platform: RunningCore, trail_database: ScratchDatabase
) -> None:
    async with platform.resources.connections.system("a slow deed") as connection:
        await record(connection, "codes.refused", data={"number": 1})
        await asyncio.wait_for(_deed(platform.resources), 5)  # later, and commits first
        assert await asyncio.wait_for(seal(platform.jobs), 5) == 1
    assert await _books(trail_database) == {"entries": 2, "waiting": 1, "sealed": 1, "distinct_sealed": 1}
    assert await seal(platform.jobs) == 1
    await _is_whole(platform, trail_database, 2)


async def test_an_entry_that_is_rolled_back_is_not_sealed(
    platform: RunningCore, trail_database: ScratchDatabase
) -> None:
    with pytest.raises(RuntimeError, match="no"):
        await _change_ones_mind(platform)
    assert await seal(platform.jobs) == 0
    await _is_whole(platform, trail_database, 0)


async def _change_ones_mind(platform: RunningCore) -> None:
    async with platform.resources.connections.system("a deed of nobody's") as connection:
        await record(connection, "codes.refused")
        raise RuntimeError("no")


@pytest.mark.proof
async def test_everything_is_sealed_once_while_many_write_and_several_seal(
    platform: RunningCore, trail_database: ScratchDatabase
) -> None:
    done = asyncio.Event()
    late: list[asyncio.Task[None]] = []

    async def write(resources: Resources) -> None:
        for number in range(EACH):
            if number % 10 == 0:
                late.append(asyncio.create_task(_late_deed(resources, done)))
            await _deed(resources)

    async def keep_sealing() -> int:
        total = 0
        while not done.is_set():
            total += await seal(platform.jobs)
        return total

    sealers = [asyncio.create_task(keep_sealing()) for _ in range(SEALERS)]
    async with asyncio.TaskGroup() as group:
        for _ in range(WRITERS):
            group.create_task(write(platform.resources))
    assert len(late) == WRITERS * EACH // 10
    done.set()
    await asyncio.gather(*sealers, *late)
    assert sum(sealer.result() for sealer in sealers) > 0
    await seal_all(platform.jobs)
    await _is_whole(platform, trail_database, WRITERS * EACH + len(late))


BUSY = asyncio.Semaphore(8)


async def _late_deed(resources: Resources, done: asyncio.Event) -> None:
    """A deed whose transaction stays open while others are written and sealed; some until all are."""
    async with BUSY, resources.connections.system("a slow deed") as connection:
        await record(connection, "codes.refused")
        if random.random() < 0.1:
            await done.wait()
        else:
            await connection.execute("SELECT pg_sleep($1::float)", random.uniform(0, 0.2))


async def test_while_one_seals_another_finds_nothing_to_do(
    trail_database: ScratchDatabase, platform: RunningCore, redis_url: str
) -> None:
    await _deed(platform.resources)
    dsn = trail_database.dsn("tochka_jobs")
    async with wire_to(dsn) as wire:
        settings = core_settings(trail_database, redis_url, jobs_database_url=wire.dsn(dsn))
        async with run_core(settings) as other:
            stop = wire.stop_at("INSERT INTO audit_seals", at_commit=True)
            first = asyncio.create_task(seal(other.jobs))
            await asyncio.wait_for(stop.held.wait(), 10)
            await _deed(platform.resources)
            assert await asyncio.wait_for(seal(platform.jobs), 5) == 0
            stop.released.set()
            assert await first == 1
    assert await seal(platform.jobs) == 1
    await _is_whole(platform, trail_database, 2)


async def test_a_place_in_the_chain_is_given_once_whoever_else_seals(
    platform: RunningCore, trail_database: ScratchDatabase
) -> None:
    """The lock spares work; what holds the chain together is the key of the table."""
    await _deed(platform.resources)
    await seal(platform.jobs)
    fork = """
        INSERT INTO audit_seals
        SELECT position, first_number + 7, entry_ids, leaves, previous_hash, hash, sealed_at, checkpoint
        FROM audit_seals
    """
    connection = await asyncpg.connect(trail_database.dsn("tochka_jobs"))
    try:
        with pytest.raises(asyncpg.UniqueViolationError, match="pk_audit_seals"):
            await connection.execute(fork)
    finally:
        await connection.close()


STEPS: dict[str, tuple[str, Moment, bool]] = {
    "before the lock": ("pg_try_advisory_xact_lock", "before", False),
    "after the lock": ("pg_try_advisory_xact_lock", "after", False),
    "before the entries are taken": ("DELETE FROM audit_waiting", "before", False),
    "after the entries are taken": ("DELETE FROM audit_waiting", "after", False),
    "after the head is read": ("AS entries, checkpoint", "after", False),
    "before the seal": ("INSERT INTO audit_seals", "before", False),
    "after the seal": ("INSERT INTO audit_seals", "after", False),
    "before the commit": ("INSERT INTO audit_seals", "before", True),
    "after the commit": ("INSERT INTO audit_seals", "after", True),
}


@pytest.mark.proof
@pytest.mark.parametrize("step", STEPS)
async def test_a_sealer_killed_at_any_statement_leaves_no_hole_and_seals_nothing_twice(
    platform: RunningCore, trail_database: ScratchDatabase, step: str
) -> None:
    pattern, moment, at_commit = STEPS[step]
    for _ in range(3):
        await _deed(platform.resources)
    await seal(platform.jobs)
    dsn = trail_database.dsn("tochka_jobs")
    for _ in range(3):
        await _deed(platform.resources)
    async with wire_to(dsn) as wire:
        stop = wire.stop_at(pattern, moment, at_commit=at_commit)
        async with worker_process(platform.settings, jobs_database_url=wire.dsn(dsn)) as worker:
            await asyncio.wait_for(stop.held.wait(), 30)
            await _deed(platform.resources)  # nobody waits for the sealer
            await kill(worker)
    rotations = len(platform.jobs.keyring.rotations)
    is_done = step == "after the commit"
    assert (await _books(trail_database))["sealed"] == (6 + rotations if is_done else 3)
    assert await seal_all(platform.jobs) == (1 if is_done else 4 + rotations)
    await _is_whole(platform, trail_database, 7 + rotations)


async def test_workers_seal_by_themselves_and_write_down_once_which_keys_sign(
    platform: RunningCore, trail_database: ScratchDatabase
) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(worker_process(platform.settings))
        await _deed(platform.resources)

        async def is_sealed() -> bool:
            return bool((await _books(trail_database))["sealed"] == 1 + len(PURPOSES))

        await until(is_sealed)
    await _is_whole(platform, trail_database, 1 + len(PURPOSES))
    query = "SELECT data FROM audit_entries WHERE action = 'keys.rotated'"
    told = [json.loads(row["data"]) for row in await look(trail_database, query)]
    assert {entry["purpose"]: entry["key"] for entry in told} == {
        rotation.purpose: rotation.key for rotation in platform.jobs.keyring.rotations
    }


async def test_the_chain_goes_on_without_a_doubt_when_its_keys_are_thrown_away(
    trail_database: ScratchDatabase, redis_url: str, tmp_path: Path
) -> None:
    file, rings = tmp_path / "keyring", Rings.fresh()
    file.write_text(rings.render())
    async with run_core(with_key_file(core_settings(trail_database, redis_url), file)) as platform:
        for _ in range(3):
            await _deed(platform.resources)
            assert await seal(platform.jobs) == 1
            rings = rings.replaced(PURPOSES, 0)
            file.write_text(rings.render())
            await until_taken(platform.jobs, rings)
    count = "SELECT count(*) AS n FROM audit_entries WHERE action = 'trail.doubted'"
    assert (await look(trail_database, count))[0]["n"] == 0
