"""Owners' own systems, each a process with a webhook endpoint; and what became of deliveries to them."""

import asyncio
import json
import random
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tochka_stack.ports import free_ports

from tests.proof import books
from tests.proof.options import ENVIRONMENT, SEED
from tests.proof.people import Owner, insist
from tests.proof.running import CORE, Stack
from tests.proof.waiting import until

SCRIPT = Path(__file__).with_name("receiver.py")
SETTLE_S = 600.0
DOWN_S = (0.2, 1.5)
WRONG_S = 600.0
"""More than a signature is good for."""


@dataclass
class System:
    """One owner's system; killed with -9 and started again on the same port and file."""

    owner: Owner
    port: int
    file: Path
    endpoint: str
    secret: str
    is_ordered: bool
    skew_s: float = 0.0
    process: asyncio.subprocess.Process | None = None
    deaths: int = 0

    async def start(self) -> None:
        """Start it and wait until it listens."""
        told = (self.port, self.file, SEED, self.secret, self.skew_s, int(self.is_ordered))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, str(SCRIPT), *map(str, told), env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        assert await self.process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        """End it in the middle of whatever it does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        self.deaths += 1

    async def calm(self) -> None:
        """Let it misbehave no more: its clock is set, and its address is what it should have been."""
        self.file.with_suffix(".calm").touch()
        change = {"url": address(self.port)}
        seen = await insist(lambda: self.owner.call("PATCH", self.endpoint, change))
        assert seen.status == 200, seen

    def effects(self) -> set[str]:
        """The ids of the events that took effect; each can do so only once."""
        return {row[0] for row in self._rows("SELECT id FROM effects")}

    def sequences(self, type: str) -> list[int]:
        """The numbers of events of a type, as they took effect."""
        bodies = [json.loads(row[0]) for row in self._rows("SELECT body FROM effects ORDER BY rowid")]
        return [body["sequence"] for body in bodies if body["type"] == type]

    def requests(self) -> Counter[str]:
        """How often each mischief was made; the empty word is a good answer."""
        return Counter(row[0] for row in self._rows("SELECT mischief FROM requests"))

    def ways(self) -> Counter[str]:
        """How often a request came `twice`, or was held back and came `late`."""
        return Counter(row[0] for row in self._rows("SELECT came FROM requests WHERE came <> ''"))

    def repeated(self) -> int:
        """How many requests came for what had taken effect already."""
        return len(self._rows("SELECT id FROM requests WHERE again"))

    def overtaken(self) -> int:
        """How many events came for the first time after a later one had."""
        arrived: dict[str, int] = {}
        overtaken = 0
        for id, sequence in self._rows("SELECT id, sequence FROM requests ORDER BY rowid"):
            overtaken += id not in arrived and sequence < max(arrived.values(), default=0)
            arrived[id] = sequence
        return overtaken

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
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


def address(port: int, scheme: str = "http") -> str:
    """Where a system listens; it never speaks TLS."""
    return f"{scheme}://127.0.0.1:{port}/hook"


@asynccontextmanager
async def systems(owners: Sequence[Owner], folder: Path) -> AsyncIterator[list[System]]:
    """A system for each owner, with an endpoint; every second one wants strict order. The first one's address
    begins with https, and the clock of the third one is wrong.
    """
    ports = free_ports(len(owners))
    async with AsyncExitStack() as stack:
        found = []
        for number, (owner, port) in enumerate(zip(owners, ports, strict=True)):
            url = address(port, "https" if number == 0 else "http")
            is_ordered = number % 2 == 1
            body = {"url": url, "ordered": is_ordered, "rate_per_second": 200}
            seen = await owner.call("POST", "/webhook-endpoints", body)
            assert seen.status == 201, seen
            endpoint, file = f"/webhook-endpoints/{seen.body['id']}", folder / f"system-{number}.sqlite"
            skew_s = WRONG_S if number == 2 else 0.0
            system = System(owner, port, file, endpoint, seen.body["secret"], is_ordered, skew_s)
            await system.start()
            stack.push_async_callback(system.kill)
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
      WHERE (SELECT count(*) FROM q) > 0  -- all queues are held before the first delivery is
        AND d.status = 'pending' AND isfinite(d.due_at) AND d.leased_until IS NULL FOR UPDATE OF d SKIP LOCKED
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
STILL_OPEN = """
    SELECT d.receiver, count(*) AS count, max(d.attempts) AS attempts, max(d.deferrals) AS deferrals,
      min(d.due_at - now())::text AS due, min(q.ready_at - now())::text AS queue,
      array_agg(DISTINCT coalesce(a.error, a.response_status::text)) AS answers
    FROM deliveries d JOIN delivery_queues q USING (tenant_id, receiver, command)
    LEFT JOIN attempts a ON a.tenant_id = d.tenant_id AND a.delivery_id = d.id
    WHERE d.status = 'pending' GROUP BY d.receiver
"""
GIVEN = """
    SELECT d.tenant_id::text AS tenant_id, d.event_id::text AS event_id, d.status, d.sequence
    FROM deliveries d WHERE d.endpoint_id IS NOT NULL ORDER BY d.tenant_id, d.sequence
"""


async def settled(stack: Stack) -> None:
    """Until nothing waits any more."""

    async def is_so() -> bool:
        try:
            await books.rows(stack, CORE, HASTEN)
            (row,) = await books.rows(stack, CORE, OPEN)
        except books.UNREACHABLE:
            return False
        return bool(row["count"] == 0)

    try:
        await until(is_so, "every delivery is settled", SETTLE_S)
    except AssertionError as error:
        raise AssertionError(f"{error}; still open: {await books.rows(stack, CORE, STILL_OPEN)}") from None
