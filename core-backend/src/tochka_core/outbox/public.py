"""What other slices do with the outbox: record an event in their own transaction, read the catalogue."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection
from tochka_sdk.ids import uuid7

from tochka_core.outbox import repository
from tochka_core.outbox.errors import EventMisshapen
from tochka_core.outbox.events import FOR_MODULES
from tochka_core.outbox.schemas import NewEvent
from tochka_core.outbox.versions import CATALOGUE, EventType

__all__ = ["EventType", "prepare", "published", "record", "told", "version_of"]

published = CATALOGUE.published
told = CATALOGUE.told
version_of = CATALOGUE.version_of


def prepare(type: str, data: BaseModel | Mapping[str, Any]) -> NewEvent:
    """An event for a statement that writes it together with the change. Raises as `record` does."""
    body = CATALOGUE.written(type, data)
    return NewEvent(uuid7(), version_of(type), body)


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
    tenant. `deadline_at` is for commands: no answer by then is a no.

    Raises `EventMisshapen` for a type outside the contract, one that is not for modules, or a model of
    another type, and pydantic's `ValidationError` for a mapping that does not fit.
    """
    if module_id is not None and type not in FOR_MODULES:
        raise EventMisshapen(f"{type} is not for modules")
    event = prepare(type, data)
    row = {
        "tenant_id": tenant_id,
        "id": event.id,
        "type": type,
        "installation_id": installation_id,
        "module_id": module_id,
        "endpoint_id": endpoint_id,
        "schema_version": event.schema_version,
        "data": event.data,
        "deadline_at": deadline_at,
    }
    await repository.add(door, row)
    return event.id
