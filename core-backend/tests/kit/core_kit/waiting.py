"""Waiting for what another task or process does, by asking again and again."""

import asyncio
from collections.abc import Awaitable, Callable

from tochka_stack.testing import ScratchDatabase

from core_kit.codes import look

POLL_S = 0.05
PATIENCE_S = 60.0


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as the condition is fulfilled; fail when it is not for long."""
    async with asyncio.timeout(PATIENCE_S):
        is_met = await condition()
        while not is_met:
            await asyncio.sleep(POLL_S)
            is_met = await condition()


async def waiting_for_lock(database: ScratchDatabase, count: int = 1) -> None:
    """Return as soon as so many statements wait for somebody else's lock in this database."""
    query = """
        SELECT count(*) AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """

    async def are_waiting() -> bool:
        (row,) = await look(database, query)
        return int(row["n"]) >= count

    await until(are_waiting)
