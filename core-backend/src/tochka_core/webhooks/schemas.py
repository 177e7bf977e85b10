"""What modules send and get at their side door, and the rows that the dispatcher works on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field
from tochka_sdk.events import Envelope


def _printable(text: str) -> str:
    """The text without control characters: it is shown to an owner, and PostgreSQL takes no NUL."""
    return "".join(char if char.isprintable() else " " for char in text).strip()


FailureCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.\-]{0,99}$")]


class FailureReport(BaseModel):
    """Why a module cannot provision: a stable code, and a sentence for the owner."""

    code: FailureCode
    detail: Annotated[str, Field(max_length=500), AfterValidator(_printable)]


class InstallationState(BaseModel):
    """How the platform now sees the installation."""

    status: Literal["live", "failed"]


class LicenseRead(BaseModel):
    """A license, signed just now."""

    license: str


class Feed(BaseModel):
    """Events in their order. `next_cursor` is null when there are no more now; `cursor` is where to go on."""

    items: list[Envelope]
    next_cursor: str | None
    cursor: str


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One event for one receiver, not written yet; the order of fields is that of `ADD_DELIVERIES`."""

    tenant_id: UUID
    id: UUID
    event_id: UUID
    receiver: str
    position: int
    sequence: int
    installation_id: UUID | None
    type: str
    command: bool
    deadline_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed delivery and all that is needed to send it."""

    tenant_id: UUID
    id: UUID
    event_id: UUID
    receiver: str
    installation_id: UUID | None
    type: str
    command: bool
    sequence: int
    attempts: int
    deadline_at: datetime | None
    leased_until: datetime
    base_url: str
    data: dict[str, Any]
    occurred_at: datetime
    schema_version: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, as it is logged; the order of fields is that of `ADD_ATTEMPTS`."""

    tenant_id: UUID
    id: UUID
    delivery_id: UUID
    number: int
    started_at: datetime
    duration_ms: int
    response_status: int | None
    error: str | None
    response_body: str | None
