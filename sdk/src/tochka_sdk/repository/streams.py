"""Queries on streams: one row for all events of one tenant, with how far they came without a hole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Row, and_, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tochka_sdk.clock import now
from tochka_sdk.events import Digest, Envelope
from tochka_sdk.tables import events, sequences

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_FRESH = {
    "last_sequence": 0,
    "highest_sequence": 0,
    "tenant_name": "",
    "name_sequence": -1,
    "newest_at": LONG_AGO,
}


@dataclass(frozen=True, slots=True)
class Proof:
    """What a module has of one tenant's events.

    Every event up to the number `watermark` had its effect; `missing` says that the platform has told of
    later ones that are not all here. `proved_until` is the moment of the newest digest all of whose events
    are here: nothing that happened before it is missing; None until there was one. `lost` counts events that
    the platform itself did not have any more when they were asked for.
    """

    watermark: int = 0
    missing: bool = False
    proved_until: datetime | None = None
    lost: int = 0


class Streams:
    """The streams of one module: it is the receiver, so the tenant alone names one."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def advance(
        self, event: Envelope, *, wait: timedelta, digest: Digest | None = None, name: str | None = None
    ) -> tuple[Proof, bool]:
        """Count a noted event in, and what it tells of the stream itself; whether more is proved by that.

        Holds the stream's row until the transaction ends: the last thing that a transaction does, so that
        events of one tenant wait for each other no longer than a commit takes. What is missing is looked
        into after `wait`.
        """
        row = await self._held(event.tenant_id)
        last = row.last_sequence
        # what happened before the digest may have been numbered after it was written, and before it itself
        digest_sequence = max(event.sequence, digest.last_sequence if digest else 0)
        highest = max(row.highest_sequence, digest_sequence)
        if event.sequence == last + 1:
            last = event.sequence
        if last < highest:
            last = await self._contiguous(event.tenant_id, last)
        values: dict[str, Any] = {
            "last_sequence": last,
            "highest_sequence": highest,
            "gap_check_at": None if last == highest else row.gap_check_at or now() + wait,
            "newest_at": max(row.newest_at, event.timestamp),
        }
        if name is not None and row.name_sequence < event.sequence:
            values.update(tenant_name=name, name_sequence=event.sequence)
        until, told = row.digest_at, row.digest_sequence
        if digest is not None and (until is None or until < event.timestamp):
            until, told = event.timestamp, digest_sequence
            values.update(digest_at=until, digest_sequence=told)
        proved = until if until is not None and last >= told else row.proved_until
        await self._write(event.tenant_id, **values, proved_until=proved)
        return Proof(last, last < highest, proved, row.lost), proved != row.proved_until

    async def _held(self, tenant_id: UUID) -> Row[Any]:
        """The stream's row, made if need be, held until the transaction ends."""
        query = select(sequences).where(sequences.c.tenant_id == tenant_id).with_for_update(key_share=True)
        row = (await self._session.execute(query)).first()
        if row is None:
            fresh = insert(sequences).values(tenant_id=tenant_id, **_FRESH).on_conflict_do_nothing()
            await self._session.execute(fresh)
            row = (await self._session.execute(query)).one()
        return row

    async def _write(self, tenant_id: UUID, **values: Any) -> None:
        await self._session.execute(
            update(sequences).where(sequences.c.tenant_id == tenant_id).values(**values)
        )

    async def _contiguous(self, tenant_id: UUID, last: int) -> int:
        """The highest number below which none is missing. Reads what others committed before the row was
        held.
        """
        run = select(literal(last, BigInteger).label("n")).cte("run", recursive=True)
        following = select(events.c.sequence).join(
            run, and_(events.c.tenant_id == tenant_id, events.c.sequence == run.c.n + 1)
        )
        run = run.union_all(following)
        return int((await self._session.scalar(select(func.max(run.c.n)))) or last)

    async def tell(self, told: Mapping[UUID, int], wait: timedelta) -> int:
        """Take note that there are events up to these numbers; how many tenants' were not known of."""
        if not told:
            return 0
        rows = [
            {**_FRESH, "tenant_id": tenant_id, "highest_sequence": number, "gap_check_at": now() + wait}
            for tenant_id, number in sorted(told.items())
        ]
        statement = insert(sequences).values(rows)
        changed = statement.on_conflict_do_update(
            index_elements=[sequences.c.tenant_id],
            set_={
                "highest_sequence": statement.excluded.highest_sequence,
                "gap_check_at": func.coalesce(sequences.c.gap_check_at, statement.excluded.gap_check_at),
            },
            where=sequences.c.highest_sequence < statement.excluded.highest_sequence,
        )
        return len((await self._session.execute(changed.returning(sequences.c.tenant_id))).all())

    async def claim_gap(self, lease: timedelta) -> tuple[UUID, int] | None:
        """The stream that has waited longest for what is missing in it, and its watermark; nobody else gets
        it for a while.
        """
        due = (
            select(sequences.c.tenant_id)
            .where(
                sequences.c.highest_sequence > sequences.c.last_sequence,
                sequences.c.gap_check_at <= now(),
            )
            .order_by(sequences.c.gap_check_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        claimed = (
            update(sequences)
            .where(sequences.c.tenant_id.in_(due))
            .values(gap_check_at=now() + lease)
            .returning(sequences.c.tenant_id, sequences.c.last_sequence)
        )
        row = (await self._session.execute(claimed)).first()
        return (row.tenant_id, row.last_sequence) if row is not None else None

    async def look_again(self, tenant_id: UUID, wait: timedelta) -> None:
        """Look into what is missing in a stream after `wait`, if anything still is."""
        await self._session.execute(
            update(sequences)
            .where(sequences.c.tenant_id == tenant_id, sequences.c.gap_check_at.is_not(None))
            .values(gap_check_at=now() + wait)
        )

    async def pass_over(self, tenant_id: UUID, after: int, before: int) -> int:
        """Go on at the number `before`, whatever is missing between it and `after`; how many events those
        are. Does nothing while something up to `after` is missing.
        """
        row = await self._held(tenant_id)
        if not after <= row.last_sequence < before - 1:
            return 0
        here = select(func.count()).where(
            events.c.tenant_id == tenant_id,
            events.c.sequence > row.last_sequence,
            events.c.sequence < before,
        )
        lost: int = before - 1 - row.last_sequence - int(await self._session.scalar(here) or 0)
        last = await self._contiguous(tenant_id, before - 1)
        highest = max(row.highest_sequence, last)
        await self._write(
            tenant_id, last_sequence=last, highest_sequence=highest, lost=sequences.c.lost + lost
        )
        return lost

    async def set_back(self, event: Envelope) -> None:
        """Count on from the event's number: the platform gives it out, and those after it, anew."""
        row = await self._held(event.tenant_id)
        noted = select(func.max(events.c.sequence)).where(events.c.tenant_id == event.tenant_id)
        await self._write(
            event.tenant_id,
            last_sequence=min(row.last_sequence, event.sequence - 1),
            highest_sequence=int(await self._session.scalar(noted) or 0),
            digest_sequence=0,
            digest_at=None,
        )

    async def newest_at(self, tenant_id: UUID) -> datetime:
        """The latest moment that any event of the stream tells of."""
        query = select(sequences.c.newest_at).where(sequences.c.tenant_id == tenant_id)
        return (await self._session.scalar(query)) or LONG_AGO

    async def count_behind(self) -> int:
        """How many streams have something missing."""
        behind = sequences.c.highest_sequence > sequences.c.last_sequence
        return int(await self._session.scalar(select(func.count()).select_from(sequences).where(behind)) or 0)

    async def proof(self, tenant_id: UUID) -> Proof:
        """What is known of one stream."""
        query = select(sequences).where(sequences.c.tenant_id == tenant_id)
        row = (await self._session.execute(query)).first()
        if row is None:
            return Proof()
        missing = row.highest_sequence > row.last_sequence
        return Proof(row.last_sequence, missing, row.proved_until, row.lost)
