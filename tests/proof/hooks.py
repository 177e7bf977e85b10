"""Owners' own systems, each a process with a webhook endpoint; and what became of deliveries to them."""

import asyncio
import random
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from tochka_stack.ports import free_ports

from tests.proof import books
from tests.proof.options import ENVIRONMENT, SEED
from tests.proof.people import Owner
from tests.proof.running import CORE, Stack
from tests.proof.waiting import until

SCRIPT = Path(__file__).with_name("receiver.py")
SETTLE_S = 120.0
DOWN_S = (0.2, 1.5)


@dataclass
class System:
    """One owner's system; killed with -9 and started again on the same port and file."""

    owner: Owner
    port: int
    file: Path
    process: asyncio.subprocess.Process | None = None
    deaths: int = 0

    async def start(self) -> None:
        """Start it and wait until it listens."""
        command = (sys.executable, str(SCRIPT), str(self.port), str(self.file), str(SEED))
        self.process = await asyncio.create_subprocess_exec(
            *command, env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        assert await self.process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        """End it in the middle of whatever it does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        self.deaths += 1

    def calm(self) -> None:
        """Let it misbehave no more."""
        self.file.with_suffix(".calm").touch()

    def effects(self) -> set[str]:
        """The ids of the events that took effect; each can do so only once."""
        return {row[0] for row in self._rows("SELECT id FROM effects")}

    def requests(self) -> Counter[str]:
        """How often each mischief was made; the empty word is a good answer."""
        return Counter(row[0] for row in self._rows("SELECT mischief FROM requests"))

    def _rows(self, query: str) -> list[tuple[str]]:
        with closing(sqlite3.connect(self.file)) as database:
            return database.execute(query).fetchall()


@dataclass
class Reaper:
    """Kills one system after the other."""

    systems: Sequence[System]
    chance: random.Random
    over: asyncio.Event
    started: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Kill until it is over; every system runs at the end."""
        while not self.over.is_set():
            system = self.chance.choice(list(self.systems))
            await system.kill()
            await asyncio.sleep(self.chance.uniform(*DOWN_S))
            await system.start()
            await asyncio.sleep(self.chance.uniform(1, 4))


@asynccontextmanager
async def systems(owners: Sequence[Owner], folder: Path) -> AsyncIterator[list[System]]:
    """A system for each owner, with an endpoint; every second one wants strict order."""
    ports = free_ports(len(owners))
    async with AsyncExitStack() as stack:
        found = []
        for number, (owner, port) in enumerate(zip(owners, ports, strict=True)):
            system = System(owner, port, folder / f"system-{number}.sqlite")
            await system.start()
            stack.push_async_callback(system.kill)
            body = {
                "url": f"http://127.0.0.1:{port}/hook",
                "ordered": number % 2 == 1,
                "rate_per_second": 200,
            }
            seen = await owner.call("POST", "/webhook-endpoints", body)
            assert seen.status == 201, seen
            found.append(system)
        yield found


# What is to be tried again in minutes or days is tried now, and shut gates are knocked at. What somebody
# holds is left to the next time: the dispatcher writes its outcomes in whatever order.
HASTEN = """
    WITH q AS MATERIALIZED (
      SELECT tenant_id, receiver, command FROM delivery_queues
      ORDER BY tenant_id, receiver, command FOR UPDATE
    ), waiting AS MATERIALIZED (
      SELECT d.tenant_id, d.id FROM deliveries d
      JOIN q ON (d.tenant_id, d.receiver, d.command) = (q.tenant_id, q.receiver, q.command)
      WHERE d.status = 'pending' AND isfinite(d.due_at) AND d.leased_until IS NULL FOR UPDATE OF d SKIP LOCKED
    ), d AS (
      UPDATE deliveries d SET due_at = now() FROM waiting w
      WHERE d.tenant_id = w.tenant_id AND d.id = w.id RETURNING d.tenant_id, d.receiver, d.command
    )
    UPDATE delivery_queues q SET due_at = now(), blocked_until = NULL
    FROM (SELECT DISTINCT * FROM d) d
    WHERE (q.tenant_id, q.receiver, q.command) = (d.tenant_id, d.receiver, d.command) RETURNING q.receiver
"""
OPEN = """
    SELECT (SELECT count(*) FROM events WHERE fanned_out_at IS NULL)
      + (SELECT count(*) FROM deliveries WHERE status = 'pending') AS count
"""
GIVEN = """
    SELECT d.tenant_id::text AS tenant_id, d.event_id::text AS event_id, d.status, d.sequence
    FROM deliveries d WHERE d.endpoint_id IS NOT NULL ORDER BY d.tenant_id, d.sequence
"""


async def settled(stack: Stack) -> None:
    """Until nothing waits any more."""

    async def is_so() -> bool:
        await books.rows(stack, CORE, HASTEN)
        (row,) = await books.rows(stack, CORE, OPEN)
        return bool(row["count"] == 0)

    await until(is_so, "every delivery is settled", SETTLE_S)
