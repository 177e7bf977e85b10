"""Making the future come: what is due later is due now, as it would be some time on."""

from uuid import UUID

import asyncpg
from tochka_sdk.db import UNPRUNED
from tochka_stack.testing import ScratchDatabase

# queues first, as everybody does: nobody waits in a circle
HASTEN = """
    WITH q AS MATERIALIZED (
      SELECT tenant_id, receiver, command FROM delivery_queues
      WHERE $1::uuid IS NULL OR tenant_id = $1 ORDER BY tenant_id, receiver, command FOR UPDATE
    ), hastened AS (
      UPDATE deliveries d SET due_at = now() FROM q
      WHERE d.status = 'pending' AND d.tenant_id = q.tenant_id AND d.receiver = q.receiver
        AND d.command = q.command
      RETURNING d.tenant_id, d.receiver, d.command
    )
    UPDATE delivery_queues q SET due_at = now(), blocked_until = NULL FROM hastened h
    WHERE (q.tenant_id, q.receiver, q.command) = (h.tenant_id, h.receiver, h.command)
"""


async def hasten(database: ScratchDatabase, tenant_id: UUID | None = None) -> None:
    """The next attempts of one tenant's deliveries, or of all, are due; leases have run out."""
    connection = await asyncpg.connect(database.superuser_dsn, server_settings=UNPRUNED)
    try:
        await connection.execute(HASTEN, tenant_id)
    finally:
        await connection.close()
