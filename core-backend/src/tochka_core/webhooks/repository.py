"""Queries on the queue. The jobs role sees all of it; requests see their tenant's or their module's part."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.webhooks.schemas import Attempt, Delivery, NewDelivery

# An event waits as long as an older one of its tenant does, so that two dispatchers keep a tenant's order.
CLAIM_EVENTS = """
    WITH claimed AS MATERIALIZED (
      SELECT tenant_id, id, type, installation_id, module_id, deadline_at FROM events
      WHERE fanned_out_at IS NULL ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
    )
    SELECT c.tenant_id, c.id, c.type, c.installation_id, c.module_id, c.deadline_at FROM claimed c
    WHERE NOT EXISTS (
      SELECT 1 FROM events o
      WHERE o.tenant_id = c.tenant_id AND o.id < c.id AND o.fanned_out_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM claimed k WHERE k.tenant_id = o.tenant_id AND k.id = o.id)
    )
    ORDER BY c.id
"""
MARK_FANNED_OUT = """
    UPDATE events e SET fanned_out_at = now()
    FROM unnest($1::uuid[], $2::uuid[]) AS r(tenant_id, id)
    WHERE e.tenant_id = r.tenant_id AND e.id = r.id
"""
RECEIVERS_OF = "SELECT receivers_of($1) AS module_id"
# Sorted, so that two dispatchers take these rows in one order and never wait for each other in a circle.
TAKE_POSITIONS = """
    INSERT INTO receiver_positions AS p (receiver, last_position)
    SELECT receiver, count(*) FROM unnest($1::text[]) AS r(receiver) GROUP BY receiver ORDER BY receiver
    ON CONFLICT (receiver) DO UPDATE SET last_position = p.last_position + excluded.last_position
    RETURNING receiver, last_position
"""
TAKE_SEQUENCES = """
    INSERT INTO receiver_sequences AS s (tenant_id, receiver, last_sequence)
    SELECT tenant_id, receiver, count(*) FROM unnest($1::uuid[], $2::text[]) AS r(tenant_id, receiver)
    GROUP BY tenant_id, receiver ORDER BY tenant_id, receiver
    ON CONFLICT (tenant_id, receiver) DO UPDATE SET last_sequence = s.last_sequence + excluded.last_sequence
    RETURNING tenant_id, receiver, last_sequence
"""
ADD_DELIVERIES = """
    INSERT INTO deliveries
      (tenant_id, id, event_id, receiver, position, sequence, installation_id, type, command, deadline_at)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[],
                         $7::uuid[], $8::text[], $9::boolean[], $10::timestamptz[])
"""
# What was asked for and is now undone is not asked for any more: `removed` must not be overtaken by it.
CANCEL_REQUESTED = """
    UPDATE deliveries d SET status = 'cancelled', finished_at = now()
    FROM unnest($1::uuid[], $2::uuid[]) AS r(tenant_id, installation_id)
    WHERE d.tenant_id = r.tenant_id AND d.installation_id = r.installation_id
      AND d.type = 'installation.requested' AND d.status IN ('pending', 'accepted')
"""
# Every receiver has its own place in the claim, so that one with a long queue keeps nobody waiting.
# A lease is the next due time: a dispatcher that dies gives its deliveries back by doing nothing. The limit
# of the whole tells the planner that few rows are updated: without, it reads the table from end to end.
CLAIM_DELIVERIES = """
    WITH due AS (
      SELECT d.tenant_id, d.id, m.base_url
      FROM modules m
      CROSS JOIN LATERAL (
        SELECT tenant_id, id FROM deliveries
        WHERE receiver = m.id AND command = $1 AND status = 'pending' AND due_at <= now()
        ORDER BY due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
      ) d
      WHERE m.id <> ALL($3::text[])
      LIMIT 256
    ), leased AS (
      UPDATE deliveries d
      SET due_at = now() + $4::interval, leased_until = now() + $4::interval, attempts = attempts + 1
      FROM due WHERE d.tenant_id = due.tenant_id AND d.id = due.id
      RETURNING d.tenant_id, d.id, d.event_id, d.receiver, d.installation_id, d.type, d.command, d.sequence,
                d.attempts, d.deadline_at, d.leased_until, due.base_url
    )
    SELECT l.*, e.data, e.occurred_at, e.schema_version
    FROM leased l JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
"""
RELEASE = """
    UPDATE deliveries d SET due_at = now(), leased_until = NULL
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS r(tenant_id, id, leased_until)
    WHERE d.tenant_id = r.tenant_id AND d.id = r.id AND d.status = 'pending'
      AND d.leased_until = r.leased_until
"""
# An answer counts also when the lease has run out meanwhile; only the wish to try again needs it.
SETTLE = """
    UPDATE deliveries d
    SET status = r.status, leased_until = NULL,
        finished_at = CASE WHEN r.status = 'accepted' THEN NULL ELSE now() END
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS r(tenant_id, id, status)
    WHERE d.tenant_id = r.tenant_id AND d.id = r.id
      AND (d.status = 'pending' OR (d.status = 'accepted' AND r.status <> 'accepted'))
"""
RETRY = """
    UPDATE deliveries d SET due_at = clock_timestamp() + r.delay, leased_until = NULL
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::interval[])
      AS r(tenant_id, id, leased_until, delay)
    WHERE d.tenant_id = r.tenant_id AND d.id = r.id AND d.status = 'pending'
      AND d.leased_until = r.leased_until
"""
ADD_ATTEMPTS = """
    INSERT INTO attempts (tenant_id, id, delivery_id, number, started_at, duration_ms, response_status,
                          error, response_body)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[], $5::timestamptz[],
                         $6::integer[], $7::smallint[], $8::text[], $9::text[])
"""
OVERDUE = """
    SELECT tenant_id, id, installation_id FROM deliveries
    WHERE deadline_at <= now() AND status IN ('pending', 'accepted') ORDER BY deadline_at LIMIT $1
"""
SETTLE_REQUESTED = """
    UPDATE deliveries SET status = $3, finished_at = now()
    WHERE tenant_id = $1 AND installation_id = $2 AND type = 'installation.requested'
      AND status IN ('pending', 'accepted')
"""
FEED_OF_TENANT = """
    SELECT d.tenant_id, d.sequence AS cursor, d.sequence, d.event_id, d.installation_id, d.type, e.data,
           e.occurred_at, e.schema_version
    FROM deliveries d JOIN events e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
    WHERE d.tenant_id = $1 AND d.receiver = $2 AND d.sequence > $3 ORDER BY d.sequence LIMIT $4
"""
FEED = """
    SELECT d.tenant_id, d.position AS cursor, d.sequence, d.event_id, d.installation_id, d.type, e.data,
           e.occurred_at, e.schema_version
    FROM deliveries d JOIN events e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
    WHERE d.receiver = $1 AND d.position > $2 ORDER BY d.position LIMIT $3
"""


def _columns(rows: Sequence[Any], names: Sequence[str]) -> list[list[Any]]:
    """Rows as one array per column, for `unnest`."""
    return [[getattr(row, name) for row in rows] for name in names]


async def claim_events(connection: Connection, limit: int) -> Sequence[Any]:
    """The oldest events that no delivery has been made of, held until the transaction ends."""
    return await connection.fetch(CLAIM_EVENTS, limit)


async def mark_fanned_out(connection: Connection, keys: Sequence[tuple[UUID, UUID]]) -> None:
    """These events (`tenant_id, id`) have their deliveries."""
    await connection.execute(MARK_FANNED_OUT, [key[0] for key in keys], [key[1] for key in keys])


async def receivers_of(connection: Connection, tenant_id: UUID) -> list[str]:
    """The modules that have an installation of the tenant."""
    return [row["module_id"] for row in await connection.fetch(RECEIVERS_OF, tenant_id)]


async def take_positions(connection: Connection, receivers: Sequence[str]) -> dict[str, int]:
    """Count each receiver up by how often it stands here; its last position. Holds the counters."""
    rows = await connection.fetch(TAKE_POSITIONS, receivers)
    return {row["receiver"]: row["last_position"] for row in rows}


async def take_sequences(
    connection: Connection, tenants: Sequence[UUID], receivers: Sequence[str]
) -> dict[tuple[UUID, str], int]:
    """As `take_positions`, per tenant and receiver."""
    rows = await connection.fetch(TAKE_SEQUENCES, tenants, receivers)
    return {(row["tenant_id"], row["receiver"]): row["last_sequence"] for row in rows}


async def add_deliveries(connection: Connection, rows: Sequence[NewDelivery]) -> None:
    """Write deliveries that are due at once."""
    await connection.execute(ADD_DELIVERIES, *_columns(rows, NewDelivery.__slots__))


async def cancel_requested(connection: Connection, keys: Sequence[tuple[UUID, UUID]]) -> None:
    """Stop asking for these installations (`tenant_id, installation_id`)."""
    await connection.execute(CANCEL_REQUESTED, [key[0] for key in keys], [key[1] for key in keys])


async def claim_deliveries(
    connection: Connection, *, command: bool, limit: int, without: Sequence[str], lease: timedelta
) -> list[Delivery]:
    """Up to `limit` due deliveries for each receiver but those `without`; ours until the lease ends."""
    rows = await connection.fetch(CLAIM_DELIVERIES, command, limit, without, lease)
    return [Delivery(**row) for row in rows]


async def release(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Give claimed deliveries back before their lease ends."""
    await connection.execute(RELEASE, *_columns(deliveries, ("tenant_id", "id", "leased_until")))


async def settle(connection: Connection, settled: Sequence[tuple[Delivery, str]]) -> None:
    """Write what became of deliveries that need no further attempt."""
    keys = _columns([delivery for delivery, _ in settled], ("tenant_id", "id"))
    await connection.execute(SETTLE, *keys, [status for _, status in settled])


async def settle_one(connection: Connection, tenant_id: UUID, delivery_id: UUID, status: str) -> None:
    """As `settle`, by id."""
    await connection.execute(SETTLE, [tenant_id], [delivery_id], [status])


async def retry(connection: Connection, retried: Sequence[tuple[Delivery, timedelta]]) -> None:
    """Make deliveries due again after a delay, if they are still ours."""
    keys = _columns([delivery for delivery, _ in retried], ("tenant_id", "id", "leased_until"))
    await connection.execute(RETRY, *keys, [delay for _, delay in retried])


async def add_attempts(connection: Connection, attempts: Sequence[Attempt]) -> None:
    """Write the log of attempts."""
    await connection.execute(ADD_ATTEMPTS, *_columns(attempts, Attempt.__slots__))


async def list_overdue(connection: Connection, limit: int) -> Sequence[Any]:
    """Commands whose deadline has passed without an answer."""
    return await connection.fetch(OVERDUE, limit)


async def settle_requested(
    connection: Connection, tenant_id: UUID, installation_id: UUID, status: str
) -> None:
    """The module has reported on its own: its command needs no further attempt."""
    await connection.execute(SETTLE_REQUESTED, tenant_id, installation_id, status)


async def list_feed(
    connection: Connection, receiver: str, tenant_id: UUID | None, after: int, limit: int
) -> Sequence[Any]:
    """What a receiver has been given after a position, of one tenant or of all."""
    if tenant_id is not None:
        return await connection.fetch(FEED_OF_TENANT, tenant_id, receiver, after, limit)
    return await connection.fetch(FEED, receiver, after, limit)
