"""Months: partitions made ahead, old ones dropped, and the events that nobody was told of any more."""

from datetime import datetime

from tochka_sdk.db import Connection

KEEP_MONTHS = "SELECT keep_months($1, $2)"
# Events are older than their deliveries: what is left of a dropped month has none.
FORGET_EVENTS = """
    DELETE FROM events e USING (
      SELECT tenant_id, id FROM events o
      WHERE o.id < first_id_of(date_trunc('month', $1, 'UTC') - make_interval(months => $2))
        AND o.fanned_out_at IS NOT NULL
        AND (SELECT d.id FROM deliveries d WHERE d.tenant_id = o.tenant_id AND d.event_id = o.id LIMIT 1)
          IS NULL
      LIMIT $3
    ) old
    WHERE e.tenant_id = old.tenant_id AND e.id = old.id
"""


async def keep_months(connection: Connection, moment: datetime, kept: int) -> int:
    """Make the partitions of `moment` and two months ahead; drop those of more than `kept` months ago in
    which nothing waits. How many were dropped.
    """
    return int(await connection.fetchval(KEEP_MONTHS, moment, kept))


async def forget_events(connection: Connection, moment: datetime, kept: int, limit: int) -> int:
    """Delete at most `limit` events of more than `kept` months ago that have no delivery left; how many."""
    status: str = await connection.execute(FORGET_EVENTS, moment, kept, limit)
    return int(status.rpartition(" ")[2])
