"""Fetches what never came: events that are missing below one that did, and events that nothing followed.

A stream with a hole is filled from the platform's feed of that tenant, through the same intake as what is
delivered. That there is more than came at all is noticed by reading on in the feed of all tenants, from where
it was left: at the start of a process, also after weeks, and every ten minutes. Reading on has no effects of
its own; it tells the streams what there is, and what they miss is filled as any hole.
"""

import asyncio
from collections import defaultdict
from datetime import timedelta
from uuid import UUID

from tochka_sdk import logs
from tochka_sdk.core_client import CoreClient, CoreUnavailable
from tochka_sdk.db import Database
from tochka_sdk.errors import Conflict, DomainError, Malformed
from tochka_sdk.events import Envelope, EventInvalid
from tochka_sdk.intake import GAP_PATIENCE, Intake
from tochka_sdk.repository import Feed, Streams

STREAMS = 20
PAGES = 10
"""The work of one turn: so many streams, so many pages of each; whoever has more stands at the end again."""
HANDLER_S = 60.0
LEASE = timedelta(minutes=5)
READING = timedelta(minutes=1)
AGAIN = timedelta(minutes=1)
_log = logs.get_logger(__name__)


class Gaps:
    """The missing events of one module. Several processes may look for them: work is claimed by lease.

    A handler that takes longer than `handler_s` seconds is given up, and tried again later.
    """

    def __init__(
        self, database: Database, core: CoreClient, intake: Intake, *, handler_s: float = HANDLER_S
    ) -> None:
        self._handler_s = handler_s
        self._database = database
        self._core = core
        self._intake = intake

    async def fill(self) -> int:
        """Fetch what is missing, stream by stream, those first that have waited longest; how many events had
        an effect. What hinders one stream is tried again in a minute, and hinders no other.
        """
        filled = 0
        for _ in range(STREAMS):
            async with self._database.system("claims a tenant with missing events") as session:
                due = await Streams(session).claim_gap(LEASE)
            if due is None:
                break
            filled += await _Filling(self, *due).run()
        return filled

    async def reconcile(self) -> bool:
        """Read on in the feed of all tenants; whether there is more to read."""
        async with self._database.system("claims the feed of the module's events") as session:
            cursor = await Feed(session, self._intake.module_id).claim(READING)
        if cursor is None:
            return False
        try:
            for _ in range(PAGES):
                following = await self._read_on(cursor)
                if following is None:
                    return False
                cursor = following
        except CoreUnavailable as error:
            _log.info("events.not_reconciled", error_code=error.code)
            return False
        finally:
            async with self._database.system("gives the feed of the module's events back") as session:
                await Feed(session, self._intake.module_id).release()
        return True

    async def _read_on(self, cursor: str) -> str | None:
        """Tell the streams of one page; the cursor of the next one, None when that was the last."""
        page, following, is_more = await self._core.feed(cursor)
        told: defaultdict[UUID, int] = defaultdict(int)
        for envelope in page:
            told[envelope.tenant_id] = max(told[envelope.tenant_id], envelope.sequence)
        async with self._database.system("notes what the platform has for all tenants") as session:
            if not await Feed(session, self._intake.module_id).move(cursor, following, READING):
                return None
            behind = await Streams(session).tell(told, GAP_PATIENCE)
        if behind:
            _log.info("events.reconciled", events=len(page), streams_behind=behind, cursor=following)
        return following if is_more else None


class _Filling:
    """One turn at one stream."""

    def __init__(self, gaps: Gaps, tenant_id: UUID, watermark: int) -> None:
        self._database = gaps._database
        self._core = gaps._core
        self._intake = gaps._intake
        self._handler_s = gaps._handler_s
        self._tenant_id = tenant_id
        self._at = watermark
        self._filled = 0

    async def run(self) -> int:
        """Fetch and process, page by page; how many events had an effect."""
        facts = {"tenant_id": str(self._tenant_id), "after": self._at}
        try:
            is_more = await self._pages()
        except CoreUnavailable as error:
            _log.info("events.gap_not_filled", error_code=error.code, **facts)
            await self._look_again(AGAIN)
        except Exception as error:
            # whatever a handler may raise: it is this tenant's, and the others must not wait for it
            trace = None if isinstance(error, DomainError) else error
            reason = error.code if isinstance(error, DomainError) else type(error).__name__
            _log.warning("events.stuck", sequence=self._at + 1, reason=reason, exc_info=trace, **facts)
            await self._look_again(AGAIN)
        else:
            _log.info("events.gap_filled", events=self._filled, to=self._at, is_more=is_more, **facts)
            if is_more:
                await self._look_again(timedelta(0))
        return self._filled

    async def _pages(self) -> bool:
        cursor = str(self._at)
        for _ in range(PAGES):
            page, following = await self._core.events(self._tenant_id, cursor)
            for envelope in page:
                await self._next(envelope)
            if following is None or following == cursor or not page:
                return False
            cursor = following
            await self._look_again(LEASE)
        return True

    async def _next(self, envelope: Envelope) -> None:
        if envelope.tenant_id != self._tenant_id or envelope.sequence <= self._at:
            return
        if envelope.sequence > self._at + 1:
            await self._pass_over(envelope.sequence)
        try:
            async with asyncio.timeout(self._handler_s):
                outcome = await self._intake.process(envelope)
            self._filled += outcome.word in {"done", "accepted"}
        except (Conflict, Malformed, EventInvalid) as error:
            _log.warning("events.backfill_refused", event_id=envelope.id, error_code=error.code)
        self._at = envelope.sequence

    async def _pass_over(self, before: int) -> None:
        """The feed knows no hole of its own: what it leaves out, the platform has deleted by its age."""
        async with self._database.system("counts events that the platform has no more") as session:
            lost = await Streams(session).pass_over(self._tenant_id, self._at, before)
        if lost:
            _log.error("events.lost", tenant_id=str(self._tenant_id), before=before, events=lost)

    async def _look_again(self, wait: timedelta) -> None:
        async with self._database.system("says when to look at a tenant's events again") as session:
            await Streams(session).look_again(self._tenant_id, wait)
