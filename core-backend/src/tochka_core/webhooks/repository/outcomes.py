"""What became of deliveries, and the log of attempts."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.webhooks.repository.columns import SENDING, columns
from tochka_core.webhooks.schemas import Attempt, Delivery

# An answer counts also when the lease has run out meanwhile; only the wish to try again needs it. One to what
# was sent before a replay says nothing of the replay.
SETTLE = """
    UPDATE deliveries d
    SET status = r.status, leased_until = NULL,
        finished_at = CASE WHEN r.status = 'accepted' THEN NULL ELSE now() END
    FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[]) AS r(tenant_id, id, replays, status)
    WHERE d.tenant_id = r.tenant_id AND d.id = r.id AND d.replays = r.replays
      AND (d.status = 'pending' OR (d.status = 'accepted' AND r.status <> 'accepted'))
    RETURNING d.id
"""
# Whoever was not told that it was committed writes it again.
ADD_ATTEMPTS = """
    INSERT INTO attempts (tenant_id, id, delivery_id, number, started_at, duration_ms, response_status,
                          error, response_body, response_headers, timings, address)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[], $5::timestamptz[], $6::integer[],
                         $7::smallint[], $8::text[], $9::text[], $10::jsonb[], $11::jsonb[], $12::text[])
    ON CONFLICT DO NOTHING RETURNING id
"""
# Where order matters, the next of the resource waits for ever until the one before it is settled.
RELEASE_NEXT = """
    UPDATE deliveries d SET due_at = now()
    FROM (
      SELECT DISTINCT * FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u(tenant_id, receiver, resource)
    ) r
    CROSS JOIN LATERAL (
      SELECT id, due_at FROM deliveries
      WHERE tenant_id = r.tenant_id AND receiver = r.receiver AND resource = r.resource AND status = 'pending'
      ORDER BY sequence LIMIT 1
    ) next
    WHERE d.tenant_id = r.tenant_id AND d.id = next.id AND next.due_at = 'infinity'
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


async def settle(connection: Connection, settled: Sequence[tuple[Delivery, str]]) -> set[UUID]:
    """Write what became of deliveries that need no further attempt; those that were not settled before."""
    keys = columns([delivery for delivery, _ in settled], SENDING)
    rows = await connection.fetch(SETTLE, *keys, [status for _, status in settled])
    return {row["id"] for row in rows}


async def settle_one(connection: Connection, tenant_id: UUID, delivery_id: UUID, status: str) -> None:
    """As `settle`, by id: a command's, of which there are no replays."""
    await connection.execute(SETTLE, [tenant_id], [delivery_id], [0], [status])


async def release_next(connection: Connection, settled: Sequence[Delivery]) -> None:
    """Let the next of each settled delivery's resource go. The caller holds their queues, lowered."""
    ordered = [delivery for delivery in settled if delivery.resource is not None]
    await connection.execute(RELEASE_NEXT, *columns(ordered, ("tenant_id", "receiver", "resource")))


async def add_attempts(connection: Connection, attempts: Sequence[Attempt]) -> set[UUID]:
    """Write the log of attempts; those that did not stand there."""
    rows = await connection.fetch(ADD_ATTEMPTS, *columns(attempts, Attempt.__slots__))
    return {row["id"] for row in rows}


async def list_overdue(connection: Connection, limit: int) -> Sequence[Any]:
    """Commands whose deadline has passed without an answer."""
    return await connection.fetch(OVERDUE, limit)


async def settle_requested(
    connection: Connection, tenant_id: UUID, installation_id: UUID, status: str
) -> None:
    """The module has reported on its own: its command needs no further attempt."""
    await connection.execute(SETTLE_REQUESTED, tenant_id, installation_id, status)
