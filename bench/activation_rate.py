"""Activations per second: the product's own transaction, and pgbench running the same statements."""

import asyncio
import gc
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg
import uvloop
from tochka_core.installations import activation
from tochka_core.installations.schemas import InstallationCreate
from tochka_core.resources import Resources
from tochka_core.tenants import service as tenants
from tochka_core.tenants.public import TenantHotTransaction
from tochka_sdk.db import Scope

from bench.core import core
from bench.durable import MODULE, TENANTS, Server, durable_postgres, numbered, prepare
from bench.others import Others
from bench.pgbench import Ceiling
from bench.report import Figure, median, per_second, spread

CONCURRENCY = 16
COUNT = "SELECT count(*) FROM installations"
SAMPLE = """
    SELECT e.data::text AS event_data, l.entitlements::text AS entitlements
    FROM events e JOIN licenses l USING (tenant_id, installation_id) LIMIT 1
"""


@dataclass
class Rates:
    """What each round gave, in transactions per second."""

    ours: list[float] = field(default_factory=list)
    ceiling: list[float] = field(default_factory=list)
    others: float = 0.0


def measure(rounds: int, round_s: int, say: Callable[[str], None]) -> list[Figure]:
    """Both in turn on one server, so that whatever else the machine does meets both."""
    with durable_postgres() as engine, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        server = runner.run(prepare(engine))
        rates = runner.run(_rounds(server, rounds, round_s, say))
    ratios = [ours / ceiling for ours, ceiling in zip(rates.ours, rates.ceiling, strict=True)]
    between = f"{min(ratios):.0%} to {max(ratios):.0%}; others took {rates.others:.0%} of the processors"
    return [
        Figure("activations by one core process", per_second(median(rates.ours)), "", spread(rates.ours)),
        Figure("same statements in pgbench", per_second(median(rates.ceiling)), "", spread(rates.ceiling)),
        Figure("ratio", f"{median(ratios):.0%}", "≥ 50 %", between),
    ]


async def _rounds(server: Server, rounds: int, round_s: int, say: Callable[[str], None]) -> Rates:
    rates = Rates()
    async with core(server, server.app_dsn, CONCURRENCY) as resources:
        await _ours(resources, 1)
        ceiling = Ceiling(server, await _sample(server), CONCURRENCY)
        await ceiling.run(1)
        gc.collect()
        gc.freeze()  # as the web process does
        others = Others()
        for number in range(1, rounds + 1):
            rates.ours.append(await _checked(server, _ours(resources, round_s)))
            rates.ceiling.append(await _checked(server, ceiling.run(round_s)))
            say(f"round {number}: {per_second(rates.ours[-1])} beside {per_second(rates.ceiling[-1])}")
        rates.others = others.share()
    return rates


async def _ours(resources: Resources, seconds: float) -> tuple[int, float]:
    """How many activations the product's service makes, and how many in a second."""
    started = time.monotonic()
    until = started + seconds
    async with asyncio.TaskGroup() as group:
        callers = [group.create_task(_caller(resources, until)) for _ in range(CONCURRENCY)]
    done = sum(caller.result() for caller in callers)
    return done, done / (time.monotonic() - started)


async def _caller(resources: Resources, until: float) -> int:
    done = 0
    while time.monotonic() < until:
        who = numbered(random.randint(1, TENANTS))
        wanted = InstallationCreate(module=MODULE, subdomain=f"b{secrets.token_hex(8)}")
        async with resources.connections.transaction(Scope(tenant_id=who, user_id=who)) as connection:
            member = await tenants.get_member(connection, tenant_id=who, user_id=who, session_id=who)
            await activation.activate(TenantHotTransaction(member, connection), resources, wanted)
        done += 1
    return done


async def _sample(server: Server) -> dict[str, str]:
    """The JSON of an activation that the product wrote: pgbench writes the same size."""
    connection = await asyncpg.connect(server.superuser_dsn)
    try:
        return dict(await connection.fetchrow(SAMPLE) or {})
    finally:
        await connection.close()


async def _checked(server: Server, running: Awaitable[tuple[int, float]]) -> float:
    """The rate of one round, if the rows that it should have written are there."""
    connection = await asyncpg.connect(server.superuser_dsn)
    try:
        await connection.execute("CHECKPOINT")  # every round begins with the same debts: none
        before = await connection.fetchval(COUNT)
        done, rate = await running
        written = await connection.fetchval(COUNT) - before
    finally:
        await connection.close()
    if written != done:
        raise RuntimeError(f"{done} activations were counted and {written} were written")
    return rate
