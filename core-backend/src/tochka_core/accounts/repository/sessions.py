"""Queries on sessions. Hot ones are constant SQL for the asyncpg door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection

from tochka_core.accounts.models import Session

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
# The sessions beyond the cap, longest unused first, end with the new one's beginning. Of a challenge there is
# one, if any: a second row of `confirmed_challenges` is refused.
ADD_SESSION = """
WITH confirmed AS (
  INSERT INTO confirmed_challenges (challenge_id, user_id)
  SELECT $10::uuid, $1::uuid WHERE $10::uuid IS NOT NULL
), ended AS (
  UPDATE sessions SET revoked_at = $5 WHERE user_id = $1 AND id IN (
    SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND idle_expires_at > $5
    ORDER BY last_used_at DESC, id DESC OFFSET $8::integer)
  RETURNING id
), added AS (
  INSERT INTO sessions
    (user_id, id, user_agent, ip, created_at, last_used_at, idle_expires_at, expires_at, method, tenant_id)
  VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $9, $11)
)
SELECT id FROM ended
"""
# Of parallel calls with one counter the row lock lets one through; the others find the counter moved on.
ROTATE = """
UPDATE sessions SET counter = counter + 1, rotated_at = $4, last_used_at = $4,
  user_agent = $6, ip = $7, tenant_id = coalesce($8, tenant_id),
  idle_expires_at = least($4::timestamptz + $5::interval, expires_at)
WHERE user_id = $1 AND id = $2 AND counter = $3
  AND revoked_at IS NULL AND idle_expires_at > $4 AND expires_at > $4
RETURNING counter, coalesce(authenticated_at, created_at) AS authenticated_at, method, idle_expires_at,
  tenant_id
"""
GET_SESSION = """
SELECT counter, created_at, rotated_at, idle_expires_at, expires_at, revoked_at, authenticated_at, method,
  tenant_id
FROM sessions WHERE user_id = $1 AND id = $2
"""
REVOKE = """
UPDATE sessions SET revoked_at = coalesce(revoked_at, $3) WHERE user_id = $1 AND id = $2
RETURNING revoked_at = $3
"""
REVOKE_ALL = """
UPDATE sessions SET revoked_at = $3
WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL
RETURNING id, least(idle_expires_at, expires_at) > $3 AS was_open
"""
REAUTHENTICATE = """
UPDATE sessions SET authenticated_at = $3, method = $4
WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL AND idle_expires_at > $3 AND expires_at > $3
RETURNING true
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
    method: str
    tenant_id: UUID | None


@dataclass(frozen=True, slots=True)
class Rotation:
    """A session whose counter has just moved on."""

    counter: int
    authenticated_at: datetime
    method: str
    idle_expires_at: datetime
    tenant_id: UUID | None


async def is_session_open(door: Connection | AsyncSession, user_id: UUID, session_id: UUID) -> bool:
    """Whether the session exists and was not revoked."""
    if isinstance(door, AsyncSession):
        values = {"user_id": user_id, "session_id": session_id}
        return bool(await door.scalar(IS_OPEN_NAMED, values))
    return bool(await door.fetchval(IS_OPEN, user_id, session_id))


async def add_session(
    connection: Connection, new: NewSession, *, others: int, challenge_id: UUID | None
) -> list[UUID]:
    """Insert a session, and end all but `others` of the person's open ones: those used last stay. Back: which
    ended. The constraint `pk_confirmed_challenges` tells that the challenge has opened one before.

    The caller holds the person's row, so that each sign-in sees the sessions before it.
    """
    times = (new.created_at, new.idle_expires_at, new.expires_at)
    what = (new.user_id, new.id, new.user_agent, new.ip)
    ended = await connection.fetch(
        ADD_SESSION, *what, *times, others, new.method, challenge_id, new.tenant_id
    )
    return [row["id"] for row in ended]


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
    tenant_id: UUID | None,
) -> Rotation | None:
    """Count an open session up from `counter`, and let it be in `tenant_id`, if one is given; None when it is
    not open, or not at `counter`.
    """
    whence = (user_agent, ip, tenant_id)
    row = await connection.fetchrow(ROTATE, user_id, session_id, counter, moment, idle, *whence)
    return None if row is None else Rotation(**dict(row))


async def find_session(connection: Connection, user_id: UUID, session_id: UUID) -> Session | None:
    """The session, open or not."""
    row = await connection.fetchrow(GET_SESSION, user_id, session_id)
    return None if row is None else Session(user_id=user_id, id=session_id, **dict(row))


async def revoke(connection: Connection, user_id: UUID, session_id: UUID, moment: datetime) -> bool | None:
    """End a session; False when it had ended before, None when there is none. The first end counts."""
    ended: bool | None = await connection.fetchval(REVOKE, user_id, session_id, moment)
    return ended


async def revoke_all(
    connection: Connection, user_id: UUID, spared: UUID | None, moment: datetime
) -> list[UUID]:
    """End every session of the person but the one that is spared. Back: which of them were open."""
    rows = await connection.fetch(REVOKE_ALL, user_id, spared, moment)
    return [row["id"] for row in rows if row["was_open"]]


async def reauthenticate(
    connection: Connection, user_id: UUID, session_id: UUID, moment: datetime, method: str
) -> bool:
    """Note that the person was asked again; False when the session is not open any more."""
    return bool(await connection.fetchval(REAUTHENTICATE, user_id, session_id, moment, method))


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
