"""Queries on the notes of events: which of those above the unbroken run, and lately below it, were there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    SmallInteger,
    Text,
    Uuid,
    and_,
    delete,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tochka_sdk.clock import now
from tochka_sdk.events import Envelope
from tochka_sdk.tables import admin_sessions, events, sequences, tickets

REFUSED = 400
"""Answers from here on are a final no."""
_NOTED = ("event_id", "tenant_id", "sequence", "type", "answer", "received_at")


@dataclass(frozen=True, slots=True)
class Note:
    """An event that had its effect, or its final no."""

    event_id: str
    sequence: int
    answer: int


class EventLog:
    """The notes of one module's events. An event is known by its number and by its id: either is enough."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, event: Envelope) -> bool:
        """Note the event, unless it lies below the unbroken run or is noted already; whether it was new.

        Waits for a concurrent delivery of the same event: when that one commits, this one is not new.
        """
        run = select(sequences.c.tenant_id).where(
            sequences.c.tenant_id == event.tenant_id, sequences.c.last_sequence >= event.sequence
        )
        return await self._insert(event, ~run.exists())

    async def add_anew(self, event: Envelope) -> bool:
        """Note an event whose number lies below the unbroken run; whether nobody else did at this moment."""
        return await self._insert(event, literal(value=True))

    async def _insert(self, event: Envelope, condition: object) -> bool:
        row = select(
            literal(event.id, Text),
            literal(event.tenant_id, Uuid),
            literal(event.sequence, BigInteger),
            literal(event.type, Text),
            literal(200, SmallInteger),
            literal(now(), DateTime(timezone=True)),
        ).where(condition)  # type: ignore[arg-type]  # one of the two above
        statement = insert(events).from_select(list(_NOTED), row).on_conflict_do_nothing()
        return (await self._session.execute(statement.returning(events.c.event_id))).first() is not None

    async def list_notes(self, event: Envelope) -> Sequence[Note]:
        """What is noted under the event's id or its number; at most one of each."""
        place = and_(events.c.tenant_id == event.tenant_id, events.c.sequence == event.sequence)
        columns = (events.c.event_id, events.c.sequence, events.c.answer)
        query = select(*columns).where(or_(events.c.event_id == event.id, place))
        return [Note(*row) for row in await self._session.execute(query)]

    async def drop_older(self, event: Envelope) -> None:
        """Drop the notes from the event's number on that are older than it is: ids sort by time."""
        await self._session.execute(
            delete(events).where(
                events.c.tenant_id == event.tenant_id,
                events.c.sequence >= event.sequence,
                events.c.event_id < event.id,
            )
        )

    async def set_answer(self, event_id: str, status: int) -> None:
        """Remember an answer other than 200, which a repetition of the event gets as well."""
        await self._session.execute(update(events).where(events.c.event_id == event_id).values(answer=status))

    async def forget(
        self, events_before: datetime, refused_before: datetime, tickets_before: datetime
    ) -> None:
        """Drop old notes below the unbroken run, which keeps repetitions out by itself, used tickets and
        ended sessions.
        """
        run = select(sequences.c.last_sequence).where(sequences.c.tenant_id == events.c.tenant_id)
        old = or_(
            and_(events.c.received_at < events_before, events.c.answer < REFUSED),
            events.c.received_at < refused_before,
        )
        await self._session.execute(delete(events).where(old, events.c.sequence <= run.scalar_subquery()))
        await self._session.execute(delete(tickets).where(tickets.c.used_at < tickets_before))
        await self._session.execute(delete(admin_sessions).where(admin_sessions.c.expires_at < now()))

    async def known_name(self, tenant_id: UUID) -> tuple[str, int]:
        """The tenant's name and the number of the event that told it; -1 when none did."""
        query = select(sequences.c.tenant_name, sequences.c.name_sequence)
        row = (await self._session.execute(query.where(sequences.c.tenant_id == tenant_id))).first()
        return (row.tenant_name, row.name_sequence) if row is not None else ("", -1)
