"""Waiting for what other processes do: always for a condition, always with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable

POLL_S = 0.05


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float) -> None:
    """Ask again and again until the condition holds; `what` says what was waited for in vain."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110  another process has no event to wait for
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"waited {seconds:.0f} s in vain: {what}") from None


def wait(condition: Callable[[], bool], what: str, seconds: float) -> None:
    """The same where nothing else goes on meanwhile."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(POLL_S)
