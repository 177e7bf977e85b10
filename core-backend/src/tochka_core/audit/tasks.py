"""The sealer: puts what was recorded under seal, and says now and then in the log where the chain stands.

Any number of processes may run it; one seals at a time. One that dies leaves an uncommitted transaction, and
what it had taken waits again.
"""

import asyncio
import time

from prometheus_client import Counter
from tochka_sdk import logs
from tochka_sdk.errors import Unavailable

from tochka_core.audit import checkpoints, service
from tochka_core.keyring import Keyring
from tochka_core.resources import Resources

IDLE_S = 1.0
LONGEST_PAUSE_S = 30.0
TOLD_EVERY_S = 3600.0
SEALED = Counter("tochka_audit_sealed", "Entries of the audit trail that were put under seal.")
FAILURES = Counter("tochka_audit_failures", "Rounds of the audit trail's sealer that failed.")
_log = logs.get_logger(__name__)


async def run(resources: Resources, stop: asyncio.Event) -> None:
    """Seal until `stop`. `resources` are those of the jobs role."""
    await _Sealer(resources, stop).run()


class _Sealer:
    """One process's."""

    def __init__(self, resources: Resources, stop: asyncio.Event) -> None:
        self._resources = resources
        self._stop = stop
        self._recorded: Keyring | None = None
        self._tell_at: float = 0.0
        self._told = ""

    async def run(self) -> None:
        """Repeat until told to stop: at once while much waits, more and more slowly while it fails."""
        failures = 0
        while not self._stop.is_set():
            try:
                pause = 0.0 if await self._seal() else IDLE_S
                await self._tell()
                failures = 0
            except Exception as error:
                failures += 1
                FAILURES.inc()
                pause = min(0.1 * 2**failures, LONGEST_PAUSE_S)
                _report(error, failures)
            await self._rest(pause)

    async def _seal(self) -> bool:
        """Put a batch under seal; whether more may wait. A key stands in the trail before it signs."""
        keys, connections = self._resources.keyring, self._resources.connections
        if keys is not self._recorded:
            async with connections.system("records which keys sign") as connection:
                await service.record_rotations(connection, keys.rotations)
            self._recorded = keys
        async with connections.system("seals all tenants' audit entries") as connection:
            count = await service.seal(connection, keys, self._resources.addresses.issuer)
        SEALED.inc(count)
        return count == service.BATCH

    async def _tell(self) -> None:
        """Log the newest checkpoint, if there is a new one: logs are kept elsewhere."""
        if time.monotonic() < self._tell_at:
            return
        async with self._resources.connections.system("reads the newest checkpoint") as connection:
            newest = await service.find_checkpoint(connection)
        if newest is not None and newest != self._told:
            _log.info("audit.checkpoint", **checkpoints.flattened(newest))
            self._told = newest
            self._tell_at = time.monotonic() + TOLD_EVERY_S

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return


def _report(error: Exception, failures: int) -> None:
    """Log a failure; the trace only where it tells something: a database that is away is away."""
    if isinstance(error, Unavailable):
        _log.warning("audit.not_sealed", reason=error.code, failures=failures)
    else:
        _log.error("audit.not_sealed", exc_info=error, failures=failures)
