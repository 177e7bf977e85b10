"""Queries on how far the module has read the platform's feed of its events."""

from datetime import timedelta

from sqlalchemy import or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tochka_sdk.clock import now
from tochka_sdk.tables import feed

BEGINNING = "0"


class Feed:
    """The one cursor of a module. Several processes may run: one of them reads at a time."""

    def __init__(self, session: AsyncSession, receiver: str) -> None:
        self._session = session
        self._own = feed.c.receiver == receiver
        self._receiver = receiver

    async def claim(self, lease: timedelta) -> str | None:
        """The cursor to read on from, nobody else's for a while; None when somebody else reads."""
        fresh = insert(feed).values(receiver=self._receiver, cursor=BEGINNING).on_conflict_do_nothing()
        await self._session.execute(fresh)
        claimed = (
            update(feed)
            .where(self._own, or_(feed.c.claimed_until.is_(None), feed.c.claimed_until <= now()))
            .values(claimed_until=now() + lease)
            .returning(feed.c.cursor)
        )
        found: str | None = await self._session.scalar(claimed)
        return found

    async def move(self, before: str, after: str, lease: timedelta) -> bool:
        """Read on to `after`, ours for as long again; False when somebody else has moved the cursor."""
        moved = (
            update(feed)
            .where(self._own, feed.c.cursor == before)
            .values(cursor=after, claimed_until=now() + lease)
        )
        return (await self._session.execute(moved.returning(feed.c.cursor))).first() is not None

    async def release(self) -> None:
        """Let others read."""
        await self._session.execute(update(feed).where(self._own).values(claimed_until=None))

    async def rewind(self) -> None:
        """Begin anew: the platform gives out its numbers anew."""
        await self._session.execute(update(feed).where(self._own).values(cursor=BEGINNING))
