"""What a module may read of its own events."""

from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.webhooks.errors import FeedCursorInvalid
from tochka_core.webhooks.repository import feed as repository
from tochka_core.webhooks.schemas import Feed
from tochka_core.webhooks.service.bodies import envelope


async def read(connection: Connection, receiver: str, tenant_id: UUID | None, after: str, limit: int) -> Feed:
    """What a receiver has been given after a position: nothing that was committed is ever passed over."""
    rows = await repository.list_feed(connection, receiver, tenant_id, _position(after), limit + 1)
    shown = rows[:limit]
    cursor = str(shown[-1]["cursor"]) if shown else after
    items = [envelope(row, receiver) for row in shown]
    return Feed(items=items, next_cursor=cursor if len(rows) > limit else None, cursor=cursor)


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise FeedCursorInvalid
    return int(text)
