"""What a delivery costs while the table of deliveries grows."""

import asyncio
from collections.abc import Callable, Sequence

import psutil
import uvloop

from bench.deliveries import Ground, ground
from bench.durable import MODULE, TENANTS
from bench.others import Others
from bench.processes import pin, work
from bench.report import Figure, per_second
from bench.sending.letters import write
from bench.sending.senders import Ours, connected

LETTERS = 4000
PORTION = 500_000
# Delivered long ago, each with its attempt, all of a thousand tenants. They tell of one event per tenant.
EVENTS = """
    INSERT INTO events (tenant_id, id, type, installation_id, module_id, data, fanned_out_at)
    SELECT t.id, t.id, 'license.updated', t.id, $1, '{"license": ""}', now() FROM tenants t
"""
DELIVERIES = """
    INSERT INTO deliveries
      (tenant_id, id, event_id, receiver, position, sequence, installation_id, type, command, status,
       attempts, due_at, created_at, finished_at)
    SELECT lpad((n % $4 + 1)::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid,
           lpad((n % $4 + 1)::text, 32, '0')::uuid, $1, -n, -n, lpad('1', 32, '0')::uuid, 'license.updated',
           false, 'delivered', 1, now(), now(), now()
    FROM generate_series($2::bigint, $3::bigint) n
"""
ATTEMPTS = """
    INSERT INTO attempts (tenant_id, id, delivery_id, number, started_at, duration_ms, response_status)
    SELECT tenant_id, id, id, 1, now(), 5, 204 FROM deliveries
    WHERE position BETWEEN -$2::bigint AND -$1::bigint AND receiver = $3
"""


def measure(sizes: Sequence[int], say: Callable[[str], None]) -> list[Figure]:
    """The same letters after each growth."""
    with ground() as stand, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_grow(stand, sizes, say))


async def _grow(stand: Ground, sizes: Sequence[int], say: Callable[[str], None]) -> list[Figure]:
    ours = Ours(stand.server, stand.redis_url)
    figures, have = [], 0
    async with connected(stand.server.superuser_dsn) as connection:
        await ours.empty(connection)
        await connection.execute(EVENTS, MODULE)
    for size in sizes:
        await _fill(stand, have, size)
        have = size
        figures.append(await _figure(stand, ours, size))
        say(f"{figures[-1].name}: {figures[-1].value}, {figures[-1].note}")
    return figures


async def _fill(stand: Ground, have: int, size: int) -> None:
    """History up to so many rows. What it refers to is there; asking so for each row would take an hour."""
    async with connected(stand.server.superuser_dsn) as connection:
        await connection.execute("SET session_replication_role = replica")
        for first in range(have + 1, size + 1, PORTION):
            last = min(first + PORTION - 1, size)
            await connection.execute(DELIVERIES, MODULE, first, last, TENANTS)
            await connection.execute(ATTEMPTS, first, last, MODULE)


async def _figure(stand: Ground, ours: Ours, size: int) -> Figure:
    letters = list(write(LETTERS, "one", stand.sink.port))
    await ours.load(letters, "one", fresh=False)
    stand.sink.reset()
    watch = Others()
    with ours.start() as process:
        pin(process)
        root = psutil.Process(process.pid)
        await asyncio.to_thread(stand.sink.until, 1, process)
        before = work(root)
        await asyncio.to_thread(stand.sink.until, LETTERS, process)
        spent = work(root) - before
    arrivals = stand.sink.arrivals().values()
    rate = (LETTERS - 1) / (max(arrivals) - min(arrivals)) * 1e9
    note = f"{spent / LETTERS * 1000:.2f} ms of the worker's processor; others took {watch.share():.0%}"
    name = f"deliveries where {size:,} were made before".replace(",", " ")
    return Figure(name, per_second(rate), "flat", note)
