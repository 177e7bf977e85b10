"""How long deliveries are kept: whole months, forgotten together with what they told of."""

from tochka_sdk import clock
from tochka_sdk.db import Connection

from tochka_core.webhooks.repository import months as repository

PORTION = 1000


async def keep(connection: Connection, kept: int) -> int:
    """Have partitions for the months to come, and drop those that are older than the `kept` months before
    this one, unless something waits in them; how many were dropped (jobs role).
    """
    return await repository.keep_months(connection, clock.now(), kept)


async def forget_events(connection: Connection, kept: int) -> int:
    """Delete a portion of the events that nobody was told of any more; `PORTION`: there may be more."""
    return await repository.forget_events(connection, clock.now(), kept, PORTION)
