"""Queries on people and sessions. Hot ones are constant SQL for the asyncpg door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection, Connections, Scope

from tochka_core.accounts.models import Session, User

ID_BY_PHONE = "SELECT user_id_by_phone($1)"
GET_USER = "SELECT id, phone, name, locale, created_at FROM users WHERE id = $1"
ADD_USER = """
INSERT INTO users (id, phone, name, locale) VALUES ($1, $2, $3, $4)
RETURNING id, phone, name, locale, created_at
"""
# The lock lets whatever opens or ends somebody's sessions through one by one.
LOCK_USER = "SELECT phone FROM users WHERE id = $1 FOR NO KEY UPDATE"
GET_PROFILE = """
SELECT s.revoked_at IS NULL AND least(s.idle_expires_at, s.expires_at) > now() AS is_open,
  u.id, coalesce(u.phone, '') AS phone, u.name, u.locale, u.created_at,
  p.user_id IS NOT NULL AS has_password, c.id AS change_id, c.phone AS change_phone,
  c.created_at AS change_created_at, c.due_at AS change_due_at
FROM sessions s JOIN users u ON u.id = s.user_id
LEFT JOIN passwords p ON p.user_id = u.id
LEFT JOIN phone_changes c ON c.user_id = u.id AND c.closed_at IS NULL
WHERE s.user_id = $1 AND s.id = $2
"""
UPDATE_USER = """
UPDATE users SET name = coalesce($2, name), locale = coalesce($3, locale) WHERE id = $1
RETURNING id, phone, name, locale, created_at
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
)
INSERT INTO sessions
  (user_id, id, user_agent, ip, created_at, last_used_at, idle_expires_at, expires_at, method)
VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $9)
"""
# Of parallel calls with one counter the row lock lets one through; the others find the counter moved on.
ROTATE = """
UPDATE sessions SET counter = counter + 1, rotated_at = $4, last_used_at = $4,
  user_agent = $6, ip = $7,
  idle_expires_at = least($4::timestamptz + $5::interval, expires_at)
WHERE user_id = $1 AND id = $2 AND counter = $3
  AND revoked_at IS NULL AND idle_expires_at > $4 AND expires_at > $4
RETURNING counter, coalesce(authenticated_at, created_at) AS authenticated_at, method, idle_expires_at
"""
GET_SESSION = """
SELECT counter, created_at, rotated_at, idle_expires_at, expires_at, revoked_at, authenticated_at, method
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
REAUTHENTICATE = """
UPDATE sessions SET authenticated_at = $3, method = $4
WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL AND idle_expires_at > $3 AND expires_at > $3
RETURNING true
"""

FIND_HASH = "SELECT hash FROM passwords WHERE user_id = $1"
HOLD_HASH = "SELECT true FROM passwords WHERE user_id = $1 AND hash = $2 FOR UPDATE"
PUT_HASH = """
INSERT INTO passwords (user_id, hash) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = now()
"""
REMOVE_HASH = "DELETE FROM passwords WHERE user_id = $1 RETURNING true"

# How well the holder of a phone is known: FOR NO KEY UPDATE as in LOCK_USER.
GET_STANDING = """
SELECT greatest(u.created_at, u.phone_since,
    (SELECT max(s.last_used_at) FROM sessions s WHERE s.user_id = u.id)) AS used_at,
  (SELECT m.chat FROM messenger_accounts m WHERE m.user_id = u.id AND m.kind = $3) AS chat,
  EXISTS (SELECT 1 FROM passwords p WHERE p.user_id = u.id) AS has_password,
  EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.revoked_at IS NULL
    AND least(s.idle_expires_at, s.expires_at) > now()) AS is_signed_in,
  u.name, u.locale, u.created_at
FROM users u WHERE u.id = $1 AND u.phone = $2 FOR NO KEY UPDATE OF u
"""
LINK = """
INSERT INTO messenger_accounts (user_id, kind, chat) VALUES ($1, $2, $3)
ON CONFLICT (user_id, kind) DO UPDATE SET chat = excluded.chat, linked_at = now()
"""
UNLINK = "DELETE FROM messenger_accounts WHERE user_id = $1"
LIST_LINKS = "SELECT kind, chat FROM messenger_accounts WHERE user_id = $1 ORDER BY kind"
RELEASE_PHONE = """
UPDATE users SET released_phone = phone, phone = NULL WHERE id = $1 AND phone = $2 RETURNING true
"""
MOVE_PHONE = "UPDATE users SET phone = $2, phone_since = now(), released_phone = NULL WHERE id = $1"
FORMER = "SELECT user_ids_by_former_phone($1)"

ADD_CHANGE = """
INSERT INTO phone_changes (user_id, id, phone, asked_in, created_at, due_at, notice_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
FIND_CHANGE = """
SELECT id, phone, asked_in, created_at, due_at FROM phone_changes
WHERE user_id = $1 AND id = $2 AND closed_at IS NULL
"""
CLOSE_CHANGE = """
UPDATE phone_changes SET closed_at = $3, outcome = $4, notice_at = NULL
WHERE user_id = $1 AND id = $2 AND closed_at IS NULL RETURNING phone, asked_in
"""
CLOSE_CHANGES = """
UPDATE phone_changes SET closed_at = $2, outcome = $3, notice_at = NULL
WHERE user_id = $1 AND closed_at IS NULL
"""
DUE_CHANGES = """
SELECT user_id, id FROM phone_changes WHERE closed_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT 50
"""
# A lease: whoever dies while telling leaves it to somebody else, later.
CLAIM_NOTICES = """
WITH due AS (
  SELECT user_id, id FROM phone_changes WHERE notice_at <= $1 ORDER BY notice_at LIMIT 50
  FOR UPDATE SKIP LOCKED)
UPDATE phone_changes c SET notice_at = $1::timestamptz + $2::interval FROM due
WHERE c.user_id = due.user_id AND c.id = due.id
RETURNING c.user_id, c.id, c.phone, c.due_at
"""
NOTICED = "UPDATE phone_changes SET notice_at = NULL WHERE user_id = $1 AND id = $2"


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


@dataclass(frozen=True, slots=True)
class Rotation:
    """A session whose counter has just moved on."""

    counter: int
    authenticated_at: datetime
    method: str
    idle_expires_at: datetime


async def find_user_id(door: Connection | Connections, phone: str) -> UUID | None:
    """Whose phone it is; needs no scope, since nobody is signed in yet."""
    if isinstance(door, Connections):
        row = await door.read_system(
            "looks up whose phone it is, before anyone is signed in", ID_BY_PHONE, phone
        )
        return None if row is None else row[0]
    found: UUID | None = await door.fetchval(ID_BY_PHONE, phone)
    return found


async def find_user(connection: Connection, user_id: UUID) -> User | None:
    """The person."""
    return _user(await connection.fetchrow(GET_USER, user_id))


async def find_profile(door: Connection | Connections, user_id: UUID, session_id: UUID) -> Any:
    """The session's holder with password or not and the pending change of phone; whether it stands."""
    if isinstance(door, Connections):
        return await door.read(Scope(user_id=user_id), GET_PROFILE, user_id, session_id)
    return await door.fetchrow(GET_PROFILE, user_id, session_id)


async def lock_user(connection: Connection, user_id: UUID) -> str | None:
    """The person's phone, which nobody else changes until the transaction ends."""
    phone: str | None = await connection.fetchval(LOCK_USER, user_id)
    return phone


async def add_user(connection: Connection, user_id: UUID, *, phone: str, name: str, locale: str) -> User:
    """Insert a person."""
    row = await connection.fetchrow(ADD_USER, user_id, phone, name, locale)
    return User(**dict(row or {}))


async def update_user(
    connection: Connection, user_id: UUID, *, name: str | None, locale: str | None
) -> User | None:
    """Change what is given."""
    return _user(await connection.fetchrow(UPDATE_USER, user_id, name, locale))


async def is_session_open(door: Connection | AsyncSession, user_id: UUID, session_id: UUID) -> bool:
    """Whether the session exists and was not revoked."""
    if isinstance(door, AsyncSession):
        values = {"user_id": user_id, "session_id": session_id}
        return bool(await door.scalar(IS_OPEN_NAMED, values))
    return bool(await door.fetchval(IS_OPEN, user_id, session_id))


async def add_session(
    connection: Connection, new: NewSession, *, others: int, challenge_id: UUID | None
) -> None:
    """Insert a session, and end all but `others` of the person's open ones: those used last stay. The
    constraint `pk_confirmed_challenges` tells that the challenge has opened one before.

    The caller holds the person's row, so that each sign-in sees the sessions before it.
    """
    times = (new.created_at, new.idle_expires_at, new.expires_at)
    await connection.execute(
        ADD_SESSION, new.user_id, new.id, new.user_agent, new.ip, *times, others, new.method, challenge_id
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
    return None if row is None else Rotation(**dict(row))


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


async def reauthenticate(
    connection: Connection, user_id: UUID, session_id: UUID, moment: datetime, method: str
) -> bool:
    """Note that the person was asked again; False when the session is not open any more."""
    return bool(await connection.fetchval(REAUTHENTICATE, user_id, session_id, moment, method))


async def find_password(connection: Connection, user_id: UUID) -> str | None:
    """The hash of the person's password."""
    found: str | None = await connection.fetchval(FIND_HASH, user_id)
    return found


async def hold_password(connection: Connection, user_id: UUID, hash: str) -> bool:
    """Whether this is still the hash; it stays so until the transaction ends."""
    return bool(await connection.fetchval(HOLD_HASH, user_id, hash))


async def put_password(connection: Connection, user_id: UUID, hash: str) -> None:
    """Store a hash in the place of another, if there is one."""
    await connection.execute(PUT_HASH, user_id, hash)


async def remove_password(connection: Connection, user_id: UUID) -> bool:
    """Remove the password; False when there was none."""
    return bool(await connection.fetchval(REMOVE_HASH, user_id))


async def find_standing(connection: Connection, user_id: UUID, phone: str, kind: str) -> Any:
    """How well the holder of the phone is known, held; None when it is not this person's any more."""
    return await connection.fetchrow(GET_STANDING, user_id, phone, kind)


async def link(connection: Connection, user_id: UUID, kind: str, chat: str) -> None:
    """Note with which account of a messenger the person signs in."""
    await connection.execute(LINK, user_id, kind, chat)


async def unlink(connection: Connection, user_id: UUID) -> None:
    """Forget the person's accounts of messengers."""
    await connection.execute(UNLINK, user_id)


async def list_links(connection: Connection, user_id: UUID) -> Sequence[Any]:
    """The person's accounts of messengers."""
    return await connection.fetch(LIST_LINKS, user_id)


async def release_phone(connection: Connection, user_id: UUID, phone: str) -> bool:
    """Take a phone from the person; False when it was not that person's any more."""
    return bool(await connection.fetchval(RELEASE_PHONE, user_id, phone))


async def move_phone(connection: Connection, user_id: UUID, phone: str) -> None:
    """Give the person another phone. The constraint `uq_users_phone` tells that it is somebody's."""
    await connection.execute(MOVE_PHONE, user_id, phone)


async def list_former(connection: Connection, phone: str) -> list[UUID]:
    """Who had the phone until somebody else proved to hold it; needs no scope."""
    return [row[0] for row in await connection.fetch(FORMER, phone)]


async def add_change(
    connection: Connection,
    user_id: UUID,
    change_id: UUID,
    *,
    phone: str,
    asked_in: UUID,
    moment: datetime,
    due_at: datetime,
    notice_at: datetime | None,
) -> None:
    """Insert a pending change of phone."""
    await connection.execute(ADD_CHANGE, user_id, change_id, phone, asked_in, moment, due_at, notice_at)


async def find_change(connection: Connection, user_id: UUID, change_id: UUID) -> Any:
    """A pending change of the person's phone."""
    return await connection.fetchrow(FIND_CHANGE, user_id, change_id)


async def close_change(
    connection: Connection, user_id: UUID, change_id: UUID, moment: datetime, outcome: str
) -> Any:
    """Close a pending change; what it was, or None when it was closed before."""
    return await connection.fetchrow(CLOSE_CHANGE, user_id, change_id, moment, outcome)


async def close_changes(connection: Connection, user_id: UUID, moment: datetime, outcome: str) -> None:
    """Close whatever change is pending."""
    await connection.execute(CLOSE_CHANGES, user_id, moment, outcome)


async def list_due_changes(connection: Connection, moment: datetime) -> Sequence[Any]:
    """Some of the changes whose time has come (jobs role)."""
    return await connection.fetch(DUE_CHANGES, moment)


async def claim_notices(connection: Connection, moment: datetime, lease: timedelta) -> Sequence[Any]:
    """Some of the changes of which somebody is to be told now, by this caller (jobs role)."""
    return await connection.fetch(CLAIM_NOTICES, moment, lease)


async def note_told(connection: Connection, user_id: UUID, change_id: UUID) -> None:
    """Somebody was told (jobs role)."""
    await connection.execute(NOTICED, user_id, change_id)


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
