"""Queries on people and sessions. Hot ones are constant SQL for the asyncpg door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection

from tochka_core.accounts.models import Session, User

ID_BY_PHONE = "SELECT user_id_by_phone($1)"
GET_USER = "SELECT id, phone, name, locale, created_at FROM users WHERE id = $1"
ADD_USER = """
INSERT INTO users (id, phone, name, locale) VALUES ($1, $2, $3, $4)
RETURNING id, phone, name, locale, created_at
"""
UPDATE_USER = """
UPDATE users SET name = coalesce($2, name), locale = coalesce($3, locale) WHERE id = $1
RETURNING id, phone, name, locale, created_at
"""
# The lock lets sign-ins of one person through one by one, so that each sees the sessions before it.
ADD_CONFIRMED = """
WITH person AS (SELECT id FROM users WHERE id = $2 FOR NO KEY UPDATE)
INSERT INTO confirmed_challenges (challenge_id, user_id) SELECT $1, id FROM person
"""

IS_OPEN = """
SELECT revoked_at IS NULL AND least(idle_expires_at, expires_at) > now()
FROM sessions WHERE user_id = $1 AND id = $2
"""
IS_OPEN_NAMED = text(
    """
    SELECT revoked_at IS NULL AND least(idle_expires_at, expires_at) > now()
    FROM sessions WHERE user_id = :user_id AND id = :session_id
    """
)
# The sessions beyond the cap, longest unused first, end with the new one's beginning.
ADD_SESSION = """
WITH ended AS (
  UPDATE sessions SET revoked_at = $5 WHERE user_id = $1 AND id IN (
    SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND idle_expires_at > $5
    ORDER BY last_used_at DESC, id DESC OFFSET $8::integer)
)
INSERT INTO sessions (user_id, id, user_agent, ip, created_at, last_used_at, idle_expires_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $5, $6, $7)
"""
# Of parallel calls with one counter the row lock lets one through; the others find the counter moved on.
ROTATE = """
UPDATE sessions SET counter = counter + 1, rotated_at = $4, last_used_at = $4,
  user_agent = $6, ip = $7,
  idle_expires_at = least($4::timestamptz + $5::interval, expires_at)
WHERE user_id = $1 AND id = $2 AND counter = $3
  AND revoked_at IS NULL AND idle_expires_at > $4 AND expires_at > $4
RETURNING counter, created_at, idle_expires_at
"""
GET_SESSION = """
SELECT counter, created_at, rotated_at, idle_expires_at, expires_at, revoked_at
FROM sessions WHERE user_id = $1 AND id = $2
"""
REVOKE = """
UPDATE sessions SET revoked_at = coalesce(revoked_at, $3) WHERE user_id = $1 AND id = $2
RETURNING revoked_at = $3
"""
REVOKE_ALL = """
UPDATE sessions SET revoked_at = $3
WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A row of `sessions` to be."""

    user_id: UUID
    id: UUID
    user_agent: str
    ip: str | None
    created_at: datetime
    idle_expires_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Rotation:
    """A session whose counter has just moved on."""

    counter: int
    created_at: datetime
    idle_expires_at: datetime


async def find_user_id(connection: Connection, phone: str) -> UUID | None:
    """Whose phone it is; needs no scope, since nobody is signed in yet."""
    found: UUID | None = await connection.fetchval(ID_BY_PHONE, phone)
    return found


async def find_user(door: Connection | AsyncSession, user_id: UUID) -> User | None:
    """The person."""
    if isinstance(door, AsyncSession):
        return await door.get(User, user_id)
    return _user(await door.fetchrow(GET_USER, user_id))


async def add_user(connection: Connection, user_id: UUID, *, phone: str, name: str, locale: str) -> User:
    """Insert a person."""
    row = await connection.fetchrow(ADD_USER, user_id, phone, name, locale)
    return User(**dict(row or {}))


async def update_user(
    connection: Connection, user_id: UUID, *, name: str | None, locale: str | None
) -> User | None:
    """Change what is given."""
    return _user(await connection.fetchrow(UPDATE_USER, user_id, name, locale))


async def add_confirmed(connection: Connection, challenge_id: UUID, user_id: UUID) -> None:
    """Insert the row that only one confirmation of a challenge can insert."""
    await connection.execute(ADD_CONFIRMED, challenge_id, user_id)


async def is_session_open(door: Connection | AsyncSession, user_id: UUID, session_id: UUID) -> bool:
    """Whether the session exists and was not revoked."""
    if isinstance(door, AsyncSession):
        values = {"user_id": user_id, "session_id": session_id}
        return bool(await door.scalar(IS_OPEN_NAMED, values))
    return bool(await door.fetchval(IS_OPEN, user_id, session_id))


async def add_session(connection: Connection, new: NewSession, *, others: int) -> None:
    """Insert a session, and end all but `others` of the person's open ones: those used last stay."""
    await connection.execute(
        ADD_SESSION,
        new.user_id,
        new.id,
        new.user_agent,
        new.ip,
        new.created_at,
        new.idle_expires_at,
        new.expires_at,
        others,
    )


async def rotate(
    connection: Connection,
    user_id: UUID,
    session_id: UUID,
    counter: int,
    *,
    moment: datetime,
    idle: timedelta,
    user_agent: str,
    ip: str | None,
) -> Rotation | None:
    """Count an open session up from `counter`; None when it is not open, or not at `counter`."""
    row = await connection.fetchrow(ROTATE, user_id, session_id, counter, moment, idle, user_agent, ip)
    return None if row is None else Rotation(row["counter"], row["created_at"], row["idle_expires_at"])


async def find_session(connection: Connection, user_id: UUID, session_id: UUID) -> Session | None:
    """The session, open or not."""
    row = await connection.fetchrow(GET_SESSION, user_id, session_id)
    return None if row is None else Session(user_id=user_id, id=session_id, **dict(row))


async def revoke(connection: Connection, user_id: UUID, session_id: UUID, moment: datetime) -> bool | None:
    """End a session; False when it had ended before, None when there is none. The first end counts."""
    ended: bool | None = await connection.fetchval(REVOKE, user_id, session_id, moment)
    return ended


async def revoke_all(connection: Connection, user_id: UUID, spared: UUID | None, moment: datetime) -> None:
    """End every session of the person but the one that is spared."""
    await connection.execute(REVOKE_ALL, user_id, spared, moment)


async def list_sessions(
    session: AsyncSession, user_id: UUID, *, moment: datetime, after: UUID | None, limit: int
) -> Sequence[Session]:
    """A page of a person's open sessions, newest first."""
    query = (
        select(Session)
        .where(Session.user_id == user_id, Session.revoked_at.is_(None), Session.idle_expires_at > moment)
        .order_by(Session.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(Session.id < after)
    return (await session.scalars(query)).all()


def _user(row: Any) -> User | None:
    return None if row is None else User(**dict(row))
