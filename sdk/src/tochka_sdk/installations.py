"""Whose copy of the module is being served: `current_installation()` and its license."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from tochka_sdk.db import Scope
from tochka_sdk.errors import Forbidden, NotFound
from tochka_sdk.license import Access, Entitlement, License

Status = Literal["announced", "provisioning", "live", "suspended", "removed"]


class InstallationUnknown(NotFound):
    """404: no installation of this module answers at this host."""

    code = "installations.unknown"


class InstallationClosed(Forbidden):
    """403: the license of this installation is closed."""

    code = "installations.closed"


class OutsideInstallation(RuntimeError):
    """`current_installation()` was asked where none is being served. A mistake in the program."""


@dataclass(frozen=True, slots=True)
class HeldLicense:
    """The license that an installation holds, read against the clock at every question."""

    license: License | None = None

    @property
    def access(self) -> Access:
        """`full`, `limited` or `closed` at this moment; without a license, and after its grace, `closed`."""
        return self.license.access_at() if self.license else "closed"

    @property
    def status(self) -> str:
        """The subscription's own word for its state ("trialing", "active", …), for people; empty when
        unknown.
        """
        return self.license.status if self.license else ""

    @property
    def plan(self) -> str:
        """The plan's code; empty when unknown."""
        return self.license.plan if self.license else ""

    @property
    def version(self) -> int:
        """Only grows; -1 when there is no license."""
        return self.license.version if self.license else -1

    @property
    def entitlements(self) -> Mapping[str, Entitlement]:
        """What was bought, by key."""
        return MappingProxyType(self.license.entitlements if self.license else {})

    def allows(self, key: str) -> bool:
        """Whether a feature is bought and access is not closed. See `License.allows`."""
        return self.license is not None and self.license.allows(key)

    def limit(self, key: str) -> float | None:
        """How much is bought: a number, None for «no limit», 0 when closed or not bought. See
        `License.limit`.
        """
        return self.license.limit(key) if self.license else 0


@dataclass(frozen=True, slots=True)
class Installation:
    """One tenant's copy of the module.

    `host` is its main host without a port and `url` the storefront's public address, both of the main one
    even when the visitor came by another. `locale` is the tenant's language ("ru", "en").
    """

    id: UUID
    tenant_id: UUID
    host: str
    url: str
    locale: str = "ru"
    tenant_name: str = ""
    plan: str = ""
    status: Status = "live"
    license: HeldLicense = field(default_factory=HeldLicense)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """The scope of its rows."""
        return Scope(tenant_id=self.tenant_id, installation_id=self.id)


_current: ContextVar[Installation | None] = ContextVar("tochka_installation", default=None)


def current_installation() -> Installation:
    """The installation whose host is being served, or whose event is being handled.

    Raises:
        OutsideInstallation: there is none; for example in a background task, which should be told explicitly.
    """
    installation = _current.get()
    if installation is None:
        raise OutsideInstallation("no installation is being served here")
    return installation


@contextmanager
def serving(installation: Installation) -> Iterator[Installation]:
    """Make `installation` the current one within the block: for background work and tests."""
    token = _current.set(installation)
    try:
        yield installation
    finally:
        _current.reset(token)
