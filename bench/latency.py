"""From a commit to the arrival of what it tells: at 200 events a second, alone and beside an endpoint that
never answers.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from uuid import UUID

import uvloop
from tochka_core.outbox import public as outbox
from tochka_core.resources import Resources
from tochka_sdk.db import Scope

from bench.core import core
from bench.deliveries import Ground, ground
from bench.durable import TENANTS, numbered
from bench.others import Others
from bench.processes import pin
from bench.report import Figure, milliseconds, rank
from bench.sending.letters import DOOR, NEWS, address, write
from bench.sending.senders import Ours, connected

RATE = 200
HANGING = 1
"""The tenant whose endpoint never answers; every tenth event is its."""
AIM = "p95 < 50 ms"


def measure(seconds: float, say: Callable[[str], None]) -> list[Figure]:
    """Alone and beside the one that hangs, on the same server."""
    with ground() as stand, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        watch = Others()
        alone = runner.run(_delays(stand, seconds, is_hanging=False))
        beside = runner.run(_delays(stand, seconds, is_hanging=True))
        share = watch.share()
    figures = list(_figures("alone", alone, share)) + list(_figures("beside one that hangs", beside, share))
    for figure in figures:
        say(f"{figure.name}: {figure.value}")
    return figures


async def _delays(stand: Ground, seconds: float, *, is_hanging: bool) -> list[float]:
    """Milliseconds from each commit to its arrival, of all that were meant for receivers who answer."""
    ours = Ours(stand.server, stand.redis_url)
    urls = [f"http://{address(number)}:{stand.sink.port}{DOOR}" for number in range(1, TENANTS + 1)]
    if is_hanging:
        urls[HANGING - 1] = urls[HANGING - 1].removesuffix(DOOR) + "/hang"
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connected(stand.server.superuser_dsn))
        await ours.empty(connection)
        await ours.add_endpoints(connection, urls)
        app = await stack.enter_async_context(core(stand.server, stand.server.app_dsn, 8))
        process = stack.enter_context(ours.start())
        pin(process)
        await warm(app, stand, TENANTS)
        committed = await _record(app, seconds)
        expected = {
            id: at for id, (tenant, at) in committed.items() if not (is_hanging and tenant == HANGING)
        }
        await asyncio.to_thread(stand.sink.until, len(expected) + 1, process)
    arrivals = stand.sink.arrivals()
    return sorted((arrivals[id] - at) / 1e6 for id, at in expected.items())


async def warm(app: Resources, stand: Ground, tenant: int) -> None:
    """One event, so that the worker is known to run."""
    stand.sink.reset()
    await event(app, tenant)
    await asyncio.to_thread(stand.sink.until, 1)


async def _record(app: Resources, seconds: float) -> dict[str, tuple[int, int]]:
    """`RATE` commits a second, evenly, whatever each of them takes: whose each event is, and when it was
    committed, in nanoseconds of the monotonic clock.
    """
    committed: dict[str, tuple[int, int]] = {}
    started = time.monotonic()

    async def one(number: int) -> None:
        tenant = HANGING if number % 10 == 0 else 2 + number % (TENANTS - 2)
        id = await event(app, tenant)
        committed[str(id)] = (tenant, time.monotonic_ns())

    async with asyncio.TaskGroup() as group:
        for number in range(round(seconds * RATE)):
            await asyncio.sleep(max(0.0, started + number / RATE - time.monotonic()))
            group.create_task(one(number))
    return committed


async def event(app: Resources, tenant: int) -> UUID:
    """What a change of this tenant would tell."""
    tenant_id = numbered(tenant)
    (letter,) = write(1, "many", 0)
    async with app.connections.transaction(Scope(tenant_id=tenant_id, user_id=tenant_id)) as connection:
        return await outbox.record(
            connection,
            tenant_id=tenant_id,
            type=NEWS["many"],
            data=letter.data,
            installation_id=numbered(1),
        )


def _figures(how: str, delays: list[float], share: float) -> Iterator[Figure]:
    told = " / ".join(milliseconds(rank(delays, percent)) for percent in (50, 95, 99))
    note = f"{len(delays)} events at {RATE}/s; others took {share:.0%}"
    yield Figure(f"commit to arrival, p50/p95/p99, {how}", told, AIM, note)
