"""Whom to tell how many events there are for it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tochka_sdk.db import Connection

from tochka_core.webhooks.repository.columns import keys

DUE_DIGESTS = """
    SELECT tenant_id, receiver, last_sequence FROM receiver_sequences
    WHERE digested_at <= now() - $1::interval ORDER BY digested_at LIMIT 100
    FOR NO KEY UPDATE SKIP LOCKED
"""
NOTE_DIGESTS = """
    UPDATE receiver_sequences s SET digested_at = now()
    FROM unnest($1::uuid[], $2::text[]) AS r(tenant_id, receiver)
    WHERE s.tenant_id = r.tenant_id AND s.receiver = r.receiver
"""
# Endpoints have their owners' eyes and no feed to fill a gap from: digests are for modules.
MODULES_AMONG = "SELECT id FROM modules WHERE id = ANY($1::text[])"


async def claim_due(connection: Connection, every: timedelta) -> tuple[int, Sequence[Any]]:
    """Up to a hundred streams whose digest is due, and those of them that are a module's; the next one is due
    after as long again.
    """
    due = await connection.fetch(DUE_DIGESTS, every)
    if not due:
        return 0, []
    tenants, receivers = keys(due)
    await connection.execute(NOTE_DIGESTS, tenants, receivers)
    modules = {row["id"] for row in await connection.fetch(MODULES_AMONG, receivers)}
    return len(due), [row for row in due if row["receiver"] in modules]
