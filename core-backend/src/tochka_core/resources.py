"""What the composition root makes once and hands to every slice: doors, Redis, keys, addresses."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal, cast

from fastapi import Depends, Request
from redis.asyncio import Redis
from tochka_sdk.db import Connections, Database

from tochka_core.keyring import Keyring


@dataclass(frozen=True)
class Addresses:
    """Where the platform and the storefronts are reached from outside."""

    public_url: str
    issuer: str
    storefront_domain: str
    storefront_scheme: str
    storefront_port_suffix: str

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
    keyring: Keyring
    addresses: Addresses
    limits: Literal["strict", "relaxed"]
    dev_inbox: bool
    activation_deadline: timedelta


def resources_of(request: Request) -> Resources:
    """The resources of the application that serves `request`."""
    return cast(Resources, request.app.state.resources)


async def _resources(request: Request) -> Resources:
    """The same as a dependency: a plain function would be run in a thread."""
    return resources_of(request)


ResourcesDep = Annotated[Resources, Depends(_resources)]
