"""One tenant and the dispatcher's steps, each in a transaction of its own, in whatever order a test takes
them. There is no loop and no network, and the clock moves when a test says so.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from tochka_core.endpoints import repository as endpoints
from tochka_core.endpoints.schemas import NewEndpoint, WebhookEndpointUpdate
from tochka_core.outbound.public import Answer, Gates, Report
from tochka_core.outbox import public as outbox
from tochka_core.outbox.events import InstallationLive
from tochka_core.resources import Resources
from tochka_core.webhooks.admission import Admission, Admitted, Places
from tochka_core.webhooks.schedules import judge
from tochka_core.webhooks.schemas import Delivery, ReplayRequest
from tochka_core.webhooks.service import outcomes, queue, replays, routing
from tochka_core.webhooks.service.attempts import attempt_of
from tochka_core.webhooks.service.outcomes import Outcome
from tochka_sdk import clock
from tochka_sdk.db import Scope
from tochka_sdk.ids import uuid7

LEASE = timedelta(hours=1)
LONG_AGO = timedelta(days=1)
GATES_OPEN = timedelta(minutes=5)
"""After so long no breaker is open any more."""
URL = "https://example.org/hooks"
LIVE, RENAMED = "installation.live", "tenant.updated"
PEOPLE = """
    WITH person AS (INSERT INTO users (id, phone) VALUES ($1, $2)),
      made AS (INSERT INTO tenants (id, name) VALUES ($1, 'Мастерская'))
    INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $1, 'owner')
"""
# Everything that has a time lies so much further in the past.
TIME_PASSES = """
    WITH q AS (
      UPDATE delivery_queues SET due_at = due_at - $2::interval, blocked_until = blocked_until - $2::interval
      WHERE tenant_id = $1
    ), r AS (UPDATE replays SET due_at = due_at - $2::interval WHERE tenant_id = $1),
    w AS (UPDATE webhook_endpoints SET failing_since = failing_since - $2::interval WHERE tenant_id = $1)
    UPDATE deliveries SET due_at = due_at - $2::interval, leased_until = leased_until - $2::interval
    WHERE tenant_id = $1 AND status = 'pending'
"""
ROWS = """
    SELECT d.id, d.event_id, d.endpoint_id, d.resource, d.sequence, d.position, d.status, d.attempts,
      d.deferrals, d.replays, d.due_at, d.leased_until, d.finished_at,
      (SELECT count(*) FROM attempts a WHERE a.tenant_id = d.tenant_id AND a.delivery_id = d.id) AS logged,
      coalesce(d.leased_until > now(), false) AS is_held,
      d.status = 'pending' AND d.due_at <= now() AND coalesce(q.ready_at <= now(), false) AS is_due,
      d.status = 'pending' AND (q.due_at IS NULL OR q.due_at > greatest(d.due_at, now())) AS is_forgotten
    FROM deliveries d LEFT JOIN delivery_queues q
      ON q.tenant_id = d.tenant_id AND q.receiver = d.receiver AND q.command = d.command
    WHERE d.tenant_id = $1 ORDER BY d.receiver, d.sequence
"""
EVENTS = "SELECT id, type, fanned_out_at IS NOT NULL AS is_told FROM events WHERE tenant_id = $1 ORDER BY id"
DISABLED = "SELECT id FROM webhook_endpoints WHERE tenant_id = $1 AND status = 'disabled'"
EPOCH = "SELECT epoch FROM delivery_queues WHERE tenant_id = $1 AND receiver = $2 AND NOT command"
JOBS = "SELECT * FROM replays WHERE tenant_id = $1 AND status = 'running' AND due_at <= now()"
FORGET = "UPDATE delivery_queues SET due_at = NULL WHERE tenant_id = $1"


@dataclass(frozen=True)
class Row:
    """A delivery as it stands. What only tells how it stands now is not compared."""

    id: UUID
    event_id: UUID
    endpoint_id: UUID
    resource: str | None
    sequence: int
    position: int
    status: str
    attempts: int
    deferrals: int
    replays: int
    due_at: datetime
    leased_until: datetime | None
    finished_at: datetime | None
    logged: int
    is_held: bool = field(compare=False)
    is_due: bool = field(compare=False)
    is_forgotten: bool = field(compare=False)

    @property
    def waits(self) -> bool:
        """Whether it waits for another one, for ever."""
        return self.due_at.year == MAXYEAR


@dataclass
class Engine:
    """The steps. `plain` and `ordered` are told of everything, `picky` of the tenant's name alone."""

    superuser: asyncpg.Connection
    app: Resources
    jobs: Resources
    tenant_id: UUID = field(default_factory=uuid7)
    plain: UUID = field(default_factory=uuid7)
    ordered: UUID = field(default_factory=uuid7)
    picky: UUID = field(default_factory=uuid7)
    workers: dict[str, Admission] = field(default_factory=dict)

    @property
    def wanted(self) -> dict[UUID, list[str]]:
        """What each endpoint is told of."""
        return {self.plain: [LIVE, RENAMED], self.ordered: [LIVE, RENAMED], self.picky: [RENAMED]}

    async def start(self) -> None:
        """A new tenant in a database that this test has to itself."""
        phone = f"+7{secrets.randbelow(10**10):010d}"
        await self.superuser.execute(PEOPLE, self.tenant_id, phone)
        async with self.app.connections.transaction(Scope(tenant_id=self.tenant_id)) as connection:
            for id, types in self.wanted.items():
                is_ordered = id == self.ordered
                new = NewEndpoint(self.tenant_id, id, URL, "", types, 1, is_ordered, 1000, 100, b"sealed")
                await endpoints.add(connection, new)

    async def stop(self) -> None:
        """Let nobody be given this tenant's deliveries any more."""
        await self.superuser.execute(FORGET, self.tenant_id)

    async def happen(self, installation_id: UUID | None, count: int) -> None:
        """So much is to be told of an installation, or of the tenant as a whole."""
        live = InstallationLive(module="shop", host="bread.localhost")
        async with self.app.connections.transaction(Scope(tenant_id=self.tenant_id)) as connection:
            for _ in range(count):
                await outbox.record(
                    connection,
                    tenant_id=self.tenant_id,
                    type=LIVE if installation_id else RENAMED,
                    data=live if installation_id else {"name": "Булочная"},
                    installation_id=installation_id,
                )

    async def fan_out(self, at_once: int, limit: int) -> None:
        """So many workers make deliveries of what happened."""
        await asyncio.gather(*(self._fan_out(limit) for _ in range(at_once)))

    async def _fan_out(self, limit: int) -> None:
        async with self.jobs.connections.system("test") as connection:
            await routing.fan_out(connection, limit)

    async def claim(self, workers: Sequence[str], share: int, limit: int) -> list[Admitted]:
        """Workers take what is due, at once, and ask the gates; what these keep back is given back."""
        return await asyncio.gather(*(self._claim(worker, share, limit) for worker in workers))

    async def _take(self, share: int, limit: int) -> list[Delivery]:
        async with self.jobs.connections.system("test") as connection:
            return await queue.claim(
                connection, command=False, share=share, limit=limit, without=[], lease=LEASE
            )

    async def _claim(self, worker: str, share: int, limit: int) -> Admitted:
        claimed = await self._take(share, limit)
        places = Places(self.jobs.webhook_connections, ())
        admitted = await self._admission(worker).admit(claimed, places)
        if admitted.kept:
            async with self.jobs.connections.system("test") as connection:
                await queue.give_back(connection, admitted.kept, admitted.waits)
        return admitted

    async def learn_too_late(self, share: int, limit: int) -> None:
        """A worker gives back what it has claimed, for a day, after the owner has wanted a new beginning."""
        claimed = await self._take(share, limit)
        async with self.app.connections.transaction(Scope(tenant_id=self.tenant_id)) as connection:
            for endpoint_id in self.wanted:
                await queue.begin_anew(connection, self.tenant_id, endpoint_id)
        async with self.jobs.connections.system("test") as connection:
            await queue.give_back(connection, claimed, [LONG_AGO] * len(claimed))

    def _admission(self, worker: str) -> Admission:
        return self.workers.setdefault(worker, Admission(Gates(self.jobs.redis)))

    async def give_back(self, worker: str, delivery: Delivery) -> None:
        """A worker is told to stop: it puts back what it has."""
        self._admission(worker).forget(delivery)
        await self._admission(worker).tell()
        async with self.jobs.connections.system("test") as connection:
            await queue.give_back(connection, [delivery])

    async def renew(self, deliveries: Sequence[Delivery]) -> None:
        """A heartbeat."""
        async with self.jobs.connections.system("test") as connection:
            await queue.renew(connection, deliveries, LEASE)

    async def conclude(self, worker: str, deliveries: Sequence[Delivery], answer: Answer) -> list[Outcome]:
        """The receivers have answered so, and the worker writes it down."""
        concluded = []
        for delivery in deliveries:
            self._admission(worker).note(delivery, answer)
            verdict = judge(None, delivery.attempts, answer, clock.now())
            attempt = attempt_of(delivery, answer, clock.now(), 0.01)
            concluded.append(Outcome(delivery, attempt, answer, verdict))
        await self._admission(worker).tell()
        await self.write(concluded)
        return concluded

    async def write(self, concluded: Sequence[Outcome]) -> None:
        """Write down what came of deliveries."""
        async with self.jobs.connections.system("test") as connection:
            await outcomes.conclude(connection, concluded)

    async def fall_silent(self, endpoint_id: UUID) -> None:
        """So many requests have failed in a row that the breaker opens."""
        epoch = await self.superuser.fetchval(EPOCH, self.tenant_id, str(endpoint_id))
        await Gates(self.jobs.redis).report([Report(f"webhooks:{endpoint_id}:{epoch or 0}", failed=5)])

    async def pass_time(self, time: timedelta) -> None:
        """It is so much later."""
        await self.superuser.execute(TIME_PASSES, self.tenant_id, time)
        if time >= GATES_OPEN:
            if gates := [key async for key in self.jobs.redis.scan_iter("gate:*")]:
                await self.jobs.redis.delete(*gates)
            self.workers.clear()

    async def switch(self, endpoint_id: UUID, status: str) -> None:
        """Disable or enable an endpoint, as its owner does."""
        change = WebhookEndpointUpdate.model_validate({"status": status})
        async with self.app.connections.transaction(Scope(tenant_id=self.tenant_id)) as connection:
            if status == "enabled":
                await queue.begin_anew(connection, self.tenant_id, endpoint_id)
            await endpoints.update(connection, self.tenant_id, endpoint_id, change)

    async def recover(self, endpoint_id: UUID) -> None:
        """Send again what an enabled endpoint has missed, all in one portion."""
        since = clock.now() - LONG_AGO
        asked = ReplayRequest(since=since, rate_per_second=1000, statuses=replays.MISSED)
        async with self.app.connections.transaction(Scope(tenant_id=self.tenant_id)) as connection:
            await replays.start(connection, self.tenant_id, endpoint_id, asked)

    async def send_again(self, delivery_id: UUID) -> None:
        """Send one delivery again."""
        async with self.app.connections.transaction(Scope(tenant_id=self.tenant_id)) as connection:
            await replays.send_again(connection, self.tenant_id, delivery_id)

    async def advance(self) -> None:
        """Make the next portions of replays due, job by job."""
        while await self._advance():
            pass

    async def _advance(self) -> bool:
        async with self.jobs.connections.system("test") as connection:
            return await replays.advance(connection)

    async def rows(self) -> dict[UUID, Row]:
        """Every delivery of the tenant, past all policies."""
        return {row["id"]: Row(**row) for row in await self.superuser.fetch(ROWS, self.tenant_id)}

    async def events(self) -> list[Any]:
        """What has happened, oldest first, and whether there are deliveries of it."""
        return await self.superuser.fetch(EVENTS, self.tenant_id)

    async def disabled(self) -> set[UUID]:
        """The endpoints that take nothing."""
        return {row["id"] for row in await self.superuser.fetch(DISABLED, self.tenant_id)}

    async def jobs_due(self) -> list[Any]:
        """The replays whose next portion is due."""
        return await self.superuser.fetch(JOBS, self.tenant_id)
