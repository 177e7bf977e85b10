"""Host → installation, in process: known at once, and forgotten at once when the database says so."""

from collections import OrderedDict
from typing import Any
from uuid import UUID

from tochka_sdk.db import Database, Listener
from tochka_sdk.installations import HeldLicense, Installation
from tochka_sdk.license import License
from tochka_sdk.repository import CHANNEL, InstallationStore

CAPACITY = 20_000


def installation_of(row: Any) -> Installation:
    """The installation that a row of `InstallationStore` describes."""
    claims = row.license_claims
    return Installation(
        id=row.installation_id,
        tenant_id=row.tenant_id,
        host=row.host or "",
        url=row.url or "",
        locale=row.locale,
        tenant_name=row.tenant_name or "",
        plan=row.plan,
        status=row.status,
        license=HeldLicense(License.model_validate(claims) if claims else None),
        settings=row.settings,
    )


def normal_host(header: str) -> str:
    """The host of a `Host` header: lower case, without port and final dot."""
    host = header.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")


class HostMap:
    """Which installation answers at a host.

    Every change is announced by NOTIFY in the transaction that makes it. While the listener hears, what was
    looked up once is answered from memory; while it does not (it reconnects, or PgBouncer stands between),
    every question goes to the database. So a change is seen at once, and never after a time-out.
    """

    def __init__(self, database: Database, dsn: str, *, listens: bool = True) -> None:
        self._database = database
        self._known: OrderedDict[str, Installation | None] = OrderedDict()
        self._generation = 0
        self._listens = listens
        self.listener = Listener(dsn, CHANNEL, on_notify=self._changed, on_connect=self.forget)

    async def find(self, host: str) -> Installation | None:
        """The served installation at a normalised host, or None."""
        if self.listener.is_listening and host in self._known:
            self._known.move_to_end(host)
            return self._known[host]
        generation = self._generation
        async with self._database.system("finds whose host this is") as session:
            row = await InstallationStore(session).find_by_host(host)
        found = installation_of(row) if row is not None else None
        if self.listener.is_listening and generation == self._generation:
            self._known[host] = found
            if len(self._known) > CAPACITY:
                self._known.popitem(last=False)
        return found

    def forget(self, installation_id: UUID | None = None) -> None:
        """Forget an installation and every host that nobody had; without an id, everything."""
        self._generation += 1
        if installation_id is None:
            self._known.clear()
            return
        stale = [host for host, known in self._known.items() if known is None or known.id == installation_id]
        for host in stale:
            del self._known[host]

    def _changed(self, payload: str) -> None:
        try:
            self.forget(UUID(payload))
        except ValueError:
            self.forget()

    async def run(self) -> None:
        """Listen for changes until cancelled."""
        if self._listens:
            await self.listener.run()
