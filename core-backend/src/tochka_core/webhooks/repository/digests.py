"""Whom to tell how many events there are for it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tochka_sdk.db import Connection

# Endpoints have their owners' eyes and no feed to fill a gap from: digests are for modules. A tenant that
# has gone is told of once more after its last event, and then left alone: the digest itself is no news.
DUE_DIGESTS = """
    WITH held AS MATERIALIZED (
      SELECT tenant_id, receiver, last_sequence, digested_at, digested_sequence FROM receiver_sequences
      WHERE digested_at <= now() - $1::interval
      ORDER BY digested_at LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED
    ), due AS MATERIALIZED (
      SELECT h.*, (SELECT true FROM modules m WHERE m.id = h.receiver) IS TRUE
             AND (h.last_sequence > h.digested_sequence + (h.digested_sequence > 0)::int
                  OR h.receiver IN (SELECT receivers_of(h.tenant_id))) AS is_told
      FROM held h
    )
    UPDATE receiver_sequences s
    SET digested_at = now(),
        digested_sequence = CASE WHEN due.is_told THEN s.last_sequence ELSE s.digested_sequence END
    FROM due WHERE s.tenant_id = due.tenant_id AND s.receiver = due.receiver
    RETURNING s.tenant_id, s.receiver, s.last_sequence, due.is_told, due.digested_sequence AS sequence_before,
              CASE WHEN due.digested_sequence > 0 THEN due.digested_at END AS since
"""


async def claim_due(connection: Connection, every: timedelta) -> Sequence[Any]:
    """Up to a hundred streams whose digest is due; their next one is due after as long again. `is_told`:
    there is somebody to tell; `sequence_before` and `since` are of the digest before.
    """
    return await connection.fetch(DUE_DIGESTS, every)
