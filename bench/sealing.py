"""The audit trail: entries recorded, sealed and verified per second."""

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg
import uvloop
from tochka_core.audit import public as audit
from tochka_core.audit import service
from tochka_core.audit.public import Actor
from tochka_core.audit.verification import Verification
from tochka_core.resources import Resources
from tochka_sdk.db import Scope

from bench.core import core
from bench.durable import TENANTS, Server, durable_postgres, numbered, prepare
from bench.others import Others
from bench.report import Figure, median, per_second, spread

CONCURRENCY = 16
WAIT = """
    INSERT INTO audit_entries
      (id, tenant_id, user_id, session_id, action, subject_id, address, request_id, data)
    SELECT gen_random_uuid(), lpad((n % 1000 + 1)::text, 32, '0')::uuid, gen_random_uuid(), gen_random_uuid(),
      'installation.activated', gen_random_uuid(), '10.0.0.1', gen_random_uuid()::text,
      jsonb_build_object('module', 'bench-module', 'host', 'bench-' || n || '.localhost')
    FROM generate_series(1, $1::int) n
"""
EMPTY = "TRUNCATE audit_entries, audit_waiting, audit_seals"
LEFT = "SELECT count(*) FROM audit_waiting"


@dataclass
class Rates:
    """What each round gave, in entries per second; `left` is how many still waited at its end, at most."""

    recorded: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    sealed: list[float] = field(default_factory=list)
    verified: list[float] = field(default_factory=list)
    left: int = 0
    others: float = 0.0


def measure(rounds: int, round_s: int, backlog: int, say: Callable[[str], None]) -> list[Figure]:
    """A backlog sealed and verified; then entries recorded, without a sealer and beside one, in turn."""
    with durable_postgres() as engine, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        server = runner.run(prepare(engine))
        rates = runner.run(_rounds(server, rounds, round_s, backlog, say))
    beside = f"{spread(rates.beside)}; at most {rates.left} waited at the end"
    others = f"{spread(rates.verified)}; others took {rates.others:.0%} of the processors"
    return [
        Figure(
            "entries sealed by one worker", per_second(median(rates.sealed)), "5 000/s", spread(rates.sealed)
        ),
        Figure(
            "entries recorded, nobody seals", per_second(median(rates.recorded)), "", spread(rates.recorded)
        ),
        Figure("entries recorded and sealed", per_second(median(rates.beside)), "", beside),
        Figure("entries verified", per_second(median(rates.verified)), "", others),
    ]


async def _rounds(
    server: Server, rounds: int, round_s: int, backlog: int, say: Callable[[str], None]
) -> Rates:
    rates = Rates()
    async with (
        core(server, server.app_dsn, CONCURRENCY) as app,
        core(server, server.jobs_dsn, 2) as jobs,
    ):
        await _recorded(app, 1)
        gc.collect()
        gc.freeze()  # as the processes do
        others = Others()
        for number in range(1, rounds + 1):
            await _run(server, EMPTY)
            await _run(server, WAIT, backlog)
            await _run(server, "VACUUM ANALYZE")
            rates.sealed.append(await _seal_all(jobs, backlog))
            rates.verified.append(await _verified(jobs, backlog))
            rates.recorded.append(await _recorded(app, round_s))
            await _seal_all(jobs)
            rates.beside.append(await _beside(app, jobs, round_s))
            rates.left = max(rates.left, await _run(server, LEFT))
            sealed, beside = per_second(rates.sealed[-1]), per_second(rates.beside[-1])
            say(f"round {number}: sealed {sealed}, recorded beside {beside}")
        rates.others = others.share()
    return rates


async def _run(server: Server, statement: str, *values: object) -> int:
    connection = await asyncpg.connect(server.superuser_dsn)
    try:
        return int(await connection.fetchval(statement, *values) or 0)
    finally:
        await connection.close()


async def _recorded(app: Resources, seconds: float) -> float:
    """One entry a transaction, durable, as a deed does it."""
    started = time.monotonic()
    until = started + seconds

    async def record() -> int:
        done = 0
        while time.monotonic() < until:
            who = numbered(done % TENANTS + 1)
            async with app.connections.transaction(Scope(tenant_id=who, user_id=who)) as connection:
                by = Actor(who, who, "10.0.0.1")
                await audit.record(
                    connection,
                    "tenant.renamed",
                    by=by,
                    tenant_id=who,
                    subject_id=who,
                    data={"name": "Bakery"},
                )
            done += 1
        return done

    async with asyncio.TaskGroup() as group:
        callers = [group.create_task(record()) for _ in range(CONCURRENCY)]
    return sum(caller.result() for caller in callers) / (time.monotonic() - started)


async def _seal(jobs: Resources) -> int:
    async with jobs.connections.system("seals for a figure") as connection:
        return await service.seal(connection, jobs.keyring, jobs.addresses.issuer)


async def _seal_all(jobs: Resources, expected: int | None = None) -> float:
    """Seal whatever waits; how many in a second."""
    started, done = time.monotonic(), 0
    while count := await _seal(jobs):
        done += count
    if expected is not None and done != expected:
        raise RuntimeError(f"{expected} entries waited and {done} were sealed")
    return done / (time.monotonic() - started)


async def _beside(app: Resources, jobs: Resources, seconds: float) -> float:
    """Entries recorded while somebody seals, in the same process: both compete for it."""
    recording = asyncio.create_task(_recorded(app, seconds))
    while not recording.done():
        if not await _seal(jobs):
            await asyncio.sleep(0.01)
    return await recording


async def _verified(jobs: Resources, expected: int) -> float:
    started = time.monotonic()
    verification = Verification(jobs.connections, jobs.keyring.published["tochka_audit"])
    findings = [finding async for finding in verification.findings()]
    if findings or verification.head.entries != expected:
        raise RuntimeError(f"{verification.head.entries} of {expected} entries are whole: {findings[:3]}")
    return expected / (time.monotonic() - started)
