"""What a running module is made of, and how a request reaches it."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection

from tochka_sdk.core_client import CoreClient
from tochka_sdk.db import Database
from tochka_sdk.hosts import HostMap
from tochka_sdk.intake import Intake
from tochka_sdk.keys import PlatformKeys
from tochka_sdk.manifest import Manifest
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


def runtime_of(connection: HTTPConnection) -> Runtime:
    """The module that serves a request."""
    return cast("Runtime", connection.scope[SCOPE_KEY])
