"""Queries on people: who has which phone, passwords, accounts of messengers."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection, Connections, Scope

from tochka_core.accounts.models import User

ID_BY_PHONE = "SELECT user_id_by_phone($1)"
ID_AND_DEAREST = "SELECT user_id_by_phone($1), dearest_bcrypt()"
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
  ARRAY(SELECT m.kind FROM messenger_accounts m WHERE m.user_id = u.id) AS messengers,
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


async def find_user_id(door: Connection | Connections, phone: str) -> UUID | None:
    """Whose phone it is; needs no scope, since nobody is signed in yet."""
    if isinstance(door, Connections):
        row = await door.read_system(
            "looks up whose phone it is, before anyone is signed in", ID_BY_PHONE, phone
        )
        return None if row is None else row[0]
    found: UUID | None = await door.fetchval(ID_BY_PHONE, phone)
    return found


async def find_claimed(connections: Connections, phone: str) -> tuple[UUID | None, int]:
    """Whose phone it is, and the highest cost of a bcrypt hash that anybody still has; 0 if nobody has."""
    row = await connections.read_system(
        "looks up whose phone it is, before anyone is signed in", ID_AND_DEAREST, phone
    )
    return (None, 0) if row is None else (row[0], row[1])


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


def _user(row: Any) -> User | None:
    return None if row is None else User(**dict(row))
