"""What a module's handlers get and may answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from tochka_sdk.events import Envelope
from tochka_sdk.installations import Installation

BodyT = TypeVar("BodyT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Event(Generic[BodyT]):
    """An event for a handler: the envelope, its typed `data`, and the installation that it is about.

    An event about the tenant as a whole (`tochka_sdk.events.TENANT_WIDE`) is handled once for each of the
    tenant's installations.
    """

    envelope: Envelope
    data: BodyT
    installation: Installation

    @property
    def id(self) -> str:
        """The event's id."""
        return self.envelope.id

    @property
    def type(self) -> str:
        """The event's type."""
        return self.envelope.type

    @property
    def tenant_id(self) -> UUID:
        """Whose event it is."""
        return self.envelope.tenant_id

    @property
    def installation_id(self) -> UUID:
        """The installation that it is handled for."""
        return self.installation.id

    @property
    def timestamp(self) -> datetime:
        """When the fact happened."""
        return self.envelope.timestamp


@dataclass(frozen=True, slots=True)
class Accepted:
    """A handler's «working on it»: the core is answered 202 and waits for `ready` or `failed`."""


Handler = Callable[[Event[Any], AsyncSession], Awaitable[Accepted | None]]
"""A handler: `async def (event, session) -> None | Accepted`.

The session is scoped to the event's tenant and installation and is the transaction of the event itself:
what the handler writes, the note that the event was seen, and the SDK's own state become true together or
not at all. """

Handlers = Mapping[str, Handler]
