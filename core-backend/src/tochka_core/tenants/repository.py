"""Queries on tenants and memberships. Hot ones are constant SQL for the asyncpg door."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection

from tochka_core.tenants.models import Membership, Tenant

# One answer to three questions, three look-ups by primary key: does the session still stand, what is its
# holder in this tenant, and what is the tenant called. No row: no such session.
STANDING = """
SELECT s.revoked_at IS NULL AS is_open, m.role, t.name, t.locale
FROM sessions s
  LEFT JOIN memberships m ON m.tenant_id = $1 AND m.user_id = s.user_id
  LEFT JOIN tenants t ON t.id = m.tenant_id
WHERE s.user_id = $2 AND s.id = $3
"""
STANDING_NAMED = text(
    """
    SELECT s.revoked_at IS NULL AS is_open, m.role, t.name, t.locale
    FROM sessions s
      LEFT JOIN memberships m ON m.tenant_id = :tenant_id AND m.user_id = s.user_id
      LEFT JOIN tenants t ON t.id = m.tenant_id
    WHERE s.user_id = :user_id AND s.id = :session_id
    """
)
GET = "SELECT id, name, locale, created_at FROM tenants WHERE id = $1"
ADD_TENANT = """
INSERT INTO tenants (id, name, locale) VALUES ($1, $2, $3) RETURNING id, name, locale, created_at
"""
ADD_MEMBER = "INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, $3)"
UPDATE = """
UPDATE tenants SET name = coalesce($2, name), locale = coalesce($3, locale) WHERE id = $1
RETURNING id, name, locale, created_at
"""
OF_PERSON = """
SELECT t.id, t.name, m.role FROM memberships m JOIN tenants t ON t.id = m.tenant_id
WHERE m.user_id = $1 ORDER BY m.tenant_id LIMIT $2
"""

users = table("users", column("id"), column("name"), column("phone"))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the holder of a session stands in a tenant; without a role there is no tenant either."""

    is_open: bool
    role: str | None
    name: str | None
    locale: str | None


async def find_standing(
    door: Connection | AsyncSession, tenant_id: UUID, user_id: UUID, session_id: UUID
) -> Standing | None:
    """The standing of a session's holder, or None when there is no such session."""
    row: Any
    if isinstance(door, AsyncSession):
        values = {"tenant_id": tenant_id, "user_id": user_id, "session_id": session_id}
        row = (await door.execute(STANDING_NAMED, values)).mappings().first()
    else:
        row = await door.fetchrow(STANDING, tenant_id, user_id, session_id)
    return None if row is None else Standing(**row)


async def find(door: Connection | AsyncSession, tenant_id: UUID) -> Tenant | None:
    """The tenant, if the scope sees it."""
    if isinstance(door, AsyncSession):
        return await door.get(Tenant, tenant_id)
    return _tenant(await door.fetchrow(GET, tenant_id))


async def add(connection: Connection, tenant_id: UUID, *, name: str, locale: str) -> Tenant:
    """Insert a tenant."""
    row = await connection.fetchrow(ADD_TENANT, tenant_id, name, locale)
    return Tenant(**dict(row or {}))


async def add_member(connection: Connection, tenant_id: UUID, user_id: UUID, role: str) -> None:
    """Insert a membership."""
    await connection.execute(ADD_MEMBER, tenant_id, user_id, role)


async def update(
    connection: Connection, tenant_id: UUID, *, name: str | None, locale: str | None
) -> Tenant | None:
    """Change what is given."""
    return _tenant(await connection.fetchrow(UPDATE, tenant_id, name, locale))


async def of_person(connection: Connection, user_id: UUID, limit: int) -> Sequence[Any]:
    """Tenants and roles of a person, oldest first."""
    return await connection.fetch(OF_PERSON, user_id, limit)


async def list_tenants(
    session: AsyncSession, user_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Tenant, str]]:
    """A page of a person's tenants with the person's role, oldest first."""
    query = (
        select(Tenant, Membership.role)
        .join(Membership, Membership.tenant_id == Tenant.id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.tenant_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Membership.tenant_id > after)
    return (await session.execute(query)).all()


async def list_members(
    session: AsyncSession, tenant_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """A page of a tenant's members with their names and phones, in one statement."""
    query = (
        select(Membership.user_id, users.c.name, users.c.phone, Membership.role, Membership.created_at)
        .join(users, users.c.id == Membership.user_id)
        .where(Membership.tenant_id == tenant_id)
        .order_by(Membership.user_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Membership.user_id > after)
    return (await session.execute(query)).all()


def _tenant(row: Any) -> Tenant | None:
    return None if row is None else Tenant(**dict(row))
