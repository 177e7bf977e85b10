"""Waiting for what another task or process does, by asking again and again."""

import asyncio
from collections.abc import Awaitable, Callable

POLL_S = 0.05
PATIENCE_S = 60.0


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as the condition is fulfilled; fail when it is not for long."""
    async with asyncio.timeout(PATIENCE_S):
        is_met = await condition()
        while not is_met:
            await asyncio.sleep(POLL_S)
            is_met = await condition()
