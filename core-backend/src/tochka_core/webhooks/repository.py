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
# Whoever makes a delivery due earlier lowers its queue in the same transaction, and takes the rows of queues
# before those of deliveries, sorted. A claim waits for nobody.
QUEUE_UP = """
    INSERT INTO delivery_queues AS q (tenant_id, receiver, command, due_at)
    SELECT DISTINCT r.tenant_id, r.receiver, r.command, now()
    FROM unnest($1::uuid[], $2::text[], $3::boolean[]) AS r(tenant_id, receiver, command)
    ORDER BY r.tenant_id, r.receiver, r.command
    ON CONFLICT (tenant_id, receiver, command) DO UPDATE SET due_at = least(q.due_at, excluded.due_at)
"""
LOWER_QUEUES = """
    WITH held AS MATERIALIZED (
      SELECT q.tenant_id, q.receiver, q.command, r.due_at FROM delivery_queues q JOIN (
        SELECT tenant_id, receiver, command, clock_timestamp() + min(delay) AS due_at
        FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::interval[])
          AS r(tenant_id, receiver, command, delay)
        GROUP BY tenant_id, receiver, command
      ) r USING (tenant_id, receiver, command)
      ORDER BY q.tenant_id, q.receiver, q.command FOR NO KEY UPDATE OF q
    )
    UPDATE delivery_queues q SET due_at = least(q.due_at, held.due_at)
    FROM held WHERE (q.tenant_id, q.receiver, q.command) = (held.tenant_id, held.receiver, held.command)
"""
HOLD_QUEUES = """
    SELECT q.tenant_id, q.receiver FROM delivery_queues q JOIN modules m ON m.id = q.receiver
    WHERE q.command = $1 AND q.due_at <= now() AND q.receiver <> ALL($3::text[])
    ORDER BY q.due_at LIMIT $2 FOR NO KEY UPDATE OF q SKIP LOCKED
"""
# A statement of its own: what was committed before the queues were held must be seen, or it would be
# forgotten. A lease is the next due time: a dispatcher that dies gives its deliveries back by doing nothing.
# A queue that has more of what is due goes to the end of the line; one whose turn did not come stays.
CLAIM_DELIVERIES = """
    WITH held AS MATERIALIZED (
      SELECT * FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS q(tenant_id, receiver, place)
    ), due AS MATERIALIZED (
      SELECT d.tenant_id, d.id, q.place FROM held q CROSS JOIN LATERAL (
        SELECT tenant_id, id FROM deliveries
        WHERE tenant_id = q.tenant_id AND receiver = q.receiver AND command = $3 AND status = 'pending'
          AND due_at <= now()
        ORDER BY due_at LIMIT $5 FOR NO KEY UPDATE SKIP LOCKED
      ) d
      LIMIT $4
    ), leased AS (
      UPDATE deliveries d
      SET due_at = now() + $6::interval, leased_until = now() + $6::interval, attempts = attempts + 1
      FROM due WHERE d.tenant_id = due.tenant_id AND d.id = due.id
      RETURNING d.tenant_id, d.id, d.event_id, d.receiver, d.installation_id, d.type, d.command, d.sequence,
                d.attempts, d.deadline_at, d.leased_until
    ), stand AS (
      SELECT q.tenant_id, q.receiver, taken.count, (
        SELECT d.due_at FROM deliveries d
        WHERE d.tenant_id = q.tenant_id AND d.receiver = q.receiver AND d.command = $3
          AND d.status = 'pending' AND d.id <> ALL(taken.ids)
        ORDER BY d.due_at LIMIT 1
      ) AS next
      FROM held q CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(array_agg(due.id), '{}') AS ids FROM due WHERE due.place = q.place
      ) taken
    ), moved AS (
      UPDATE delivery_queues q
      SET due_at = CASE WHEN stand.next <= now() THEN CASE WHEN stand.count > 0 THEN now() ELSE q.due_at END
                        ELSE least(stand.next, CASE WHEN stand.count > 0 THEN now() + $6::interval END) END
      FROM stand
      WHERE q.tenant_id = stand.tenant_id AND q.receiver = stand.receiver AND q.command = $3
    )
    SELECT l.*, m.base_url, e.data, e.occurred_at, e.schema_version
    FROM leased l JOIN modules m ON m.id = l.receiver
    JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
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

QUEUE = ("tenant_id", "receiver", "command")


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


async def queue_up(connection: Connection, rows: Sequence[NewDelivery]) -> None:
    """Let the queues of these deliveries, which are due, stand in the line. Holds the queues."""
    await connection.execute(QUEUE_UP, *_columns(rows, QUEUE))


async def claim_deliveries(
    connection: Connection, *, command: bool, share: int, limit: int, without: Sequence[str], lease: timedelta
) -> list[Delivery]:
    """Up to `limit` due deliveries, at most `share` of one queue, none for the receivers `without`; ours
    until the lease ends.
    """
    held = await connection.fetch(HOLD_QUEUES, command, limit, without)
    if not held:
        return []
    keys = ([row["tenant_id"] for row in held], [row["receiver"] for row in held])
    rows = await connection.fetch(CLAIM_DELIVERIES, *keys, command, limit, share, lease)
    return [Delivery(**row) for row in rows]


async def release(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Give claimed deliveries back before their lease ends."""
    await connection.execute(LOWER_QUEUES, *_columns(deliveries, QUEUE), [timedelta()] * len(deliveries))
    await connection.execute(RELEASE, *_columns(deliveries, ("tenant_id", "id", "leased_until")))


async def settle(connection: Connection, settled: Sequence[tuple[Delivery, str]]) -> None:
    """Write what became of deliveries that need no further attempt."""
    keys = _columns([delivery for delivery, _ in settled], ("tenant_id", "id"))
    await connection.execute(SETTLE, *keys, [status for _, status in settled])


async def settle_one(connection: Connection, tenant_id: UUID, delivery_id: UUID, status: str) -> None:
    """As `settle`, by id."""
    await connection.execute(SETTLE, [tenant_id], [delivery_id], [status])


async def retry(connection: Connection, retried: Sequence[tuple[Delivery, timedelta]]) -> None:
    """Make deliveries due again after a delay, if they are still ours. Before anything else is written:
    holds their queues.
    """
    deliveries, delays = [delivery for delivery, _ in retried], [delay for _, delay in retried]
    await connection.execute(LOWER_QUEUES, *_columns(deliveries, QUEUE), delays)
    await connection.execute(RETRY, *_columns(deliveries, ("tenant_id", "id", "leased_until")), delays)


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
