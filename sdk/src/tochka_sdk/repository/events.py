"""Which events had their effect, and what can be forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Row, and_, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tochka_sdk.clock import now
from tochka_sdk.events import Envelope
from tochka_sdk.tables import admin_sessions, events, sequences, tickets


class EventLog:
    """Which events had their effect, and up to where they came without a hole."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, event: Envelope) -> bool:
        """Note the event; False when it was noted before. Waits for a concurrent delivery of the same
        event.
        """
        statement = (
            insert(events)
            .values(
                event_id=event.id,
                tenant_id=event.tenant_id,
                sequence=event.sequence,
                type=event.type,
                answer=200,
                received_at=now(),
            )
            .on_conflict_do_nothing(index_elements=[events.c.event_id])
            .returning(events.c.event_id)
        )
        return (await self._session.execute(statement)).first() is not None

    async def is_forgotten(self, event: Envelope) -> bool:
        """Whether an event that was just noted had been there before, and its note was dropped since: it lies
        below the unbroken run, and no other event has its place there.

        Another one in its place means that the platform gives out numbers anew, as it does when it was
        restored from a backup: then it is news.
        """
        if event.sequence == 0:
            return False
        place = and_(events.c.tenant_id == event.tenant_id, events.c.sequence == event.sequence)
        other = exists().where(place, events.c.event_id != event.id)
        below = and_(sequences.c.tenant_id == event.tenant_id, sequences.c.last_sequence >= event.sequence)
        found = await self._session.execute(select(~other).select_from(sequences).where(below))
        return bool(found.scalar())

    async def completeness(self, tenant_id: UUID) -> tuple[int, int]:
        """Up to which sequence nothing is missing, and the highest that is known of; alike: all is there."""
        query = select(sequences.c.last_sequence, sequences.c.highest_sequence)
        row = (await self._session.execute(query.where(sequences.c.tenant_id == tenant_id))).first()
        return (0, 0) if row is None else (row.last_sequence, row.highest_sequence)

    async def answer_to(self, event_id: str) -> int:
        """The status that an event was answered with, which its repetition gets as well."""
        found = await self._session.scalar(select(events.c.answer).where(events.c.event_id == event_id))
        return int(found or 200)

    async def set_answer(self, event_id: str, status: int) -> None:
        """Remember an answer other than 200."""
        await self._session.execute(update(events).where(events.c.event_id == event_id).values(answer=status))

    async def advance(self, event: Envelope, told: int, wait: timedelta) -> bool:
        """Take note of an event's sequence, and that there are events up to `told`; True while one below is
        missing, which is looked into after `wait`.
        """
        row = await self._locked(event.tenant_id)
        last, highest = row.last_sequence, row.highest_sequence
        if last == highest and event.sequence == last + 1:
            last += 1
        else:
            last = await self._contiguous(event.tenant_id, last)
        highest = max(highest, event.sequence, told, last)
        check_at = None if highest == last else row.gap_check_at or now() + wait
        await self._session.execute(
            update(sequences)
            .where(sequences.c.tenant_id == event.tenant_id)
            .values(last_sequence=last, highest_sequence=highest, gap_check_at=check_at)
        )
        return bool(highest > last)

    async def _locked(self, tenant_id: UUID) -> Row[Any]:
        """The tenant's row, made if need be, held until the transaction ends."""
        new = {
            "tenant_id": tenant_id,
            "last_sequence": 0,
            "highest_sequence": 0,
            "tenant_name": "",
            "name_sequence": -1,
        }
        statement = insert(sequences).values(new)
        kept = {"tenant_id": statement.excluded.tenant_id}
        statement = statement.on_conflict_do_update(index_elements=[sequences.c.tenant_id], set_=kept)
        row: Row[Any] = (await self._session.execute(statement.returning(sequences))).one()
        return row

    async def _contiguous(self, tenant_id: UUID, last: int) -> int:
        """The highest sequence below which none is missing."""
        run = select(literal(last, BigInteger).label("n")).cte("run", recursive=True)
        following = (
            select(events.c.sequence)
            .distinct()
            .join(run, and_(events.c.tenant_id == tenant_id, events.c.sequence == run.c.n + 1))
        )
        run = run.union_all(following)
        return int((await self._session.scalar(select(func.max(run.c.n)))) or last)

    async def claim_gaps(self, lease: timedelta, limit: int = 20) -> Sequence[tuple[UUID, int]]:
        """Tenants with a hole whose time has come, as (tenant, last sequence); nobody else gets them for a
        while.
        """
        due = (
            select(sequences.c.tenant_id)
            .where(
                sequences.c.highest_sequence > sequences.c.last_sequence,
                sequences.c.gap_check_at <= now(),
            )
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = (
            update(sequences)
            .where(sequences.c.tenant_id.in_(due))
            .values(gap_check_at=now() + lease)
            .returning(sequences.c.tenant_id, sequences.c.last_sequence)
        )
        return [(row.tenant_id, row.last_sequence) for row in await self._session.execute(claimed)]

    async def rename_tenant(self, tenant_id: UUID, name: str, sequence: int) -> bool:
        """Store the tenant's name unless a later event already did; after `advance`, which made the row."""
        changed = await self._session.execute(
            update(sequences)
            .where(sequences.c.tenant_id == tenant_id, sequences.c.name_sequence < sequence)
            .values(tenant_name=name, name_sequence=sequence)
            .returning(sequences.c.tenant_id)
        )
        return changed.first() is not None

    async def forget(self, events_before: datetime, tickets_before: datetime) -> None:
        """Drop what can no longer be repeated: old events below the unbroken run, used tickets, ended
        sessions.
        """
        unbroken = select(sequences.c.last_sequence).where(sequences.c.tenant_id == events.c.tenant_id)
        await self._session.execute(
            delete(events).where(
                events.c.received_at < events_before, events.c.sequence <= unbroken.scalar_subquery()
            )
        )
        await self._session.execute(delete(tickets).where(tickets.c.used_at < tickets_before))
        await self._session.execute(delete(admin_sessions).where(admin_sessions.c.expires_at < now()))
