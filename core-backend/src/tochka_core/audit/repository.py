"""Queries on the trail: one adds, none changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection

from tochka_core.audit.models import AuditEntry

# nothing is returned: whoever may add an entry need not be allowed to read it
RECORD = """
INSERT INTO audit_entries
  (id, tenant_id, user_id, session_id, action, subject_id, address, request_id, data)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A row of `audit_entries` to be."""

    id: UUID
    tenant_id: UUID | None
    user_id: UUID | None
    session_id: UUID | None
    action: str
    subject_id: UUID | None
    address: str | None
    request_id: str | None
    data: dict[str, Any]


async def add(connection: Connection, new: NewEntry) -> None:
    """Insert an entry in the caller's transaction."""
    await connection.execute(
        RECORD,
        new.id,
        new.tenant_id,
        new.user_id,
        new.session_id,
        new.action,
        new.subject_id,
        new.address,
        new.request_id,
        new.data,
    )


async def list_of_tenant(
    session: AsyncSession, tenant_id: UUID, before: UUID | None, limit: int
) -> Sequence[AuditEntry]:
    """A page of a tenant's entries, newest first."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.tenant_id == tenant_id)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return (await session.scalars(query)).all()


async def list_of_person(
    session: AsyncSession, user_id: UUID, before: UUID | None, limit: int
) -> Sequence[AuditEntry]:
    """A page of what a person did, newest first."""
    query = (
        select(AuditEntry).where(AuditEntry.user_id == user_id).order_by(AuditEntry.id.desc()).limit(limit)
    )
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return (await session.scalars(query)).all()
