"""The daily digest: every module is told how many events of each tenant there are for it, so that it can tell
silence from loss.
"""

from datetime import timedelta
from typing import Any

from tochka_sdk.db import Connection
from tochka_sdk.events import Digest

from tochka_core.outbox import public as outbox
from tochka_core.webhooks.repository import digests as repository

EVERY = timedelta(hours=24)


async def write(connection: Connection) -> int:
    """Record digests that are due; how many streams were looked at, 0: none is left (jobs role).

    A digest and the note that it was written are one transaction: it is never left out, and never doubled.
    """
    due = await repository.claim_due(connection, EVERY)
    told = [outbox.News(row["tenant_id"], row["receiver"], _digest(row)) for row in due if row["is_told"]]
    await outbox.record_all(connection, "digest", told)
    return len(due)


def _digest(row: Any) -> Digest:
    last = row["last_sequence"]
    return Digest(last_sequence=last, events=last - row["sequence_before"], since=row["since"])
