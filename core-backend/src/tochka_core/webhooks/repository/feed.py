"""What a receiver has been given, in its order."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

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


async def list_feed(
    connection: Connection, receiver: str, tenant_id: UUID | None, after: int, limit: int
) -> Sequence[Any]:
    """What a receiver has been given after a position, of one tenant or of all."""
    if tenant_id is not None:
        return await connection.fetch(FEED_OF_TENANT, tenant_id, receiver, after, limit)
    return await connection.fetch(FEED, receiver, after, limit)
