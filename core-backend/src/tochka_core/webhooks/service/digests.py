"""The daily digest: every module is told how many events of each tenant there are for it, so that it can tell
silence from loss.
"""

from datetime import timedelta

from tochka_sdk.db import Connection
from tochka_sdk.events import Digest

from tochka_core.outbox import public as outbox
from tochka_core.webhooks.repository import digests as repository

EVERY = timedelta(hours=24)


async def write(connection: Connection) -> int:
    """Record digests that are due; how many streams were looked at, 0: none is left (jobs role)."""
    count, due = await repository.claim_due(connection, EVERY)
    for row in due:
        await outbox.record(
            connection,
            tenant_id=row["tenant_id"],
            type="digest",
            data=Digest(last_sequence=row["last_sequence"]),
            module_id=row["receiver"],
        )
    return count
