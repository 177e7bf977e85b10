"""How the queues stand, for operators; and sending a module's news again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

# Partial indexes hold what is not settled: both are as cheap as there is little of it.
WAITING = "SELECT count(*) AS count, min(occurred_at) AS oldest FROM events WHERE fanned_out_at IS NULL"
LATENESS = """
    SELECT (SELECT occurred_at FROM events WHERE fanned_out_at IS NULL ORDER BY id LIMIT 1) AS event,
           (SELECT min(ready_at) FROM delivery_queues WHERE command = true AND ready_at <= now()) AS command,
           (SELECT min(ready_at) FROM delivery_queues WHERE command = false AND ready_at <= now()) AS news
"""
PENDING = """
    SELECT d.tenant_id, d.receiver, d.endpoint_id, d.command, count(*) AS pending,
           count(*) FILTER (WHERE d.due_at <= now() AND d.leased_until IS NULL) AS due,
           count(*) FILTER (WHERE d.leased_until > now()) AS in_flight,
           min(d.due_at) FILTER (WHERE d.due_at <= now() AND d.leased_until IS NULL) AS oldest,
           max(q.blocked_until) FILTER (WHERE q.blocked_until > now()) AS blocked_until
    FROM deliveries d JOIN delivery_queues q
      ON q.tenant_id = d.tenant_id AND q.receiver = d.receiver AND q.command = d.command
    WHERE d.status = 'pending'
    GROUP BY d.tenant_id, d.receiver, d.endpoint_id, d.command ORDER BY oldest NULLS LAST, pending DESC
"""
HELD = """
    SELECT tenant_id, receiver, endpoint_id, count(*) AS held FROM deliveries WHERE status = 'held'
    GROUP BY tenant_id, receiver, endpoint_id
"""
ENDPOINTS = """
    SELECT w.tenant_id, w.id, w.url, w.failing_since
    FROM unnest($1::uuid[], $2::uuid[]) AS r(tenant_id, id)
    JOIN webhook_endpoints w ON w.tenant_id = r.tenant_id AND w.id = r.id
"""
TENANT_OF_ENDPOINT = "SELECT tenant_id FROM webhook_endpoints WHERE id = $1"
UNSETTLED = """
    SELECT (SELECT count(*) FROM events WHERE fanned_out_at IS NULL) AS waiting,
      count(*) FILTER (WHERE due_at <= now() OR leased_until > now()) AS active
    FROM deliveries WHERE status = 'pending'
"""
NEWS_OF_MODULE = """
    SELECT tenant_id, id, position FROM deliveries
    WHERE receiver = $1 AND position > $2 AND NOT command AND status IN ('delivered', 'refused', 'expired')
      AND created_at >= $3 AND ($4::uuid IS NULL OR tenant_id = $4)
    ORDER BY position LIMIT $5
"""
COUNT_NEWS_OF_MODULE = """
    SELECT count(*) FROM deliveries
    WHERE receiver = $1 AND position > $2 AND NOT command AND status IN ('delivered', 'refused', 'expired')
      AND created_at >= $3 AND ($4::uuid IS NULL OR tenant_id = $4)
"""
QUEUE_NEWS_UP = """
    INSERT INTO delivery_queues AS q (tenant_id, receiver, command, due_at)
    SELECT DISTINCT tenant_id, $2, false, now() FROM unnest($1::uuid[]) AS r(tenant_id) ORDER BY tenant_id
    ON CONFLICT (tenant_id, receiver, command) DO UPDATE SET due_at = least(q.due_at, excluded.due_at)
"""
SEND_NEWS_AGAIN = """
    UPDATE deliveries d SET status = 'pending', attempts = 0, replays = replays + 1, leased_until = NULL,
      finished_at = NULL, due_at = now()
    FROM unnest($1::uuid[], $2::uuid[]) AS r(tenant_id, id)
    WHERE d.tenant_id = r.tenant_id AND d.id = r.id AND d.status IN ('delivered', 'refused', 'expired')
"""


async def waiting(connection: Connection) -> Any:
    """How many events no delivery has been made of, and when the oldest happened."""
    [row] = await connection.fetch(WAITING)
    return row


async def lateness(connection: Connection) -> Any:
    """Since when the first event waits for its deliveries, and the first queue of each lane for its turn."""
    [row] = await connection.fetch(LATENESS)
    return row


async def pending(connection: Connection) -> Sequence[Any]:
    """Every queue that is not empty, the one that is late the longest first."""
    return await connection.fetch(PENDING)


async def held(connection: Connection) -> Sequence[Any]:
    """What is kept for disabled endpoints."""
    return await connection.fetch(HELD)


async def endpoints(connection: Connection, keys: Sequence[tuple[UUID, UUID]]) -> Sequence[Any]:
    """Where endpoints (`tenant_id, id`) lead, and since when they fail."""
    return await connection.fetch(ENDPOINTS, [key[0] for key in keys], [key[1] for key in keys])


async def tenant_of_endpoint(connection: Connection, endpoint_id: UUID) -> UUID | None:
    """Whose endpoint it is."""
    tenant_id: UUID | None = await connection.fetchval(TENANT_OF_ENDPOINT, endpoint_id)
    return tenant_id


async def unsettled(connection: Connection) -> tuple[int, int]:
    """How many events wait for their deliveries, and how many deliveries are due or being sent."""
    [row] = await connection.fetch(UNSETTLED)
    return row["waiting"], row["active"]


async def count_news_of_module(
    connection: Connection, module_id: str, after: int, since: datetime, tenant_id: UUID | None
) -> int:
    """How many settled news of a module there are beyond a position."""
    return int(await connection.fetchval(COUNT_NEWS_OF_MODULE, module_id, after, since, tenant_id))


async def send_news_again(
    connection: Connection,
    module_id: str,
    after: int,
    since: datetime,
    tenant_id: UUID | None,
    limit: int,
) -> tuple[int, int]:
    """Make up to so many settled news of a module due; how many, and the last position. Holds the queues."""
    rows = await connection.fetch(NEWS_OF_MODULE, module_id, after, since, tenant_id, limit)
    if not rows:
        return 0, after
    tenants = [row["tenant_id"] for row in rows]
    await connection.execute(QUEUE_NEWS_UP, tenants, module_id)
    await connection.execute(SEND_NEWS_AGAIN, tenants, [row["id"] for row in rows])
    return len(rows), rows[-1]["position"]
