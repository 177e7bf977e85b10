"""Queries on tenants and memberships. Hot ones are constant SQL for the asyncpg door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection, Connections, Scope

from tochka_core.tenants.models import Membership, Tenant

# One answer to three questions, three look-ups by primary key: does the session still stand, what is its
# holder in this tenant, and what is the tenant. No row: no such session.
STANDING = """
SELECT s.revoked_at IS NULL AND least(s.idle_expires_at, s.expires_at) > now() AS is_open,
  m.role, t.name, t.locale, t.created_at
FROM sessions s
  LEFT JOIN memberships m ON m.tenant_id = $1 AND m.user_id = s.user_id
  LEFT JOIN tenants t ON t.id = m.tenant_id
WHERE s.user_id = $2 AND s.id = $3
"""
STANDING_NAMED = text(
    """
    SELECT s.revoked_at IS NULL AND least(s.idle_expires_at, s.expires_at) > now() AS is_open,
      m.role, t.name, t.locale, t.created_at
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
ROLE_OF = "SELECT role FROM memberships WHERE tenant_id = $1 AND user_id = $2"
MEMBER = """
SELECT m.user_id, u.name, u.phone, m.role, m.created_at
FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = $1 AND m.user_id = $2
"""
HAS_PHONE = """
SELECT true FROM users u JOIN memberships m ON m.user_id = u.id WHERE u.phone = $2 AND m.tenant_id = $1
"""
# Whoever changes who is what holds the rows of all owners and of all whom the change is about, in one order:
# two changes of one tenant come one after the other, and the second sees what the first has left.
LOCK_MEMBERS = """
SELECT user_id, role FROM memberships
WHERE tenant_id = $1 AND (user_id = ANY($2::uuid[]) OR role = 'owner') ORDER BY user_id FOR UPDATE
"""
SET_ROLE = "UPDATE memberships SET role = $3 WHERE tenant_id = $1 AND user_id = $2"
REMOVE_MEMBER = "DELETE FROM memberships WHERE tenant_id = $1 AND user_id = $2"
JOIN_AS = """
INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true
"""

CLOSE_EXPIRED = """
UPDATE invitations SET closed_at = now(), outcome = 'expired'
WHERE tenant_id = $1 AND closed_at IS NULL AND expires_at <= now()
"""
COUNT_OPEN = "SELECT count(*) FROM invitations WHERE tenant_id = $1 AND closed_at IS NULL"
ADD_INVITATION = """
INSERT INTO invitations (tenant_id, id, phone, role, invited_by, token_hash, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval)
RETURNING id, phone, role, invited_by, created_at, expires_at
"""
OPEN_INVITATIONS = """
SELECT id, phone, role, invited_by, created_at, expires_at FROM invitations
WHERE tenant_id = $1 AND closed_at IS NULL AND expires_at > now() AND ($2::uuid IS NULL OR id > $2)
ORDER BY id LIMIT $3
"""
LOCK_INVITATION = """
SELECT role FROM invitations
WHERE tenant_id = $1 AND id = $2 AND closed_at IS NULL AND expires_at > now() FOR NO KEY UPDATE
"""
WITHDRAW = """
UPDATE invitations SET closed_at = now(), outcome = 'withdrawn' WHERE tenant_id = $1 AND id = $2
"""
WITHDRAW_OF = """
UPDATE invitations SET closed_at = now(), outcome = 'withdrawn'
WHERE tenant_id = $1 AND invited_by = $2 AND closed_at IS NULL AND role <> ALL($3::text[])
"""
TO_PERSON = """
SELECT tenant_id, id, tenant_name, role, invited_by_name, created_at, expires_at FROM invitations_to_person()
WHERE outcome IS NULL AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2
"""
TO_PERSON_BY_HASH = """
SELECT tenant_id, id, tenant_name, role, invited_by_name, created_at, expires_at FROM invitations_to_person()
WHERE outcome IS NULL AND token_hash = $1
"""
TENANT_OF_INVITATION = "SELECT tenant_id FROM invitations_to_person() WHERE id = $1"
# Of parallel answers the row lock lets one through; the others find the invitation closed.
ANSWER = """
UPDATE invitations SET closed_at = now(), outcome = $4
WHERE tenant_id = $1 AND id = $2 AND closed_at IS NULL AND expires_at > now()
  AND phone = (SELECT phone FROM users WHERE id = $3)
RETURNING role
"""
OUTCOME = "SELECT outcome FROM invitations WHERE tenant_id = $1 AND id = $2"

OFFER = """
INSERT INTO handovers AS h (tenant_id, from_user_id, to_user_id, expires_at)
VALUES ($1, $2, $3, now() + $4::interval)
ON CONFLICT (tenant_id) DO UPDATE SET from_user_id = excluded.from_user_id,
  to_user_id = excluded.to_user_id, created_at = now(), expires_at = excluded.expires_at
RETURNING from_user_id, to_user_id, created_at, expires_at
"""
HANDOVER = """
SELECT from_user_id, to_user_id, created_at, expires_at FROM handovers
WHERE tenant_id = $1 AND expires_at > now()
"""
END_HANDOVER = "DELETE FROM handovers WHERE tenant_id = $1 AND expires_at > now() RETURNING to_user_id"
END_HANDOVER_FROM = "DELETE FROM handovers WHERE tenant_id = $1 AND from_user_id = $2"
TAKE_HANDOVER = """
DELETE FROM handovers WHERE tenant_id = $1 AND to_user_id = $2 AND expires_at > now() RETURNING from_user_id
"""

users = table("users", column("id"), column("name"), column("phone"))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the holder of a session stands in a tenant; without a role there is no tenant either."""

    is_open: bool
    role: str | None
    name: str | None
    locale: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvitation:
    """A row of `invitations` to be."""

    tenant_id: UUID
    id: UUID
    phone: str
    role: str
    invited_by: UUID
    token_hash: bytes
    lifetime: timedelta


async def find_standing(
    door: Connection | Connections | AsyncSession, tenant_id: UUID, user_id: UUID, session_id: UUID
) -> Standing | None:
    """The standing of a session's holder, or None when there is no such session."""
    row: Any
    if isinstance(door, Connections):
        scope = Scope(tenant_id=tenant_id, user_id=user_id)
        row = await door.read(scope, STANDING, tenant_id, user_id, session_id)
    elif isinstance(door, AsyncSession):
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


async def find_role(connection: Connection, tenant_id: UUID, user_id: UUID) -> str | None:
    """What a person is in a tenant."""
    role: str | None = await connection.fetchval(ROLE_OF, tenant_id, user_id)
    return role


async def find_member(connection: Connection, tenant_id: UUID, user_id: UUID) -> Any:
    """One member with name and phone."""
    return await connection.fetchrow(MEMBER, tenant_id, user_id)


async def has_phone(connection: Connection, tenant_id: UUID, phone: str) -> bool:
    """Whether the holder of a phone is a member."""
    return bool(await connection.fetchval(HAS_PHONE, tenant_id, phone))


async def lock_members(connection: Connection, tenant_id: UUID, ids: Sequence[UUID]) -> Sequence[Any]:
    """Ids and roles of these members and of all owners, held until the transaction ends."""
    return await connection.fetch(LOCK_MEMBERS, tenant_id, ids)


async def set_role(connection: Connection, tenant_id: UUID, user_id: UUID, role: str) -> None:
    """Change what a member is."""
    await connection.execute(SET_ROLE, tenant_id, user_id, role)


async def remove_member(connection: Connection, tenant_id: UUID, user_id: UUID) -> None:
    """Delete a membership; an offer to hand the tenant over, from or to this member, goes with it."""
    await connection.execute(REMOVE_MEMBER, tenant_id, user_id)


async def join(connection: Connection, tenant_id: UUID, user_id: UUID, role: str) -> bool:
    """Insert a membership; whether there was none."""
    return bool(await connection.fetchval(JOIN_AS, tenant_id, user_id, role))


async def count_open(connection: Connection, tenant_id: UUID) -> int:
    """How many invitations of the tenant are open, once those whose time has run out are closed."""
    await connection.execute(CLOSE_EXPIRED, tenant_id)
    return int(await connection.fetchval(COUNT_OPEN, tenant_id))


async def add_invitation(connection: Connection, new: NewInvitation) -> Any:
    """Insert an invitation."""
    return await connection.fetchrow(
        ADD_INVITATION,
        new.tenant_id,
        new.id,
        new.phone,
        new.role,
        new.invited_by,
        new.token_hash,
        new.lifetime,
    )


async def list_invitations(
    connection: Connection, tenant_id: UUID, after: UUID | None, limit: int
) -> Sequence[Any]:
    """A page of a tenant's open invitations, oldest first."""
    return await connection.fetch(OPEN_INVITATIONS, tenant_id, after, limit)


async def lock_invitation(connection: Connection, tenant_id: UUID, invitation_id: UUID) -> str | None:
    """The role that an open invitation is for, held until the transaction ends."""
    role: str | None = await connection.fetchval(LOCK_INVITATION, tenant_id, invitation_id)
    return role


async def withdraw(connection: Connection, tenant_id: UUID, invitation_id: UUID) -> None:
    """Close an invitation that is held."""
    await connection.execute(WITHDRAW, tenant_id, invitation_id)


async def withdraw_of(connection: Connection, tenant_id: UUID, user_id: UUID, *, but: Sequence[str]) -> None:
    """Close the open invitations that a member made, but for those to certain roles."""
    await connection.execute(WITHDRAW_OF, tenant_id, user_id, but)


async def list_to_person(connection: Connection, after: UUID | None, limit: int) -> Sequence[Any]:
    """A page of the open invitations of the phone of the person in scope, oldest first."""
    return await connection.fetch(TO_PERSON, after, limit)


async def find_to_person(connection: Connection, token_hash: bytes) -> Any:
    """The one of them that a token is for."""
    return await connection.fetchrow(TO_PERSON_BY_HASH, token_hash)


async def find_tenant_of_invitation(connection: Connection, invitation_id: UUID) -> UUID | None:
    """Which tenant invites the person in scope, be the invitation open or accepted."""
    tenant_id: UUID | None = await connection.fetchval(TENANT_OF_INVITATION, invitation_id)
    return tenant_id


async def answer(
    connection: Connection, tenant_id: UUID, invitation_id: UUID, user_id: UUID, outcome: str
) -> str | None:
    """Close an open invitation of this person's phone; the role it is for, or None when there is none."""
    role: str | None = await connection.fetchval(ANSWER, tenant_id, invitation_id, user_id, outcome)
    return role


async def find_outcome(connection: Connection, tenant_id: UUID, invitation_id: UUID) -> str | None:
    """What became of an invitation."""
    outcome: str | None = await connection.fetchval(OUTCOME, tenant_id, invitation_id)
    return outcome


async def offer(
    connection: Connection, tenant_id: UUID, from_user_id: UUID, to_user_id: UUID, lifetime: timedelta
) -> Any:
    """Offer the tenant to a member, in place of any other offer."""
    return await connection.fetchrow(OFFER, tenant_id, from_user_id, to_user_id, lifetime)


async def find_handover(connection: Connection, tenant_id: UUID) -> Any:
    """The offer that stands."""
    return await connection.fetchrow(HANDOVER, tenant_id)


async def end_handover(connection: Connection, tenant_id: UUID) -> UUID | None:
    """Delete the offer; to whom it was, or None when there is none."""
    offered_to: UUID | None = await connection.fetchval(END_HANDOVER, tenant_id)
    return offered_to


async def end_handover_from(connection: Connection, tenant_id: UUID, user_id: UUID) -> None:
    """Delete the offer if this member made it."""
    await connection.execute(END_HANDOVER_FROM, tenant_id, user_id)


async def take_handover(connection: Connection, tenant_id: UUID, user_id: UUID) -> UUID | None:
    """Delete the offer to this member; who made it, or None when there is none."""
    made_by: UUID | None = await connection.fetchval(TAKE_HANDOVER, tenant_id, user_id)
    return made_by


def _tenant(row: Any) -> Tenant | None:
    return None if row is None else Tenant(**dict(row))
