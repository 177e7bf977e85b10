"""From one tenant's commit to the arrival of what it tells, while none of another's deliveries wait and while
very many do, for an endpoint that answers.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import uvloop
from tochka_core.resources import Resources

from bench.core import core
from bench.deliveries import Ground, ground
from bench.durable import numbered
from bench.latency import event, warm
from bench.others import Others
from bench.processes import pin
from bench.report import Figure, milliseconds, per_second, rank
from bench.sending.letters import DOOR, NEWS, address, write
from bench.sending.receiving import Sink, sinking
from bench.sending.senders import Ours, connected

BUSY, OTHER = 1, 2
"""The tenants: whose deliveries wait, and whose are timed."""
RATE = 20
PORTION = 100_000
AIM = "as with none"
# Each of an event of its own, in this month's partition, as the fan-out would have made them.
BACKLOG = """
    WITH told AS (
      INSERT INTO events (tenant_id, id, type, installation_id, data, fanned_out_at)
      SELECT $1, uuidv7(), $2, $1, $3::jsonb, now() FROM generate_series(1, $5::integer) RETURNING id
    )
    INSERT INTO deliveries
      (tenant_id, id, event_id, receiver, endpoint_id, position, sequence, installation_id, type, command)
    SELECT $1, uuidv7(), id, $1::uuid::text, $1, $4::bigint + row_number() OVER (),
           $4::bigint + row_number() OVER (), $1, $2, false
    FROM told
"""
QUEUE = """
    INSERT INTO delivery_queues (tenant_id, receiver, command, endpoint_id, due_at)
    VALUES ($1, $1::uuid::text, false, $1, now())
"""
LEFT = "SELECT count(*) FROM deliveries WHERE tenant_id = $1 AND status = 'pending'"


@dataclass(frozen=True)
class Delays:
    """Milliseconds of each event; of the backlog, how many went a second meanwhile, how many were left."""

    all: list[float]
    gone: float
    left: int


def measure(sizes: Sequence[int], seconds: float, say: Callable[[str], None]) -> list[Figure]:
    """Beside each backlog, on the same server."""
    figures = []
    with (
        ground() as stand,
        sinking() as busy,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        for size in sizes:
            watch = Others()
            delays = runner.run(_delays(stand, busy, size, seconds))
            figures.append(_figure(size, delays, watch.share()))
            say(f"{figures[-1].name}: {figures[-1].value}, {figures[-1].note}")
    return figures


async def _delays(stand: Ground, busy: Sink, size: int, seconds: float) -> Delays:
    """The worker begins with the backlog; the other's events come when it is at work."""
    ours = Ours(stand.server, stand.redis_url)
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connected(stand.server.superuser_dsn))
        await ours.empty(connection)
        ports = {BUSY: busy.port, OTHER: stand.sink.port}
        urls = [f"http://{address(tenant)}:{port}{DOOR}" for tenant, port in ports.items()]
        await ours.add_endpoints(connection, urls)
        await _fill(stand, size)
        busy.reset()
        app = await stack.enter_async_context(core(stand.server, stand.server.app_dsn, 8))
        process = stack.enter_context(ours.start())
        pin(process)
        await warm(app, stand, OTHER)
        already, started = busy.until(0), time.monotonic()
        committed = await _record(app, seconds)
        await asyncio.to_thread(stand.sink.until, len(committed) + 1, process)
        gone = (busy.until(0) - already) / (time.monotonic() - started)
        left = await connection.fetchval(LEFT, numbered(BUSY))
    if size and not left:
        raise RuntimeError("the backlog was gone before all was measured")
    arrivals = stand.sink.arrivals()
    return Delays([(arrivals[id] - at) / 1e6 for id, at in committed.items()], gone, left)


async def _fill(stand: Ground, size: int) -> None:
    """So many deliveries that are due. What they refer to is there; asking for each row would take long."""
    (letter,) = write(1, "many", 0)
    of = (numbered(BUSY), NEWS["many"], json.dumps(letter.data))
    async with connected(stand.server.superuser_dsn) as connection:
        await connection.execute("SET session_replication_role = replica")
        for first in range(0, size, PORTION):
            await connection.execute(BACKLOG, *of, first, min(PORTION, size - first))
        if size:
            await connection.execute(QUEUE, numbered(BUSY))
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")


async def _record(app: Resources, seconds: float) -> dict[str, int]:
    """The other one's events, evenly: when each was committed, in nanoseconds of the monotonic clock."""
    committed: dict[str, int] = {}
    started = time.monotonic()
    for number in range(round(seconds * RATE)):
        await asyncio.sleep(max(0.0, started + number / RATE - time.monotonic()))
        id = await event(app, OTHER)
        committed[str(id)] = time.monotonic_ns()
    return committed


def _figure(size: int, delays: Delays, share: float) -> Figure:
    how = f"while {size:,} of another wait".replace(",", " ") if size else "while none wait"
    told = " / ".join(milliseconds(rank(delays.all, percent)) for percent in (50, 95))
    note = f"{len(delays.all)} events at {RATE}/s; others took {share:.0%}"
    if size:
        left = f"{delays.left:,}".replace(",", " ")
        note += f"; {per_second(delays.gone)} of them were sent and {left} were left"
    return Figure(f"commit to arrival of one tenant, p50/p95, {how}", told, AIM if size else "", note)
