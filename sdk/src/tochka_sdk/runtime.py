"""What a running module is made of, and how a request reaches it."""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from starlette.requests import HTTPConnection

from tochka_sdk.core_client import CoreClient
from tochka_sdk.db import Database
from tochka_sdk.hosts import HostMap
from tochka_sdk.intake import Intake
from tochka_sdk.keys import PlatformKeys
from tochka_sdk.manifest import Manifest
from tochka_sdk.repository import InstallationStore, Proof, Streams
from tochka_sdk.settings import ModuleSettings

SCOPE_KEY = "tochka.runtime"


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of one running module; `app.state.tochka`."""

    module_id: str
    manifest: Manifest
    admin_path: str
    settings: ModuleSettings
    database: Database
    core: CoreClient
    keys: PlatformKeys
    hosts: HostMap
    intake: Intake

    @property
    def cookie(self) -> str:
        """The name of the admin's session cookie."""
        return "__Host-tochka_admin" if self.settings.is_secure else "tochka_admin"

    async def ready(self, installation_id: UUID) -> None:
        """The installation whose request was answered by `Accepted` is made: tell the core, then serve it as
        live.

        Raises:
            tochka_sdk.core_client.CoreRefused: too late, or nobody waits for it; `installation.removed`
            follows. tochka_sdk.core_client.CoreUnavailable: the core is away; say it again.
        """
        await self.core.ready(installation_id)
        async with self.database.system("an installation is ready") as session:
            store = InstallationStore(session)
            await store.finish_provisioning(installation_id)
            await store.notify(installation_id)
        self.hosts.forget(installation_id)

    async def proof(self, tenant_id: UUID) -> Proof:
        """What can be said of one tenant's events: up to where all had their effect, whether any is missing,
        and until when nothing is. A tenant that was never heard of has an empty one.
        """
        async with self.database.system("reads how far a tenant's events have come") as session:
            return await Streams(session).proof(tenant_id)

    async def failed(self, installation_id: UUID, *, code: str, detail: str) -> None:
        """The installation cannot be made: `code` is stable, `detail` a sentence for the owner. Errors as
        above.

        The core undoes the activation and sends `installation.removed`, which does the rest here.
        """
        await self.core.failed(installation_id, code=code, detail=detail)


def runtime_of(connection: HTTPConnection) -> Runtime:
    """The module that serves a request."""
    return cast("Runtime", connection.scope[SCOPE_KEY])
