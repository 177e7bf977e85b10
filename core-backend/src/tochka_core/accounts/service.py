"""Rules for people: codes, sessions, refresh tokens. Database work runs in its caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk import logs
from tochka_sdk.db import Connection, Scope, violates
from tochka_sdk.errors import DomainError
from tochka_sdk.ids import uuid7

from tochka_core.accounts import channels, limits, phones, repository
from tochka_core.accounts.codes import Challenge, Challenges, Issued
from tochka_core.accounts.errors import (
    CodeUsed,
    NotSignedIn,
    PersonUnknown,
    RefreshInvalid,
    SessionReplayed,
    SessionUnknown,
)
from tochka_core.accounts.models import Session, User
from tochka_core.accounts.refresh_tokens import ABSOLUTE, GRACE, IDLE, RefreshToken
from tochka_core.accounts.repository import NewSession
from tochka_core.accounts.schemas import (
    ChallengeCreate,
    ChallengeRead,
    Locale,
    SessionRead,
    UserRead,
    UserUpdate,
)
from tochka_core.resources import Resources

MAX_USER_AGENT = 400
_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """A session and the refresh token that is good for it now. `until` is when the token ends unless used."""

    user_id: UUID
    session_id: UUID
    refresh_token: str
    auth_time: datetime
    until: datetime


def _store(resources: Resources) -> Challenges:
    return Challenges(resources.redis, resources.keyring.code_pepper)


async def challenge(
    resources: Resources, new: ChallengeCreate, address: str | None, key: str | None
) -> tuple[ChallengeRead, bool]:
    """Send a code, unless the same request with the same key has done so: then its answer, and True.

    Whether the phone is known is not looked at, so that it cannot show.
    """
    channel = channels.get_channel(resources, new.channel)
    store = _store(resources)
    opened = Challenge(uuid7(), phones.normalise(new.phone), new.channel, new.token_delivery)
    if key is not None:
        first = await store.claim(key, opened)
        if first != opened.id:
            known = replace(opened, id=first)
            return _read(known, *await store.times(known)), True
    try:
        await limits.admit(resources.redis, limits.SENDS, address, resources.limits)
        issued = await store.open(opened)
    except DomainError:
        if key is not None:
            await store.release(key, opened)
        raise
    return await _send(channel, opened, issued), False


async def resend(resources: Resources, challenge_id: UUID, address: str | None) -> ChallengeRead:
    """Send a new code for a challenge; the code before it is dead from now on."""
    store = _store(resources)
    known = await store.get(challenge_id)
    channel = channels.get_channel(resources, known.channel)
    await limits.admit(resources.redis, limits.SENDS, address, resources.limits)
    return await _send(channel, known, await store.renew(known))


async def _send(channel: channels.CodeChannel, challenge: Challenge, issued: Issued) -> ChallengeRead:
    text = channels.TEXT.format(code=issued.code)
    message = channels.Message(str(uuid7()), challenge.phone, issued.code, text)
    await channels.deliver(channel, message)
    return _read(challenge, issued.expires_at, issued.resend_at)


def _read(challenge: Challenge, expires_at: datetime, resend_at: datetime) -> ChallengeRead:
    return ChallengeRead(
        challenge_id=challenge.id,
        channel=challenge.channel,
        links=[],
        code_length=limits.CODE_LENGTH,
        expires_at=expires_at,
        resend_at=resend_at,
    )


async def consume_code(resources: Resources, challenge_id: UUID, code: str, address: str | None) -> Challenge:
    """The challenge, for the one caller who brings its code first; an error for all others."""
    await limits.admit(resources.redis, limits.CONFIRMS, address, resources.limits)
    store = _store(resources)
    known = await store.get(challenge_id)
    await store.consume(known, code)
    return known


async def open_session(
    connection: Connection,
    resources: Resources,
    user_id: UUID,
    challenge_id: UUID,
    *,
    user_agent: str,
    address: str | None,
    moment: datetime,
) -> Grant:
    """A new session of somebody who has just proved to hold the phone; one per challenge.

    Raises:
        CodeUsed: the challenge has opened a session before.
    """
    try:
        await repository.add_confirmed(connection, challenge_id, user_id)
    except asyncpg.UniqueViolationError as error:
        if violates(error, "pk_confirmed_challenges"):
            raise CodeUsed from error
        raise
    new = NewSession(
        user_id=user_id,
        id=uuid7(),
        user_agent=user_agent[:MAX_USER_AGENT],
        ip=limits.known(address),
        created_at=moment,
        idle_expires_at=moment + IDLE,
        expires_at=moment + ABSOLUTE,
    )
    await repository.add_session(connection, new)
    token = RefreshToken(user_id, new.id, 0).render(resources.keyring.session_key)
    return Grant(user_id, new.id, token, moment, new.idle_expires_at)


async def rotate(
    connection: Connection, resources: Resources, presented: RefreshToken, moment: datetime
) -> Grant:
    """The successor of a refresh token, which is thereby used up.

    Raises:
        RefreshInvalid: the session has ended.
        SessionReplayed: the token was used before, and not just now; the session is revoked.
    """
    user_id, session_id, counter = presented.user_id, presented.session_id, presented.counter
    moved = await repository.rotate(connection, user_id, session_id, counter, moment=moment, idle=IDLE)
    if moved is not None:
        now_at, since, until = moved.counter, moved.created_at, moved.idle_expires_at
    else:
        session = await _lost_race(connection, presented, moment)
        now_at, since, until = session.counter, session.created_at, session.idle_expires_at
    token = RefreshToken(user_id, session_id, now_at).render(resources.keyring.session_key)
    return Grant(user_id, session_id, token, since, until)


async def _lost_race(connection: Connection, presented: RefreshToken, moment: datetime) -> Session:
    """The session, if the token was used by another tab in this very moment."""
    session = await repository.find_session(connection, presented.user_id, presented.session_id)
    if session is None or session.revoked_at is not None or session.idle_expires_at <= moment:
        raise RefreshInvalid
    if presented.counter >= session.counter:
        raise RefreshInvalid  # from the future: the database is older than the token
    is_parent = presented.counter == session.counter - 1
    if is_parent and session.rotated_at is not None and moment - session.rotated_at <= GRACE:
        return session
    await repository.revoke(connection, presented.user_id, presented.session_id, moment)
    _log.warning("accounts.refresh_replayed", user_id=str(presented.user_id), sid=str(presented.session_id))
    raise SessionReplayed


async def require_open_session(door: Connection | AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """Refuse the holder of a token whose session was ended."""
    if not await repository.is_session_open(door, user_id, session_id):
        raise NotSignedIn("The session has ended.")


async def end_session(connection: Connection, user_id: UUID, session_id: UUID, moment: datetime) -> None:
    """End one session of the person."""
    if not await repository.revoke(connection, user_id, session_id, moment):
        raise SessionUnknown


async def sign_out(resources: Resources, user_id: UUID, session_id: UUID, moment: datetime) -> None:
    """End a session in a transaction of its own: nobody needs to be signed in to sign out."""
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        await repository.revoke(connection, user_id, session_id, moment)


async def find_user_id(connection: Connection, phone: str) -> UUID | None:
    """Whose phone it is."""
    return await repository.find_user_id(connection, phone)


async def add_user(connection: Connection, user_id: UUID, *, phone: str, name: str, locale: Locale) -> User:
    """A new person."""
    return await repository.add_user(connection, user_id, phone=phone, name=name, locale=locale)


async def get_user(door: Connection | AsyncSession, user_id: UUID) -> User:
    """The person."""
    user = await repository.find_user(door, user_id)
    if user is None:
        raise PersonUnknown
    return user


async def update_user(connection: Connection, user_id: UUID, change: UserUpdate) -> User:
    """Change what is given."""
    user = await repository.update_user(connection, user_id, name=change.name, locale=change.locale)
    if user is None:
        raise PersonUnknown
    return user


async def list_sessions(
    session: AsyncSession, user_id: UUID, *, moment: datetime, after: UUID | None, limit: int
) -> Sequence[Session]:
    """A page of the person's open sessions."""
    return await repository.list_sessions(session, user_id, moment=moment, after=after, limit=limit)


def read_user(user: User) -> UserRead:
    """The person, as that person sees it."""
    return UserRead(
        id=user.id,
        phone=user.phone,
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
