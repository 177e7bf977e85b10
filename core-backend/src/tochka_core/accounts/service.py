"""Rules for people: their sessions and refresh tokens. Database work runs in its caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk import logs
from tochka_sdk.db import Connection, Connections, Scope, violates
from tochka_sdk.ids import uuid7

from tochka_core import limits
from tochka_core.accounts.browsers import Caller
from tochka_core.accounts.errors import (
    CodeUsed,
    NotSignedIn,
    PersonUnknown,
    RefreshInvalid,
    SessionReplayed,
    SessionUnknown,
)
from tochka_core.accounts.models import Session, User
from tochka_core.accounts.refresh_tokens import ABSOLUTE, GRACE, IDLE, MOST_SESSIONS, RefreshToken
from tochka_core.accounts.repository import people, sessions
from tochka_core.accounts.repository import phone_changes as changes
from tochka_core.accounts.schemas import (
    Locale,
    Method,
    PhoneChangeRead,
    ProfileRead,
    SessionRead,
    UserRead,
    UserUpdate,
)
from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.resources import Resources

MAX_USER_AGENT = 400
SESSION_ENDED = "The session has ended."
_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """A session and the refresh token that is good for it now. `until` is when the token ends unless used;
    `tenant_id` is the tenant that the session is in, if it is in one.
    """

    user_id: UUID
    session_id: UUID
    refresh_token: str
    auth_time: datetime
    method: Method
    until: datetime
    tenant_id: UUID | None


async def open_session(
    connection: Connection,
    resources: Resources,
    user_id: UUID,
    caller: Caller,
    *,
    challenge_id: UUID | None,
    method: Method,
    tenant_id: UUID | None,
    moment: datetime,
) -> Grant:
    """A new session of somebody who has just proved to hold the phone, one per challenge, or knows the
    password (the caller holds the person's row).

    Raises:
        CodeUsed: the challenge has opened a session before.
    """
    new = sessions.NewSession(
        user_id=user_id,
        id=uuid7(),
        user_agent=caller.user_agent[:MAX_USER_AGENT],
        ip=limits.known(caller.address),
        created_at=moment,
        idle_expires_at=moment + IDLE,
        expires_at=moment + ABSOLUTE,
        method=method,
        tenant_id=tenant_id,
    )
    ended = await _add_session(connection, new, challenge_id)
    await _note_ended(connection, Actor(user_id, new.id, caller.address), ended)
    token = RefreshToken(user_id, new.id, 0).render(resources.keyring.session_key)
    return Grant(user_id, new.id, token, moment, method, new.idle_expires_at, tenant_id)


async def _add_session(
    connection: Connection, new: sessions.NewSession, challenge_id: UUID | None
) -> list[UUID]:
    try:
        return await sessions.add_session(
            connection, new, others=MOST_SESSIONS - 1, challenge_id=challenge_id
        )
    except asyncpg.UniqueViolationError as error:
        if violates(error, "pk_confirmed_challenges"):
            raise CodeUsed from error
        raise


async def rotate(
    connection: Connection,
    resources: Resources,
    presented: RefreshToken,
    *,
    tenant_id: UUID | None,
    user_agent: str,
    address: str | None,
    moment: datetime,
) -> Grant:
    """The successor of a refresh token, which is thereby used up; from where is what the session shows. It
    moves to `tenant_id`, if one is given.

    Raises:
        RefreshInvalid: the session has ended.
        SessionReplayed: the token was used before, and not just now; the session is revoked.
    """
    user_id, session_id, counter = presented.user_id, presented.session_id, presented.counter
    moved = await sessions.rotate(
        connection,
        user_id,
        session_id,
        counter,
        moment=moment,
        idle=IDLE,
        user_agent=user_agent[:MAX_USER_AGENT],
        ip=limits.known(address),
        tenant_id=tenant_id,
    )
    if moved is not None:
        now_at, until = moved.counter, moved.idle_expires_at
        since, method, stays_in = moved.authenticated_at, moved.method, moved.tenant_id
    else:
        session = await _lost_race(connection, presented, address, moment)
        now_at, until = session.counter, session.idle_expires_at
        since, method = session.authenticated_at or session.created_at, session.method
        stays_in = tenant_id or session.tenant_id
    token = RefreshToken(user_id, session_id, now_at).render(resources.keyring.session_key)
    return Grant(user_id, session_id, token, since, cast("Method", method), until, stays_in)


async def _lost_race(
    connection: Connection, presented: RefreshToken, address: str | None, moment: datetime
) -> Session:
    """The session, if the token was used by another tab in this very moment."""
    session = await sessions.find_session(connection, presented.user_id, presented.session_id)
    if session is None or session.revoked_at is not None or session.idle_expires_at <= moment:
        raise RefreshInvalid
    if presented.counter >= session.counter:
        raise RefreshInvalid  # from the future: the database is older than the token
    is_parent = presented.counter == session.counter - 1
    if is_parent and session.rotated_at is not None and moment - session.rotated_at <= GRACE:
        return session
    await people.lock_user(connection, presented.user_id)
    if await sessions.revoke(connection, presented.user_id, presented.session_id, moment):
        by = Actor(presented.user_id, presented.session_id, address)
        await audit.record(connection, "session.replayed", by=by)
        await _note_stopped(
            connection,
            by,
            await changes.close_asked_in(connection, presented.user_id, presented.session_id, moment),
        )
    _log.warning("accounts.refresh_replayed", user_id=str(presented.user_id), sid=str(presented.session_id))
    raise SessionReplayed


async def require_open_session(door: Connection | AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """Refuse the holder of a token whose session was ended, or has outlived its time."""
    if not await sessions.is_session_open(door, user_id, session_id):
        raise NotSignedIn(SESSION_ENDED)


async def end_session(
    connection: Connection, user_id: UUID, session_id: UUID, by: Actor, moment: datetime
) -> None:
    """End one session of the person, who asks for it in the same one or in another.

    Raises:
        SessionUnknown: there is none.
    """
    await people.lock_user(connection, user_id)
    ended = await sessions.revoke(connection, user_id, session_id, moment)
    if ended is None:
        raise SessionUnknown
    if ended:
        await _note_ended(connection, by, [session_id])
    await _note_stopped(connection, by, await changes.close_asked_in(connection, user_id, session_id, moment))


async def end_sessions(
    connection: Connection, user_id: UUID, by: Actor, moment: datetime, *, spared: UUID | None
) -> None:
    """End all sessions of the person but the one that is spared, and what was begun in any other: whoever
    throws a stranger out is rid of the number that the stranger meant to put in the place of one's own, too.
    (The person's row is held, so that nothing is being begun.)
    """
    await people.lock_user(connection, user_id)
    await _note_ended(connection, by, await sessions.revoke_all(connection, user_id, spared, moment))
    stopped = await changes.close_asked_elsewhere(connection, user_id, spared, moment)
    await _note_stopped(connection, by, stopped)


async def _note_ended(connection: Connection, by: Actor, ended: Sequence[UUID]) -> None:
    for session_id in ended:
        await audit.record(connection, "session.ended", by=by, subject_id=session_id)


async def _note_stopped(connection: Connection, by: Actor, stopped: Sequence[Any]) -> None:
    for change in stopped:
        data = {"new_phone": change["phone"]}
        await audit.record(connection, "phone.change_cancelled", by=by, subject_id=change["id"], data=data)


async def sign_out(resources: Resources, user_id: UUID, session_id: UUID, moment: datetime) -> None:
    """End a session in a transaction of its own: nobody needs to be signed in to sign out."""
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        if await sessions.revoke(connection, user_id, session_id, moment):
            await audit.record(connection, "person.signed_out", by=Actor(user_id, session_id))


async def find_user_id(connections: Connections, phone: str) -> UUID | None:
    """Whose phone it is."""
    return await people.find_user_id(connections, phone)


async def add_user(connection: Connection, user_id: UUID, *, phone: str, name: str, locale: Locale) -> User:
    """A new person."""
    return await people.add_user(connection, user_id, phone=phone, name=name, locale=locale)


async def get_user(connection: Connection, user_id: UUID) -> User:
    """The person."""
    user = await people.find_user(connection, user_id)
    if user is None:
        raise PersonUnknown
    return user


async def update_user(connection: Connection, user_id: UUID, change: UserUpdate) -> User:
    """Change what is given."""
    user = await people.update_user(connection, user_id, name=change.name, locale=change.locale)
    if user is None:
        raise PersonUnknown
    return user


async def list_sessions(
    session: AsyncSession, user_id: UUID, *, moment: datetime, after: UUID | None, limit: int
) -> Sequence[Session]:
    """A page of the person's open sessions."""
    return await sessions.list_sessions(session, user_id, moment=moment, after=after, limit=limit)


async def profile(door: Connection | Connections, user_id: UUID, session_id: UUID) -> ProfileRead:
    """A session's holder with what is set up for signing in; in a transaction of its own if there is none.

    Raises:
        NotSignedIn: the session was ended, or has outlived its time.
    """
    row = await people.find_profile(door, user_id, session_id)
    if row is None or not row["is_open"]:
        raise NotSignedIn(SESSION_ENDED)
    change = None
    if row["change_id"] is not None:
        change = PhoneChangeRead(
            id=row["change_id"],
            phone=row["change_phone"],
            requested_at=row["change_created_at"],
            due_at=row["change_due_at"],
        )
    return ProfileRead(
        id=row["id"],
        phone=row["phone"],
        name=row["name"],
        locale=row["locale"],
        created_at=row["created_at"],
        has_password=row["has_password"],
        phone_change=change,
    )


def read_user(user: User) -> UserRead:
    """The person, as that person sees it."""
    return UserRead(
        id=user.id,
        phone=user.phone or "",
        name=user.name,
        locale=cast("Locale", user.locale),
        created_at=user.created_at,
    )


def read_session(session: Session, current: UUID) -> SessionRead:
    """A session, as its person sees it."""
    return SessionRead(
        id=session.id,
        user_agent=session.user_agent,
        ip=None if session.ip is None else str(session.ip),
        created_at=session.created_at,
        last_used_at=session.last_used_at,
        expires_at=session.idle_expires_at,
        current=session.id == current,
    )
