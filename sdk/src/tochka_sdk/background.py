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
from tochka_sdk.gaps import Gaps
from tochka_sdk.repository import EventLog, InstallationStore
from tochka_sdk.runtime import Runtime

KEEP_NOTES = timedelta(days=7)
KEEP_REFUSALS = timedelta(days=90)
KEEP_TICKETS = timedelta(days=1)
LEASE = timedelta(minutes=5)
FILLERS = 2
_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often the work is looked for, in seconds."""

    keys: float = 600.0
    licenses: float = 30.0
    gaps: float = 5.0
    cleaning: float = 3600.0
    feed: float = 600.0


class Background:
    """The background work of one module. Several processes may run it side by side: work is claimed by
    lease.
    """

    def __init__(self, runtime: Runtime, rhythm: Rhythm | None = None) -> None:
        self._runtime = runtime
        self._rhythm = rhythm or Rhythm()
        self._gaps = Gaps(runtime.database, runtime.core, runtime.intake)

    @property
    def _database(self) -> Database:
        return self._runtime.database

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._runtime.hosts.run(), name="hosts")
            group.create_task(_every(self._rhythm.keys, self._runtime.keys.refresh), name="keys")
            group.create_task(_every(self._rhythm.licenses, self.renew_licenses), name="licenses")
            for _ in range(FILLERS):  # a handler that hangs keeps one of them busy
                group.create_task(_every(self._rhythm.gaps, self.fill_gaps), name="gaps")
            group.create_task(_every(self._rhythm.feed, self.reconcile), name="feed")
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
        """Fetch the events that never came; how many had an effect. See `tochka_sdk.gaps`."""
        return await self._gaps.fill()

    async def reconcile(self) -> None:
        """Ask the core what there is, to the end of its feed."""
        is_more = True
        while is_more:
            is_more = await self._gaps.reconcile()

    async def clean(self) -> None:
        """Forget old notes of events below their stream's watermark, used tickets, ended sessions."""
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
