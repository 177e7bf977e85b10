"""Making the future come: what is due later is due now, as it would be some time on."""

from uuid import UUID

import asyncpg
from tochka_stack.testing import ScratchDatabase

HASTEN = """
    WITH hastened AS (
      UPDATE deliveries SET due_at = now()
      WHERE status = 'pending' AND ($1::uuid IS NULL OR tenant_id = $1)
      RETURNING tenant_id, receiver, command
    )
    UPDATE delivery_queues q SET due_at = now() FROM hastened h
    WHERE (q.tenant_id, q.receiver, q.command) = (h.tenant_id, h.receiver, h.command)
"""


async def hasten(database: ScratchDatabase, tenant_id: UUID | None = None) -> None:
    """The next attempts of one tenant's deliveries, or of all, are due; leases have run out."""
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        await connection.execute(HASTEN, tenant_id)
    finally:
        await connection.close()
