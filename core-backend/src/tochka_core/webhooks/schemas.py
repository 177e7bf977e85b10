"""What modules and owners send and get, and the rows that the dispatcher works on."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
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
    endpoint_id: UUID | None
    position: int
    sequence: int
    installation_id: UUID | None
    type: str
    command: bool
    deadline_at: datetime | None
    resource: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed delivery and all that is needed to send it. `due_at` is where it stood before the claim,
    `epoch` how often its receiver's owner has wanted a new beginning: each has a gate of its own.
    """

    tenant_id: UUID
    id: UUID
    event_id: UUID
    receiver: str
    endpoint_id: UUID | None
    installation_id: UUID | None
    type: str
    command: bool
    sequence: int
    attempts: int
    deadline_at: datetime | None
    resource: str | None
    replays: int
    due_at: datetime
    epoch: int
    base_url: str | None
    url: str | None
    secret: bytes | None
    previous_secret: bytes | None
    previous_until: datetime | None
    rate_per_second: int | None
    concurrency: int | None
    wanted_version: int
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
    response_headers: dict[str, str] | None
    timings: dict[str, float] | None
    address: str | None


Replayable = Literal["delivered", "refused", "expired", "held", "pending"]
"""`pending`: what waits to be tried again is tried at once."""
Status = Literal["pending", "accepted", "delivered", "refused", "expired", "cancelled", "held"]
Rate = Annotated[int, Field(ge=1, le=1000)]
EventType = Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,64}$")]
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)


def _storable(moment: datetime) -> datetime:
    """The moment, or the end of all that can have happened on its side: a filter for whatever is asked."""
    if moment.year <= EARLIEST.year:
        return EARLIEST
    return LATEST if moment.year >= LATEST.year else moment


Moment = Annotated[AwareDatetime, AfterValidator(_storable)]
"""A bound of a filter."""


class DeliveryRead(BaseModel):
    """One event on its way to one endpoint, with what the last attempt brought.

    `held`: the endpoint is disabled, the event is kept. `refused`, `expired`: it was given up.
    """

    id: UUID
    event_id: UUID
    type: str
    endpoint_id: UUID
    sequence: int
    status: Status
    attempts: int
    due_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    last_response_status: int | None
    last_error: str | None
    replayed: bool


class DeliveryDetail(DeliveryRead):
    """A delivery with the body that was, or will be, sent."""

    body: Envelope


class AttemptRead(BaseModel):
    """One request and what came back: an answer, or the kind of `error` that kept it from coming.

    `timings` are milliseconds from the start of the attempt, as far as they are known.
    """

    id: UUID
    number: int
    started_at: datetime
    duration_ms: int
    response_status: int | None
    error: str | None
    response_headers: dict[str, str] | None
    response_body: str | None
    timings: dict[str, float] | None
    address: str | None


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries to list; the order of fields is that of `LIST_DELIVERIES`."""

    endpoint_id: UUID | None
    status: str | None
    type: str | None
    event_id: UUID | None
    since: datetime | None
    until: datetime | None


class RecoverRequest(BaseModel):
    """Send again what an endpoint has missed since then: held, refused and expired deliveries. What waits
    to be tried again is tried at once.
    """

    model_config = ConfigDict(extra="forbid")

    since: Moment
    until: Moment | None = None


class ReplayRequest(BaseModel):
    """Which deliveries of an endpoint to send again, and how many a second. Of pending ones, those that wait
    to be tried again are tried at once. A dry run only counts.
    """

    model_config = ConfigDict(extra="forbid")

    since: Moment | None = None
    until: Moment | None = None
    event_types: Annotated[list[EventType], Field(max_length=50)] = []
    statuses: Annotated[list[Replayable], Field(min_length=1, max_length=5)] = ["held", "refused", "expired"]
    rate_per_second: Rate = 20
    dry_run: bool = False


class ReplayCount(BaseModel):
    """How many deliveries a replay would send again now."""

    total: int


class ReplayRead(BaseModel):
    """A job that sends deliveries again, under the same `webhook-id`. `total` was counted at its start."""

    id: UUID
    endpoint_id: UUID
    since: datetime | None
    until: datetime | None
    event_types: list[str]
    statuses: list[str]
    rate_per_second: int
    status: Literal["running", "done", "cancelled"]
    total: int
    done: int
    created_at: datetime
    finished_at: datetime | None


class TestSent(BaseModel):
    """A `ping` is on its way to the endpoint; its delivery is listed under this event."""

    event_id: UUID


@dataclass(frozen=True, slots=True)
class NewReplay:
    """A job that is not written yet; the order of fields is that of `ADD_REPLAY`."""

    tenant_id: UUID
    endpoint_id: UUID
    since: datetime | None
    until: datetime | None
    event_types: list[str]
    statuses: list[str]
    rate_per_second: int
    delivery_id: UUID | None = None
