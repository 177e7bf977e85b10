"""Rules of addresses: who may have which, and what answers where."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
from tochka_sdk.db import Connection, violates
from tochka_sdk.errors import DomainError

from tochka_core.domains import labels, repository
from tochka_core.domains.errors import (
    HostGone,
    HostProvisioning,
    HostQuarantined,
    HostSuspended,
    HostTaken,
    HostUnknown,
    LabelMalformed,
    LabelReserved,
)
from tochka_core.domains.schemas import Reason, SubdomainRead
from tochka_core.resources import Addresses

QUARANTINE = timedelta(days=90)
MAX_HOST = 253
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """What answers at a host: the installation, and `host:port` of the module that serves it."""

    installation_id: UUID
    tenant_id: UUID
    module: str
    upstream: str
    access: str


async def check(connection: Connection, addresses: Addresses, text: str) -> SubdomainRead:
    """Whether a label can be had by somebody who does not have it yet."""
    label = labels.lowered(text)
    reason = labels.refusal(label)
    if reason == "malformed":
        return SubdomainRead(label=label, available=False, reason=reason, host=None, url=None)
    host = addresses.host(label)
    reason = reason or await _refusal(connection, host)
    url = addresses.storefront_url(host)
    return SubdomainRead(label=label, available=reason is None, reason=reason, host=host, url=url)


async def _refusal(connection: Connection, host: str) -> Reason | None:
    found = await repository.find_refusal(connection, host)
    return "quarantined" if found == "quarantined" else "taken" if found else None


def require_label(text: str) -> str:
    """The label that `text` means. Raises `LabelMalformed` or `LabelReserved`."""
    label = labels.lowered(text)
    reason = labels.refusal(label)
    if reason == "malformed":
        raise LabelMalformed
    if reason is not None:
        raise LabelReserved
    return label


def refused(error: asyncpg.PostgresError) -> DomainError | None:
    """The fact behind a constraint that a reservation ran into; None if it is not one of ours."""
    if violates(error, "uq_domains_host"):
        return HostTaken()
    return HostQuarantined() if violates(error, "quarantined_host") else None


async def open_hosts(connection: Connection, tenant_id: UUID, installation_id: UUID) -> None:
    """The installation is live: so are its hosts."""
    await repository.open_hosts(connection, tenant_id, installation_id)


async def release(connection: Connection, tenant_id: UUID, installation_id: UUID) -> None:
    """Let go of the installation's hosts; one that was live rests before a stranger can have it."""
    await repository.release(connection, tenant_id, installation_id, QUARANTINE)


async def resolve(connection: Connection, text: str) -> Target:
    """What answers at `text` (a host, as it stands in a request: any case, maybe a port, maybe a dot).

    Raises:
        HostUnknown, HostSuspended, HostGone, HostProvisioning: why nothing does.
    """
    host = _host(text)
    row = await repository.resolve(connection, host) if host else None
    if row is None:
        raise HostUnknown
    if row["status"] == "provisioning":
        raise HostProvisioning
    if row["status"] in ("failed", "gone"):
        raise HostGone
    if row["status"] == "suspended" or row["access"] == "closed":
        raise HostSuspended
    upstream = _upstream(row["base_url"])
    return Target(row["installation_id"], row["tenant_id"], row["module_id"], upstream, row["access"])


def _host(text: str) -> str | None:
    """The host without port, trailing dot and capitals; None when it cannot be one of ours."""
    name, _, port = text.partition(":")
    if port and not port.isdigit():
        return None
    name = name.removesuffix(".").lower()
    return name if name.isascii() and name.isprintable() and 0 < len(name) <= MAX_HOST else None


def _upstream(base_url: str) -> str:
    """`host:port` of a module's address."""
    parts = urlsplit(base_url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or DEFAULT_PORTS[parts.scheme]}"
