"""Whom to tell how many events there are for it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tochka_sdk.db import Connection

# Endpoints have their owners' eyes and no feed to fill a gap from: digests are for modules.
DUE_DIGESTS = """
    WITH due AS MATERIALIZED (
      SELECT s.tenant_id, s.receiver, EXISTS (SELECT 1 FROM modules m WHERE m.id = s.receiver) AS is_module
      FROM receiver_sequences s WHERE s.digested_at <= now() - $1::interval
      ORDER BY s.digested_at LIMIT $2 FOR NO KEY UPDATE OF s SKIP LOCKED
    ), noted AS (
      UPDATE receiver_sequences s SET digested_at = now() FROM due
      WHERE s.tenant_id = due.tenant_id AND s.receiver = due.receiver
      RETURNING s.tenant_id, s.receiver, s.last_sequence, due.is_module
    )
    SELECT * FROM noted
"""


async def claim_due(connection: Connection, every: timedelta, limit: int) -> Sequence[Any]:
    """Streams whose digest is due; their next one is due after as long again."""
    return await connection.fetch(DUE_DIGESTS, every, limit)
