"""One tenant and the dispatcher's steps, each in a transaction of its own, in whatever order a test takes
them. There is no loop, no clock and no network: what takes time is said to be over.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from tochka_core.endpoints import repository as endpoints
from tochka_core.endpoints.schemas import NewEndpoint, WebhookEndpointUpdate
from tochka_core.outbound.public import Answer
from tochka_core.outbox import public as outbox
from tochka_core.outbox.events import InstallationLive
from tochka_core.resources import Resources
from tochka_core.webhooks.schedules import judge
from tochka_core.webhooks.schemas import Delivery, RecoverRequest
from tochka_core.webhooks.service import outcomes, queue, replays, routing
from tochka_core.webhooks.service.attempts import attempt_of
from tochka_core.webhooks.service.outcomes import Outcome
from tochka_sdk import clock
from tochka_sdk.db import Scope
from tochka_sdk.ids import uuid7
from tochka_stack.testing import ScratchDatabase

LEASE = timedelta(hours=1)
LONG_AGO = timedelta(days=1)
TYPE = "installation.live"
PEOPLE = """
    WITH person AS (INSERT INTO users (id, phone) VALUES ($1, $2)),
      made AS (INSERT INTO tenants (id, name) VALUES ($1, 'Мастерская'))
    INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $1, 'owner')
"""
# what waits for one before it waits on, however long
TIME_PASSES = """
    WITH q AS (
      UPDATE delivery_queues SET due_at = now(), blocked_until = NULL WHERE tenant_id = $1
    ), r AS (UPDATE replays SET due_at = now() WHERE tenant_id = $1)
    UPDATE deliveries SET due_at = now(), leased_until = least(leased_until, now())
    WHERE tenant_id = $1 AND status = 'pending' AND due_at < 'infinity'
"""
ROWS = """
    SELECT d.*, q.due_at AS queue_due_at,
      (SELECT count(*) FROM attempts a WHERE a.tenant_id = d.tenant_id AND a.delivery_id = d.id) AS logged
    FROM deliveries d LEFT JOIN delivery_queues q
      ON q.tenant_id = d.tenant_id AND q.receiver = d.receiver AND q.command = d.command
    WHERE d.tenant_id = $1 ORDER BY d.receiver, d.sequence
"""
FORGET = "UPDATE delivery_queues SET due_at = NULL WHERE tenant_id = $1"


@dataclass
class Engine:
    """The steps. `plain` and `ordered` are the tenant's two endpoints."""

    database: ScratchDatabase
    app: Resources
    jobs: Resources
    tenant_id: UUID
    plain: UUID
    ordered: UUID

    @classmethod
    async def start(cls, database: ScratchDatabase, app: Resources, jobs: Resources) -> "Engine":
        """A new tenant in a database that this test has to itself."""
        tenant_id = uuid7()
        engine = cls(database, app, jobs, tenant_id, uuid7(), uuid7())
        await engine._do(PEOPLE, tenant_id, f"+7{secrets.randbelow(10**10):010d}")
        async with app.connections.transaction(Scope(tenant_id=tenant_id)) as connection:
            for endpoint_id in (engine.plain, engine.ordered):
                new = NewEndpoint(
                    tenant_id,
                    endpoint_id,
                    "https://example.org/hooks",
                    "",
                    [TYPE],
                    1,
                    endpoint_id == engine.ordered,
                    50,
                    8,
                    b"sealed",
                )
                await endpoints.add(connection, new)
        return engine

    async def stop(self) -> None:
        """Let nobody be given this tenant's deliveries any more."""
        await self._do(FORGET, self.tenant_id)

    async def happen(self, installation_id: UUID) -> UUID:
        """Something that both endpoints hear."""
        async with self.app.connections.transaction(Scope(tenant_id=self.tenant_id)) as connection:
            return await outbox.record(
                connection,
                tenant_id=self.tenant_id,
                type=TYPE,
                data=InstallationLive(module="shop", host="bread.localhost"),
                installation_id=installation_id,
            )

    async def fan_out(self) -> None:
        """Make deliveries of everything that happened."""
        async with self.jobs.connections.system("test") as connection:
            while await routing.fan_out(connection, 3):
                pass

    async def claim(self, share: int, limit: int) -> list[Delivery]:
        """Take what is due."""
        async with self.jobs.connections.system("test") as connection:
            return await queue.claim(
                connection, command=False, share=share, limit=limit, without=[], lease=LEASE
            )

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Put them back untried: the receiver's gate is shut."""
        async with self.jobs.connections.system("test") as connection:
            await queue.give_back(connection, deliveries, [timedelta(minutes=1)] * len(deliveries))

    async def renew(self, deliveries: Sequence[Delivery]) -> None:
        """Keep them."""
        async with self.jobs.connections.system("test") as connection:
            await queue.renew(connection, deliveries, LEASE)

    async def answer(self, delivery: Delivery, answer: Answer) -> Outcome:
        """The receiver has answered so."""
        verdict = judge(None, delivery.attempts, answer, clock.now())
        outcome = Outcome(delivery, attempt_of(delivery, answer, clock.now(), 0.01), answer, verdict)
        await self.conclude(outcome)
        return outcome

    async def conclude(self, outcome: Outcome) -> None:
        """Write an outcome; once more, if it was not heard that it is written."""
        async with self.jobs.connections.system("test") as connection:
            await outcomes.conclude(connection, [outcome])

    async def pass_time(self) -> None:
        """Leases run out, retries are due, gates are open."""
        await self._do(TIME_PASSES, self.tenant_id)

    async def switch(self, endpoint_id: UUID, status: str) -> None:
        """Disable or enable an endpoint, as its owner does."""
        change = WebhookEndpointUpdate.model_validate({"status": status})
        async with self.app.connections.transaction(Scope(tenant_id=self.tenant_id)) as connection:
            await endpoints.update(connection, self.tenant_id, endpoint_id, change)

    async def recover(self, endpoint_id: UUID) -> None:
        """Send again what an enabled endpoint has missed."""
        asked = RecoverRequest(since=clock.now() - LONG_AGO)
        async with self.app.connections.transaction(Scope(tenant_id=self.tenant_id)) as connection:
            await replays.recover(connection, self.tenant_id, endpoint_id, asked)

    async def advance(self) -> None:
        """Make the next portions of replays due."""
        async with self.jobs.connections.system("test") as connection:
            await replays.advance(connection, 20)

    async def rows(self) -> list[dict[str, Any]]:
        """Every delivery of the tenant with its queue, past all policies."""
        connection = await asyncpg.connect(self.database.superuser_dsn)
        try:
            return [dict(row) for row in await connection.fetch(ROWS, self.tenant_id)]
        finally:
            await connection.close()

    async def _do(self, query: str, *values: Any) -> None:
        connection = await asyncpg.connect(self.database.superuser_dsn)
        try:
            await connection.execute(query, *values)
        finally:
            await connection.close()
