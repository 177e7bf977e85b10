"""Writes events, through whichever door the caller has open."""

from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection

from tochka_core.outbox.models import Event

COLUMNS = (
    *("tenant_id", "id", "type", "installation_id", "module_id", "endpoint_id"),
    *("schema_version", "data", "deadline_at"),
)
RECORD = """
    INSERT INTO events
      (tenant_id, id, type, installation_id, module_id, endpoint_id, schema_version, data, deadline_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def add(door: Connection | AsyncSession, row: dict[str, Any]) -> None:
    """Insert one event in the caller's transaction."""
    if isinstance(door, AsyncSession):
        await door.execute(insert(Event).values(**row))
    else:
        await door.execute(RECORD, *(row[name] for name in COLUMNS))
