"""Writes events, through whichever door the caller has open."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection

from tochka_core.outbox.models import Event

COLUMNS = ("tenant_id", "id", "type", "installation_id", "module_id", "endpoint_id", "data", "deadline_at")
RECORD = """
    INSERT INTO events (tenant_id, id, type, installation_id, module_id, endpoint_id, data, deadline_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

RECORD_ALL = """
    INSERT INTO events (tenant_id, id, type, module_id, data)
    SELECT r.tenant_id, r.id, $1, r.module_id, r.data
    FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::jsonb[]) AS r(tenant_id, id, module_id, data)
"""


async def add(door: Connection | AsyncSession, row: dict[str, Any]) -> None:
    """Insert one event in the caller's transaction."""
    if isinstance(door, AsyncSession):
        await door.execute(insert(Event).values(**row))
    else:
        await door.execute(RECORD, *(row[name] for name in COLUMNS))


async def add_all(
    connection: Connection, type: str, rows: Sequence[tuple[UUID, UUID, str, dict[str, Any]]]
) -> None:
    """Insert events of one type, each for one module (`tenant_id, id, module_id, data`)."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    await connection.execute(RECORD_ALL, type, *columns)
