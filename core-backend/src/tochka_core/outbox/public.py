"""What other slices do with the outbox: record an event in their own transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection
from tochka_sdk.ids import uuid7

from tochka_core.outbox import repository
from tochka_core.outbox.errors import EventMisshapen
from tochka_core.outbox.events import BODIES
from tochka_core.outbox.versions import as_version

__all__ = ["as_version", "body", "record"]


def body(type: str, data: BaseModel | Mapping[str, Any]) -> dict[str, Any]:
    """`data` as JSON, checked against the body of `type`.

    Raises `EventMisshapen` for a type outside the contract or a model of another type, and pydantic's
    `ValidationError` for a mapping that does not fit.
    """
    model = BODIES.get(type)
    if model is None:
        raise EventMisshapen(f"{type} is not an event of the contract")
    if isinstance(data, BaseModel):
        if not isinstance(data, model):
            raise EventMisshapen(f"{type} carries {model.__name__}, not {data.__class__.__name__}")
        return data.model_dump(mode="json")
    return model.model_validate(data).model_dump(mode="json")


async def record(
    door: Connection | AsyncSession,
    *,
    tenant_id: UUID,
    type: str,
    data: BaseModel | Mapping[str, Any],
    installation_id: UUID | None = None,
    module_id: str | None = None,
    endpoint_id: UUID | None = None,
    deadline_at: datetime | None = None,
) -> UUID:
    """Write an event that is sent if, and only if, the caller's transaction commits; returns its id.

    Call it after the row that it tells of is locked: ids sort by time, and events of a tenant go out in the
    order of their ids. `module_id` or `endpoint_id` name the one that hears it; without, it is news about the
    tenant.
    `deadline_at` is for commands: no answer by then is a no.
    """
    event_id = uuid7()
    row = {
        "tenant_id": tenant_id,
        "id": event_id,
        "type": type,
        "installation_id": installation_id,
        "module_id": module_id,
        "endpoint_id": endpoint_id,
        "data": body(type, data),
        "deadline_at": deadline_at,
    }
    await repository.add(door, row)
    return event_id


@dataclass(frozen=True, slots=True)
class News:
    """What one module is told about one tenant."""

    tenant_id: UUID
    module_id: str
    data: BaseModel


async def record_all(connection: Connection, type: str, news: Sequence[News]) -> None:
    """As `record`, for many tenants and modules at once (jobs role)."""
    rows = [(one.tenant_id, uuid7(), one.module_id, body(type, one.data)) for one in news]
    if rows:
        await repository.add_all(connection, type, rows)
