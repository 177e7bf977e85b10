"""What a call costs while the other side is dead: one messenger's client, its gate in a real Redis."""

import asyncio
import time
from collections.abc import Callable

import uvloop
from redis.asyncio import Redis
from tochka_core.channels.adapters import open_http
from tochka_core.outbound.public import Gate, Gates
from tochka_stack.ports import free_ports
from tochka_stack.testing import running_redis, scratch_folder

from bench.report import Figure, median, milliseconds, rank

FIRST = 20
"""Calls that find out, and are not counted."""


def measure(calls: int, say: Callable[[str], None]) -> list[Figure]:
    """Calls one after the other to a port where nobody listens, each to its end."""
    with scratch_folder() as folder, running_redis(folder) as redis:
        times = uvloop.run(_times(redis.url(), calls))
    figure = Figure(
        "a call to a dead peer", milliseconds(median(times)), "< 1 ms", f"p99 {milliseconds(rank(times, 99))}"
    )
    say(f"{figure.name}: {figure.value}, {figure.note}")
    return [figure]


async def _times(redis_url: str, calls: int) -> list[float]:
    url = f"http://127.0.0.1:{free_ports(1)[0]}/"
    times = []
    async with Redis.from_url(redis_url) as redis, open_http(gate=Gate(Gates(redis), "peer")) as http:
        for number in range(FIRST + calls):
            started = time.perf_counter()
            answer = await http.call("POST", url, json={})
            if number >= FIRST:
                times.append((time.perf_counter() - started) * 1000)
            if answer.status is not None:
                raise RuntimeError("somebody answered")
            await asyncio.sleep(0)
    return times
