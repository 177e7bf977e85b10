"""What the core tells modules and tenants: the envelope, the bodies by type, and their JSON Schemas.

Source: the platform's contract §4. Bodies are checked when an event is written and when it is read; a
reader passes over members that it does not know, so that the platform may add some.
"""

import inspect
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tochka_sdk import clock
from tochka_sdk.errors import DomainError, FieldError
from tochka_sdk.ids import uuid7

Locale = Literal["ru", "en"]


class EventInvalid(DomainError):
    """400: it is not an event of the contract."""

    status = 400
    code = "events.invalid"


class Body(BaseModel):
    """The base of every `data`."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Envelope(BaseModel):
    """One event as it travels.

    `id` is the event's UUID as text and the `webhook-id` of every attempt. `sequence` counts per receiver
    and tenant without holes, from 1: a gap means a loss and nothing else. `timestamp` is the moment of the
    fact, not of the attempt. `installation_id` is absent when the event is about the tenant as a whole.
    `receiver` names the module (or the tenant's endpoint) that this copy is for: all copies are signed with
    one key, so a receiver refuses a copy that names another.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")
    type: str = Field(min_length=1, max_length=64, pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")
    timestamp: AwareDatetime
    sequence: int = Field(ge=0, lt=2**63)
    schema_version: int = Field(default=1, ge=1)
    tenant_id: UUID
    installation_id: UUID | None = None
    receiver: str | None = Field(default=None, max_length=64)
    data: dict[str, Any]

    @classmethod
    def of(
        cls,
        type: str,
        body: BaseModel,
        *,
        tenant_id: UUID,
        installation_id: UUID | None = None,
        sequence: int = 0,
        receiver: str | None = None,
        id: str | None = None,
        timestamp: datetime | None = None,
    ) -> "Envelope":
        """An envelope around a body. Raises ValueError when the body is not the one of this type."""
        expected = EVENTS.get(type)
        if expected is not None and not isinstance(body, expected):
            raise ValueError(f"{type} carries {expected.__name__}, not {body.__class__.__name__}")
        return cls(
            id=id or str(uuid7()),
            type=type,
            timestamp=timestamp or clock.now(),
            sequence=sequence,
            tenant_id=tenant_id,
            installation_id=installation_id,
            receiver=receiver,
            data=body.model_dump(mode="json"),
        )

    def to_bytes(self) -> bytes:
        """The JSON that is signed and sent; members that are not set are left out."""
        return self.model_dump_json(exclude_none=True).encode()


class InstallationRequested(Body):
    """`installation.requested`: a tenant wants its copy of the module; make it ready.

    `host` has no port, `url` is the storefront's public address, `license` is a signed license (§5), and an
    answer after `deadline` is too late: the platform will have undone the activation.
    """

    module: str
    host: str
    url: str
    tenant_name: str
    locale: str = "ru"
    plan: str
    license: str
    deadline: AwareDatetime


class InstallationRemoved(Body):
    """`installation.removed`: the installation is gone, or never came to be. `reason` is a stable word."""

    reason: str = "removed"


class LicenseUpdated(Body):
    """`license.updated`: a newer license; the subscription changed."""

    license: str


class DomainAdded(Body):
    """`domain.added`: the installation answers at one more host; `primary` makes it the main one."""

    host: str
    url: str
    primary: bool = False


class DomainRemoved(Body):
    """`domain.removed`: the installation no longer answers at this host."""

    host: str


class TenantUpdated(Body):
    """`tenant.updated`: the tenant changed its name."""

    name: str


class MemberChanged(Body):
    """`member.changed`: a person has another role in the tenant now."""

    user_id: UUID
    role: str


class MemberLeft(Body):
    """`member.left`: a person is no member of the tenant any more."""

    user_id: UUID


class Digest(Body):
    """`digest`: once a day, how many events of the tenant there are for this receiver, so that silence can be
    told from loss.

    `last_sequence` is the highest number that was given out when the digest was written; whoever has all
    events up to it has missed nothing until then. `events` of them came since the digest before, that one
    among them, which was written at `since`; None in the first.
    """

    last_sequence: int = Field(ge=0, lt=2**63)
    events: int = Field(default=0, ge=0, lt=2**63)
    since: AwareDatetime | None = None


class Ping(Body):
    """`ping`: nothing happened; shows that the door works."""


EVENTS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "installation.requested": InstallationRequested,
        "installation.removed": InstallationRemoved,
        "license.updated": LicenseUpdated,
        "domain.added": DomainAdded,
        "domain.removed": DomainRemoved,
        "tenant.updated": TenantUpdated,
        "member.changed": MemberChanged,
        "member.left": MemberLeft,
        "digest": Digest,
        "ping": Ping,
    }
)
"""Every event that a module can be told, by its type."""

TENANT_WIDE = frozenset({"tenant.updated", "member.changed", "member.left", "digest", "ping"})
"""Types about the tenant as a whole, which name no installation."""

COMMANDS = frozenset({"installation.requested", "installation.removed"})
"""Types that the platform waits for an answer to, on a schedule of seconds."""


def parse(body: bytes) -> Envelope:
    """The envelope in a verified request. Raises `EventInvalid`, naming the fields, when it is none."""
    if rb"\u0000" in body:  # valid JSON, but no database can store it
        raise EventInvalid("The body holds a character that no text may have.")
    try:
        return Envelope.model_validate_json(body)
    except ValidationError as error:
        raise EventInvalid("The body is not an event.", errors=_fields(error)) from None


def parse_data(envelope: Envelope) -> BaseModel | None:
    """The body by its type; None for a type that this SDK does not know. Raises `EventInvalid`."""
    model = EVENTS.get(envelope.type)
    if model is None:
        return None
    try:
        return model.model_validate(envelope.data)
    except ValidationError as error:
        raise EventInvalid(
            f"The data is not that of {envelope.type}.", errors=_fields(error, "data")
        ) from None


def _fields(error: ValidationError, *prefix: str) -> list[FieldError]:
    return [
        FieldError(".".join(map(str, (*prefix, *item["loc"]))), item["msg"], item["type"])
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def json_schemas(bodies: Mapping[str, type[BaseModel]] = EVENTS) -> dict[str, dict[str, Any]]:
    """JSON Schema 2020-12 of every event, envelope included, by type; of a module's unless told otherwise."""
    schemas = {}
    for name, model in bodies.items():
        schema = Envelope.model_json_schema()
        data = model.model_json_schema(ref_template="#/$defs/{model}")
        schema["title"] = model.__name__
        schema["description"] = inspect.cleandoc(model.__doc__ or "")
        schema["properties"]["type"] = {"const": name}
        if "$defs" in data:
            schema.setdefault("$defs", {}).update(data.pop("$defs"))
        schema["properties"]["data"] = data
        schemas[name] = schema
    return schemas
