"""What endpoints were sent and what they answered, newest first."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.webhooks.repository.columns import values
from tochka_core.webhooks.schemas import DeliveryFilter

LIST_DELIVERIES = """
    SELECT d.id, d.event_id, d.type, d.endpoint_id, d.sequence, d.status, d.attempts, d.created_at,
           CASE WHEN d.status = 'pending' AND isfinite(d.due_at) THEN d.due_at END AS due_at,
           d.finished_at, d.replays > 0 AS replayed,
           a.response_status AS last_response_status, a.error AS last_error
    FROM deliveries d LEFT JOIN LATERAL (
      SELECT response_status, error FROM attempts
      WHERE tenant_id = d.tenant_id AND delivery_id = d.id ORDER BY id DESC LIMIT 1
    ) a ON true
    WHERE d.tenant_id = $1 AND d.endpoint_id IS NOT NULL AND ($2::uuid IS NULL OR d.id < $2)
      AND ($4::uuid IS NULL OR d.endpoint_id = $4) AND ($5::text IS NULL OR d.status = $5)
      AND ($6::text IS NULL OR d.type = $6) AND ($7::uuid IS NULL OR d.event_id = $7)
      AND ($8::timestamptz IS NULL OR d.created_at >= $8) AND ($9::timestamptz IS NULL OR d.created_at < $9)
    ORDER BY d.id DESC LIMIT $3
"""
FIND_DELIVERY = """
    SELECT d.id, d.event_id, d.type, d.endpoint_id, d.sequence, d.status, d.attempts, d.created_at,
           CASE WHEN d.status = 'pending' AND isfinite(d.due_at) THEN d.due_at END AS due_at,
           d.finished_at, d.replays > 0 AS replayed,
           a.response_status AS last_response_status, a.error AS last_error,
           d.tenant_id, d.receiver, d.installation_id, e.data, e.occurred_at, e.schema_version,
           coalesce(w.schema_version, e.schema_version) AS wanted_version
    FROM deliveries d
    JOIN events e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
    LEFT JOIN webhook_endpoints w ON w.tenant_id = d.tenant_id AND w.id = d.endpoint_id
    LEFT JOIN LATERAL (
      SELECT response_status, error FROM attempts
      WHERE tenant_id = d.tenant_id AND delivery_id = d.id ORDER BY id DESC LIMIT 1
    ) a ON true
    WHERE d.tenant_id = $1 AND d.id = $2 AND d.endpoint_id IS NOT NULL
"""
LIST_ATTEMPTS = """
    SELECT id, number, started_at, duration_ms, response_status, error, response_headers, response_body,
           timings, address
    FROM attempts WHERE tenant_id = $1 AND delivery_id = $2 AND ($3::uuid IS NULL OR id < $3)
    ORDER BY id DESC LIMIT $4
"""


async def list_deliveries(
    connection: Connection, tenant_id: UUID, after: UUID | None, limit: int, wanted: DeliveryFilter
) -> Sequence[Any]:
    """A tenant's deliveries to its endpoints below the id `after`, newest first."""
    return await connection.fetch(LIST_DELIVERIES, tenant_id, after, limit, *values(wanted))


async def find_delivery(connection: Connection, tenant_id: UUID, delivery_id: UUID) -> Any:
    """One delivery to an endpoint, with the event; None for one to a module."""
    return await connection.fetchrow(FIND_DELIVERY, tenant_id, delivery_id)


async def list_attempts(
    connection: Connection, tenant_id: UUID, delivery_id: UUID, after: UUID | None, limit: int
) -> Sequence[Any]:
    """A delivery's attempts, newest first."""
    return await connection.fetch(LIST_ATTEMPTS, tenant_id, delivery_id, after, limit)
