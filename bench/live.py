"""From «activate» to a storefront that answers, one at a time; and many at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

import uvloop

from bench.owners import Installation, Owner
from bench.report import Figure, median, p95, per_second, seconds

POLL_S = 0.01
BURST_POLL_S = 0.1  # asking takes from the same processors
PATIENCE_S = 70.0  # the platform itself gives up before
CALLERS = 16


def measure(url: str, activations: int, burst: int, say: Callable[[str], None]) -> list[Figure]:
    """Both, on the stack that answers at `url`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_one(url))  # the first of all opens connections and fills caches
        accepted, live = zip(*(runner.run(_one(url)) for _ in range(activations)), strict=True)
        say(f"{activations} activations, one at a time: {seconds(median(live))} in the middle")
        answered_rate, live_rate = runner.run(_burst(url, burst))
    note, slowest = f"{activations} activations by fresh owners", f"slowest {seconds(max(live))}"
    crowd = f"{burst} by {CALLERS} at once"
    return [
        Figure("activation to live storefront, median", seconds(median(live)), "1 s", note),
        Figure("activation to live storefront, p95", seconds(p95(live)), "3 s", slowest),
        Figure("of it, POST /installations, median", seconds(median(accepted)), "", "through the gateway"),
        Figure("activations over HTTP, answered", per_second(answered_rate), "", crowd),
        Figure("activations over HTTP, live", per_second(live_rate), "", "the same, until the last is live"),
    ]


async def _one(url: str) -> tuple[float, float]:
    """Seconds until the activation was answered, and until its storefront was there."""
    async with Owner(url) as owner:
        started = time.monotonic()
        installation = await owner.activate()
        accepted = time.monotonic() - started
        await _until(partial(owner.storefront_answers, installation), installation)
        return accepted, time.monotonic() - started


async def _burst(url: str, count: int) -> tuple[float, float]:
    """How many activations in a second are answered, and how many become live, many callers at once."""
    async with AsyncExitStack() as stack:
        owners = [await stack.enter_async_context(Owner(url)) for _ in range(CALLERS)]
        started = time.monotonic()
        made = await asyncio.gather(*(_several(owner, count // CALLERS) for owner in owners))
        answered = time.monotonic() - started
        for owner, installations in zip(owners, made, strict=True):
            for installation in installations:
                await _until(partial(owner.is_live, installation), installation, BURST_POLL_S)
        total = CALLERS * (count // CALLERS)
        return total / answered, total / (time.monotonic() - started)


async def _several(owner: Owner, count: int) -> list[Installation]:
    return [await owner.activate() for _ in range(count)]


async def _until(
    condition: Callable[[], Awaitable[bool]], installation: Installation, poll_s: float = POLL_S
) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not await condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{installation.host} did not become live")
        await asyncio.sleep(poll_s)
