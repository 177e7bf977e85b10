"""Webhook endpoints over HTTP, and as the dispatcher sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tochka_core.outbox.events import FOR_TENANTS, SCHEMA_VERSION

Status = Literal["enabled", "disabled"]
Reason = Literal["owner", "gone", "failing"]


def _known(types: list[str]) -> list[str]:
    """Each type once, sorted; none that no endpoint is ever told."""
    unknown = sorted(set(types) - FOR_TENANTS)
    if unknown:
        raise ValueError(f"no such event: {', '.join(unknown)[:200]}")
    return sorted(set(types))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).strip()


Url = Annotated[str, Field(min_length=1, max_length=2048, examples=["https://example.com/webhooks"])]
Description = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
EventType = Annotated[str, Field(json_schema_extra={"enum": sorted(FOR_TENANTS)})]
EventTypes = Annotated[list[EventType], Field(max_length=100), AfterValidator(_known)]
Rate = Annotated[int, Field(ge=1, le=1000)]
Concurrency = Annotated[int, Field(ge=1, le=100)]
Version = Annotated[int, Field(ge=1, le=SCHEMA_VERSION)]


class WebhookEndpointCreate(BaseModel):
    """A new endpoint. Without `event_types` it is told everything that endpoints are told."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    description: Description = ""
    event_types: EventTypes = []
    schema_version: Version = SCHEMA_VERSION
    ordered: bool = False
    rate_per_second: Rate = 50
    concurrency: Concurrency = 8


class WebhookEndpointUpdate(BaseModel):
    """What is to be different; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    description: Description | None = None
    event_types: EventTypes | None = None
    schema_version: Version | None = None
    status: Status | None = None
    ordered: bool | None = None
    rate_per_second: Rate | None = None
    concurrency: Concurrency | None = None


class SecretRotation(BaseModel):
    """For how long the secret before still signs, too: a week at most."""

    model_config = ConfigDict(extra="forbid")

    grace_seconds: Annotated[int, Field(ge=0, le=7 * 86400)] = 86400


class WebhookEndpointRead(BaseModel):
    """An endpoint. With `ordered`, events of one installation (or of the tenant) come one after the other.

    `failing_since` is when it first failed after its last success; at a `warned_percent` of 100 it is
    disabled. A disabled endpoint's events are kept: see `recover`.
    """

    id: UUID
    url: str
    description: str
    event_types: list[str]
    schema_version: int
    status: Status
    disabled_at: datetime | None
    disabled_reason: Reason | None
    ordered: bool
    rate_per_second: int
    concurrency: int
    failing_since: datetime | None
    warned_percent: int
    previous_secret_until: datetime | None
    created_at: datetime


class EventTypeRead(BaseModel):
    """A type of event, and for whom it is. `schema` is JSON Schema of its newest version, envelope included;
    an endpoint is told the newest of `versions` that is not above the `schema_version` that it pins.
    """

    model_config = ConfigDict(from_attributes=True)

    type: str
    title: str
    description: str
    version: int
    versions: list[int]
    audiences: Annotated[list[Literal["modules", "tenants"]], Field(serialization_alias="for")]
    json_schema: Annotated[dict[str, Any], Field(validation_alias="schema", serialization_alias="schema")]


class EventTypeList(BaseModel):
    """All of them, by name: there are no pages."""

    items: list[EventTypeRead]


class WebhookEndpointSecret(WebhookEndpointRead):
    """An endpoint with its `whsec_` secret, which is shown now and never again."""

    secret: str


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint that is not written yet; the order of fields is that of `ADD`."""

    tenant_id: UUID
    id: UUID
    url: str
    description: str
    event_types: list[str]
    schema_version: int
    ordered: bool
    rate_per_second: int
    concurrency: int
    secret: bytes


class Sealed(NamedTuple):
    """The secrets of an endpoint as they are stored."""

    secret: bytes
    previous_secret: bytes | None
    previous_until: datetime | None


@dataclass(frozen=True, slots=True)
class Receiver:
    """An endpoint as fan-out sees it, enabled or not: what a disabled one would hear is kept for it."""

    id: UUID
    event_types: Sequence[str]
    ordered: bool

    def wants(self, type: str) -> bool:
        """Whether it hears events of this type."""
        return type in FOR_TENANTS and (not self.event_types or type in self.event_types)


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt says of an endpoint; `gone`: it answered 410."""

    tenant_id: UUID
    endpoint_id: UUID
    delivered: bool
    gone: bool


@dataclass(frozen=True, slots=True)
class Patience:
    """When an endpoint that takes nothing is disabled: after this time, and so many failures at least. At
    each of `steps`, in percent of the time, its tenant is told; the last is 100.
    """

    time: timedelta
    failures: int
    steps: Sequence[int]
