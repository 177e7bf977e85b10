"""What a running stack takes: memory, open files, connections of PostgreSQL; watched while others work."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil

from tests.proof import books
from tests.proof.running import CORE, SERVICES, Stack

INTERVAL_S = 1.0
MEGABYTE = 2**20
CONNECTIONS = """
    SELECT application_name AS name, count(*) AS count FROM pg_stat_activity
    WHERE usename IN ('tochka_app', 'tochka_jobs', 'shop_app') GROUP BY application_name
"""
# Waiting for the client within a transaction: a few milliseconds are normal, seconds are a leak.
FORGOTTEN = """
    SELECT application_name AS name, query FROM pg_stat_activity
    WHERE state LIKE 'idle in transaction%' AND state_change < now() - interval '3 seconds'
"""


@dataclass
class Gauges:
    """Samples of every second, by part; `at` says when."""

    stack: Stack
    at: list[float] = field(default_factory=list)
    memory: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    connections: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    forgotten: list[str] = field(default_factory=list)

    async def run(self, over: asyncio.Event) -> None:
        """Look again and again until it is over."""
        while not over.is_set():
            await self._look()
            try:
                await asyncio.wait_for(over.wait(), INTERVAL_S)
            except TimeoutError:
                continue

    async def _look(self) -> None:
        self.at.append(time.monotonic())
        for name, process in self._processes():
            self.memory[name].append(process.memory_info().rss / MEGABYTE)
            self.files[name].append(process.num_fds())
        for row in await books.rows(self.stack, CORE, CONNECTIONS):
            self.connections[row["name"]] = max(self.connections[row["name"]], row["count"])
        self.forgotten += [f"{row['name']}: {row['query']}" for row in await self._forgotten()]

    async def _forgotten(self) -> list[dict[str, str]]:
        return await books.rows(self.stack, CORE, FORGOTTEN)

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        for name in SERVICES:
            process = self.stack.part(name)
            assert process is not None, f"{name} has died"
            yield name, process

    def grown(self, name: str, warm_up: float, window: float) -> float:
        """By how many megabytes a part has grown, from a while after the start until the end."""
        return self._change(self.memory[name], warm_up, window)

    def opened(self, name: str, warm_up: float, window: float) -> float:
        """By how many open files a part has grown."""
        return self._change(self.files[name], warm_up, window)

    def _change(self, samples: list[float] | list[int], warm_up: float, window: float) -> float:
        """From the lowest of a window after the warm-up to that of one at the end: peaks come and go."""
        start, end = self.at[0] + warm_up, self.at[-1] - window
        pairs = list(zip(self.at, samples, strict=True))
        early = [value for moment, value in pairs if start <= moment < start + window]
        late = [value for moment, value in pairs if moment >= end]
        return min(late) - min(early)
