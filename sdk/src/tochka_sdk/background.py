"""What a running module does unasked: hears of changes, renews keys and licenses, fills gaps, forgets."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tochka_sdk import clock, logs
from tochka_sdk.core_client import CoreRefused, CoreUnavailable
from tochka_sdk.db import Database
from tochka_sdk.errors import DomainError
from tochka_sdk.events import Envelope
from tochka_sdk.repository import EventLog, InstallationStore, Streams
from tochka_sdk.runtime import Runtime

KEEP_NOTES = timedelta(days=7)
KEEP_REFUSALS = timedelta(days=90)
KEEP_TICKETS = timedelta(days=1)
LEASE = timedelta(minutes=5)
_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often the work is looked for, in seconds."""

    keys: float = 600.0
    licenses: float = 30.0
    gaps: float = 5.0
    cleaning: float = 3600.0


class Background:
    """The background work of one module. Several processes may run it side by side: work is claimed by
    lease.
    """

    def __init__(self, runtime: Runtime, rhythm: Rhythm | None = None) -> None:
        self._runtime = runtime
        self._rhythm = rhythm or Rhythm()

    @property
    def _database(self) -> Database:
        return self._runtime.database

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._runtime.hosts.run(), name="hosts")
            group.create_task(_every(self._rhythm.keys, self._runtime.keys.refresh), name="keys")
            group.create_task(_every(self._rhythm.licenses, self.renew_licenses), name="licenses")
            group.create_task(_every(self._rhythm.gaps, self.fill_gaps), name="gaps")
            group.create_task(_every(self._rhythm.cleaning, self.clean), name="cleaning")

    async def renew_licenses(self) -> int:
        """Ask the core for a newer license of every installation past half-life; how many got one.

        What fails is asked again after a lease of five minutes; meanwhile the held license lives on until
        its grace ends.
        """
        async with self._database.system("claims licenses past their half-life") as session:
            due = await InstallationStore(session).claim_refreshes(LEASE)
        renewed = 0
        for installation_id in due:
            try:
                renewed += await self._renew(installation_id)
            except (CoreUnavailable, CoreRefused, DomainError) as error:
                _log.info("license.not_renewed", installation_id=str(installation_id), error_code=error.code)
        return renewed

    async def _renew(self, installation_id: UUID) -> bool:
        token = await self._runtime.core.license(installation_id)
        found = await self._runtime.keys.read_license(token)
        if found.sub != installation_id:
            _log.warning("license.misdirected", installation_id=str(installation_id))
            return False
        async with self._database.system("stores a renewed license") as session:
            store = InstallationStore(session)
            kept = await store.keep_license(token, found)
            if kept:
                await store.notify(installation_id)
        if kept:
            self._runtime.hosts.forget(installation_id)
        return kept

    async def fill_gaps(self) -> int:
        """Fetch the events that never came, tenant by tenant; how many had an effect."""
        filled = 0
        while True:
            async with self._database.system("claims a tenant with missing events") as session:
                due = await Streams(session).claim_gap(LEASE)
            if due is None:
                return filled
            try:
                filled += await self._fill(*due)
            except DomainError as error:
                _log.info("events.gap_not_filled", tenant_id=str(due[0]), error_code=error.code)

    async def _fill(self, tenant_id: UUID, after: int) -> int:
        filled, cursor = 0, str(after)
        while True:
            page, following = await self._runtime.core.events(tenant_id, cursor)
            for envelope in page:
                if envelope.tenant_id != tenant_id:
                    continue
                filled += await self._process(envelope)
            if following is None or following == cursor or not page:
                _log.info("events.gap_filled", tenant_id=str(tenant_id), after=after, events=filled)
                return filled
            cursor = following

    async def _process(self, envelope: Envelope) -> int:
        try:
            outcome = await self._runtime.intake.process(envelope)
        except DomainError as error:
            _log.warning("events.backfill_refused", event_id=envelope.id, error_code=error.code)
            return 0
        return int(outcome.word in {"done", "accepted"})

    async def clean(self) -> None:
        """Forget events older than a week (below the unbroken run), used tickets, ended sessions."""
        moment = clock.now()
        async with self._database.system("forgets what cannot be repeated any more") as session:
            await EventLog(session).forget(moment - KEEP_NOTES, moment - KEEP_REFUSALS, moment - KEEP_TICKETS)


async def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do the work, rest, and again; a failure is logged and does not end it."""
    while True:
        try:
            await work()
        except Exception as error:
            _log.warning("background.failed", work=work.__name__, reason=type(error).__name__, exc_info=error)
        await asyncio.sleep(seconds)
