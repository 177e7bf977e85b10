"""Making deliveries of events: which wait, who hears them, how they are numbered."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.webhooks.repository.columns import QUEUE, columns
from tochka_core.webhooks.schemas import NewDelivery

# The tenants who wait are found by leaps from one to the next, so that one who has a million events costs as
# much as one who has a single one, and all of them share a round.
# An event waits as long as an older one of its tenant does, so that two dispatchers keep a tenant's order.
CLAIM_EVENTS = """
    WITH RECURSIVE leaps AS (
      (SELECT tenant_id FROM events WHERE fanned_out_at IS NULL AND tenant_id > $3 ORDER BY tenant_id LIMIT 1)
      UNION ALL
      SELECT (
        SELECT e.tenant_id FROM events e WHERE e.fanned_out_at IS NULL AND e.tenant_id > l.tenant_id
        ORDER BY e.tenant_id LIMIT 1
      ) FROM leaps l WHERE l.tenant_id IS NOT NULL
    ), waiting AS MATERIALIZED (
      SELECT tenant_id FROM leaps WHERE tenant_id IS NOT NULL LIMIT $2
    ), claimed AS MATERIALIZED (
      SELECT e.* FROM waiting w CROSS JOIN LATERAL (
        SELECT tenant_id, id, type, installation_id, module_id, endpoint_id, deadline_at FROM events
        WHERE tenant_id = w.tenant_id AND fanned_out_at IS NULL
        ORDER BY id LIMIT (SELECT greatest($1 / greatest(count(*), 1), 1) FROM waiting)
        FOR NO KEY UPDATE SKIP LOCKED
      ) e
    )
    SELECT c.*, (SELECT count(*) FROM waiting) AS tenants FROM claimed c
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
QUEUE_UP = """
    INSERT INTO delivery_queues AS q (tenant_id, receiver, command, endpoint_id, due_at)
    SELECT DISTINCT r.tenant_id, r.receiver, r.command, r.endpoint_id, now()
    FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::uuid[])
      AS r(tenant_id, receiver, command, endpoint_id)
    ORDER BY r.tenant_id, r.receiver, r.command
    ON CONFLICT (tenant_id, receiver, command) DO UPDATE SET due_at = least(q.due_at, excluded.due_at)
"""
# Where order matters, a delivery waits for ever until the one before it of the same resource is settled:
# whoever settles that one lets this one go. Both hold the queue first, so neither overlooks the other.
ADD_DELIVERIES = """
    INSERT INTO deliveries
      (tenant_id, id, event_id, receiver, endpoint_id, position, sequence, installation_id, type, command,
       deadline_at, resource, due_at)
    SELECT r.*, CASE WHEN r.resource IS NOT NULL AND (
        row_number() OVER (PARTITION BY r.tenant_id, r.receiver, r.resource ORDER BY r.sequence) > 1
        OR EXISTS (
          SELECT 1 FROM deliveries p WHERE p.tenant_id = r.tenant_id AND p.receiver = r.receiver
            AND p.resource = r.resource AND p.status = 'pending'
        )) THEN 'infinity'::timestamptz ELSE now() END
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::bigint[], $7::bigint[],
                $8::uuid[], $9::text[], $10::boolean[], $11::timestamptz[], $12::text[])
      AS r(tenant_id, id, event_id, receiver, endpoint_id, position, sequence, installation_id, type, command,
           deadline_at, resource)
"""
# What was asked for and is now undone is not asked for any more: `removed` must not be overtaken by it.
CANCEL_REQUESTED = """
    UPDATE deliveries d SET status = 'cancelled', finished_at = now()
    FROM unnest($1::uuid[], $2::uuid[]) AS r(tenant_id, installation_id)
    WHERE d.tenant_id = r.tenant_id AND d.installation_id = r.installation_id
      AND d.type = 'installation.requested' AND d.status IN ('pending', 'accepted')
"""


async def claim_events(connection: Connection, limit: int, tenants: int, after: UUID) -> Sequence[Any]:
    """The oldest events that no delivery has been made of, of so many `tenants` with ids above `after`, held
    until the transaction ends. Each row says of how many tenants there are any.
    """
    return await connection.fetch(CLAIM_EVENTS, limit, tenants, after)


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


async def queue_up(connection: Connection, rows: Sequence[NewDelivery]) -> None:
    """Let the queues of these deliveries, which are due, stand in the line. Holds the queues."""
    await connection.execute(QUEUE_UP, *columns(rows, (*QUEUE, "endpoint_id")))


async def add_deliveries(connection: Connection, rows: Sequence[NewDelivery]) -> None:
    """Write deliveries that are due at once, or as soon as those before them are settled. The caller holds
    their queues.
    """
    await connection.execute(ADD_DELIVERIES, *columns(rows, NewDelivery.__slots__))


async def cancel_requested(connection: Connection, keys: Sequence[tuple[UUID, UUID]]) -> None:
    """Stop asking for these installations (`tenant_id, installation_id`)."""
    await connection.execute(CANCEL_REQUESTED, [key[0] for key in keys], [key[1] for key in keys])
