"""What the composition root makes once and hands to every slice: doors, Redis, keys, addresses."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, cast

from fastapi import Depends, Request
from redis.asyncio import Redis
from tochka_sdk.db import Connections, Database

from tochka_core.channels.public import Channels
from tochka_core.hashing import Hasher
from tochka_core.keyring import Keyring, Keys
from tochka_core.limits import Limiter
from tochka_core.outbound.public import Policy, Sender
from tochka_core.quotas import Quotas


@dataclass(frozen=True)
class Addresses:
    """Where the platform and the storefronts are reached from outside. Pages of the trusted origins may call
    the platform with cookies, as its own do.
    """

    public_url: str
    issuer: str
    storefront_domain: str
    storefront_scheme: str
    storefront_port_suffix: str
    trusted_origins: frozenset[str]

    @property
    def is_secure(self) -> bool:
        """Whether cookies may be Secure and `__Host-`."""
        return self.public_url.startswith("https://")

    def host(self, label: str) -> str:
        """The storefront host of a subdomain label."""
        return f"{label}.{self.storefront_domain}"

    def storefront_url(self, host: str) -> str:
        """The public address of a storefront host."""
        return f"{self.storefront_scheme}://{host}{self.storefront_port_suffix}"


@dataclass(frozen=True)
class Resources:
    """One value per process. `database` and `connections` are the two doors of the process's own role."""

    database: Database
    connections: Connections
    redis: "Redis"
    keys: Keys
    addresses: Addresses
    channels: Channels
    limiter: Limiter
    quotas: Quotas
    hasher: Hasher
    sender: Sender
    outbound_policy: Policy
    activation_deadline: timedelta
    webhook_connections: int
    deliveries_kept_months: int

    @property
    def keyring(self) -> Keyring:
        """The keys as they are now; another one after a rotation."""
        return self.keys.current


def resources_of(request: Request) -> Resources:
    """The resources of the application that serves `request`."""
    return cast(Resources, request.app.state.resources)


async def _resources(request: Request) -> Resources:
    """The same as a dependency: a plain function would be run in a thread."""
    return resources_of(request)


ResourcesDep = Annotated[Resources, Depends(_resources)]
