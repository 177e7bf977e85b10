"""Rules for people: codes, sessions, refresh tokens. Database work runs in its caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk import logs
from tochka_sdk.db import Connection, Scope, violates
from tochka_sdk.errors import DomainError
from tochka_sdk.ids import uuid7

from tochka_core import limits
from tochka_core.accounts import browsers, budgets, handshakes, phones, repository
from tochka_core.accounts.browsers import Browser
from tochka_core.accounts.codes import CODE_LENGTH, Challenge, Challenges, Issued
from tochka_core.accounts.errors import (
    ChannelUnavailable,
    CodeUsed,
    NotSignedIn,
    PersonUnknown,
    RefreshInvalid,
    SessionReplayed,
    SessionUnknown,
    TooManyTries,
)
from tochka_core.accounts.models import Session, User
from tochka_core.accounts.refresh_tokens import ABSOLUTE, GRACE, IDLE, MOST_SESSIONS, RefreshToken
from tochka_core.accounts.repository import NewSession
from tochka_core.accounts.schemas import (
    ChallengeCreate,
    ChallengeRead,
    ChannelRead,
    ChannelsRead,
    Locale,
    SessionRead,
    UserRead,
    UserUpdate,
)
from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.channels.public import KINDS
from tochka_core.channels.schemas import ChannelKind, Message
from tochka_core.resources import Resources

MAX_USER_AGENT = 400
TEXT = "Точка Роста: {code} — ваш код для входа. Никому его не сообщайте, сотрудники о нём не спрашивают."
_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """A session and the refresh token that is good for it now. `until` is when the token ends unless used."""

    user_id: UUID
    session_id: UUID
    refresh_token: str
    auth_time: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of asking for a code. `secret` is for the browser to keep, for `kept_s` seconds."""

    read: ChallengeRead
    secret: str | None
    kept_s: int
    is_repeated: bool


def _store(resources: Resources) -> Challenges:
    return Challenges(resources.redis, resources.keyring.code_pepper, resources.quotas)


async def challenge(resources: Resources, new: ChallengeCreate, browser: Browser, key: str | None) -> Asked:
    """Send a code, unless the same request with the same key has done so: then its answer.

    Whether the phone is known is not looked at, so that it cannot show.
    """
    _require_channel(resources, new.channel)
    store = _store(resources)
    opened = Challenge(uuid7(), phones.normalise(new.phone), new.channel, new.token_delivery)
    if key is not None:
        first = await store.claim(key, opened)
        if first != opened.id:
            known = replace(opened, id=first)
            read = _read(resources, known, *await store.times(known))
            return _asked(store, browser, known, read, is_repeated=True)
    opened = _bind(store, browser, opened)
    try:
        async with budgets.spending(resources.redis, resources.quotas, opened):
            issued = await store.open(opened)
    except DomainError:
        if key is not None:
            await store.release(key, opened)
        raise
    return _asked(store, browser, opened, await _send(resources, opened, issued), is_repeated=False)


def _secret(store: Challenges, browser: Browser, challenge: Challenge) -> str:
    return browser.secret or browsers.fresh_secret(str(challenge.id), store.pepper)


def _bind(store: Challenges, browser: Browser, challenge: Challenge) -> Challenge:
    """The challenge, bound to the browser that asks for it, unless it is for a native client."""
    if challenge.delivery == "body":
        return challenge
    mark = browsers.mark(_secret(store, browser, challenge), store.pepper)
    return replace(challenge, browser=mark, is_bound=browser.is_one)


def _asked(
    store: Challenges, browser: Browser, challenge: Challenge, read: ChallengeRead, *, is_repeated: bool
) -> Asked:
    secret = None if challenge.delivery == "body" else _secret(store, browser, challenge)
    return Asked(read, secret, store.kept_s, is_repeated)


async def resend(resources: Resources, challenge_id: UUID, browser: Browser) -> Asked:
    """Send a new code for a challenge; the code before it is dead from now on."""
    store = _store(resources)
    known = await store.get(challenge_id)
    store.require_browser(known, browser)
    _require_channel(resources, known.channel)
    async with budgets.spending(resources.redis, resources.quotas, known):
        issued = await store.renew(known)
    return _asked(store, browser, known, await _send(resources, known, issued), is_repeated=False)


def _require_channel(resources: Resources, kind: ChannelKind) -> None:
    if kind not in resources.channels.carriers:
        raise ChannelUnavailable


def read_channels(resources: Resources) -> ChannelsRead:
    """What carries codes here, in the order in which people choose."""
    carriers = resources.channels.carriers
    told = [ChannelRead(channel=kind, carrier=carriers[kind]) for kind in KINDS if kind in carriers]
    return ChannelsRead(channels=told)


def tell_of_channels(resources: Resources) -> None:
    """Say at the start of a process what carries codes, and that nobody will be able to sign in, if so."""
    carriers = resources.channels.carriers
    if carriers:
        _log.info("accounts.channels", **carriers)
    else:
        _log.warning("accounts.no_channel", detail="nothing is set up that carries codes: nobody can sign in")


async def _send(resources: Resources, challenge: Challenge, issued: Issued) -> ChallengeRead:
    """Push the code; or hand it to the bot's chat, or else open the way there: the code is then made anew."""
    kind = challenge.channel
    push = resources.channels.pushes.get(kind)
    if push is not None:
        text = TEXT.format(code=issued.code)
        outcome = await push.send(Message(str(uuid7()), challenge.phone, issued.code, text))
        handshakes.note(kind, challenge.phone, outcome)
    elif not await handshakes.send_to_chat(resources, challenge, issued.code):
        await handshakes.store_of(resources).open(challenge.id)
    return _read(resources, challenge, issued.expires_at, issued.resend_at)


def _read(
    resources: Resources, challenge: Challenge, expires_at: datetime, resend_at: datetime
) -> ChallengeRead:
    links = handshakes.links_of(resources, challenge)
    if links:  # the code is made when the bot is asked for it, and lives as long again
        expires_at += timedelta(seconds=resources.quotas.code_seconds)
    return ChallengeRead(
        challenge_id=challenge.id,
        channel=challenge.channel,
        carrier=resources.channels.carriers[challenge.channel],
        links=links,
        code_length=CODE_LENGTH,
        expires_at=expires_at,
        resend_at=resend_at,
    )


async def consume_code(
    resources: Resources, challenge_id: UUID, code: str, browser: Browser, address: str | None
) -> Challenge:
    """The challenge, for the one caller who brings its code first; an error for all others."""
    store = _store(resources)
    known = await store.get(challenge_id)
    store.require_browser(known, browser)
    try:
        await store.consume(known, code)
    except TooManyTries as error:
        if error.is_first:
            await _record_refusal(resources, known, address)
        raise
    return known


async def _record_refusal(resources: Resources, refused: Challenge, address: str | None) -> None:
    """Write down that somebody guesses. Whose phone it is, nobody looks up here either."""
    async with resources.connections.system("records that somebody unknown guesses codes") as connection:
        await audit.record(
            connection,
            "codes.refused",
            by=Actor(address=address),
            subject_id=refused.id,
            data={"phone": refused.phone, "channel": refused.channel},
        )


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
    await repository.add_session(connection, new, others=MOST_SESSIONS - 1)
    token = RefreshToken(user_id, new.id, 0).render(resources.keyring.session_key)
    return Grant(user_id, new.id, token, moment, new.idle_expires_at)


async def rotate(
    connection: Connection,
    resources: Resources,
    presented: RefreshToken,
    *,
    user_agent: str,
    address: str | None,
    moment: datetime,
) -> Grant:
    """The successor of a refresh token, which is thereby used up; from where is what the session shows.

    Raises:
        RefreshInvalid: the session has ended.
        SessionReplayed: the token was used before, and not just now; the session is revoked.
    """
    user_id, session_id, counter = presented.user_id, presented.session_id, presented.counter
    moved = await repository.rotate(
        connection,
        user_id,
        session_id,
        counter,
        moment=moment,
        idle=IDLE,
        user_agent=user_agent[:MAX_USER_AGENT],
        ip=limits.known(address),
    )
    if moved is not None:
        now_at, since, until = moved.counter, moved.created_at, moved.idle_expires_at
    else:
        session = await _lost_race(connection, presented, address, moment)
        now_at, since, until = session.counter, session.created_at, session.idle_expires_at
    token = RefreshToken(user_id, session_id, now_at).render(resources.keyring.session_key)
    return Grant(user_id, session_id, token, since, until)


async def _lost_race(
    connection: Connection, presented: RefreshToken, address: str | None, moment: datetime
) -> Session:
    """The session, if the token was used by another tab in this very moment."""
    session = await repository.find_session(connection, presented.user_id, presented.session_id)
    if session is None or session.revoked_at is not None or session.idle_expires_at <= moment:
        raise RefreshInvalid
    if presented.counter >= session.counter:
        raise RefreshInvalid  # from the future: the database is older than the token
    is_parent = presented.counter == session.counter - 1
    if is_parent and session.rotated_at is not None and moment - session.rotated_at <= GRACE:
        return session
    if await repository.revoke(connection, presented.user_id, presented.session_id, moment):
        by = Actor(presented.user_id, presented.session_id, address)
        await audit.record(connection, "session.replayed", by=by)
    _log.warning("accounts.refresh_replayed", user_id=str(presented.user_id), sid=str(presented.session_id))
    raise SessionReplayed


async def require_open_session(door: Connection | AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """Refuse the holder of a token whose session was ended, or has outlived its time."""
    if not await repository.is_session_open(door, user_id, session_id):
        raise NotSignedIn("The session has ended.")


async def end_session(
    connection: Connection, user_id: UUID, session_id: UUID, *, asked_in: UUID, moment: datetime
) -> None:
    """End one session of the person, who asks for it in the same one or in another."""
    ended = await repository.revoke(connection, user_id, session_id, moment)
    if ended is None:
        raise SessionUnknown
    if ended:
        await audit.record(connection, "session.ended", by=Actor(user_id, asked_in), subject_id=session_id)


async def end_sessions(
    connection: Connection, user_id: UUID, moment: datetime, *, spared: UUID | None
) -> None:
    """End all sessions of the person but the one that is spared."""
    await repository.revoke_all(connection, user_id, spared, moment)


async def sign_out(resources: Resources, user_id: UUID, session_id: UUID, moment: datetime) -> None:
    """End a session in a transaction of its own: nobody needs to be signed in to sign out."""
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        if await repository.revoke(connection, user_id, session_id, moment):
            await audit.record(connection, "person.signed_out", by=Actor(user_id, session_id))


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
