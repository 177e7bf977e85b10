"""What other slices do with people: know who asks, and open a transaction in that person's scope."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response
from tochka_sdk import clock
from tochka_sdk.db import Connection, Scope
from tochka_sdk.requests import bind

from tochka_core.accounts import (
    browsers,
    challenges,
    continuity,
    cookies,
    passwords,
    phones,
    reauthentication,
    service,
    tokens,
)
from tochka_core.accounts.browsers import Caller
from tochka_core.accounts.codes import Challenge
from tochka_core.accounts.continuity import Proof
from tochka_core.accounts.errors import NotSignedIn, RefreshInvalid
from tochka_core.accounts.passwords import Shown
from tochka_core.accounts.refresh_tokens import RefreshToken
from tochka_core.accounts.schemas import Locale, UserRead
from tochka_core.accounts.service import Grant
from tochka_core.accounts.tokens import Person
from tochka_core.resources import Resources, ResourcesDep, resources_of

__all__ = [
    "ACCESS_SECONDS",
    "Caller",
    "CallerDep",
    "Challenge",
    "Grant",
    "OptionalPersonDep",
    "Person",
    "PersonDep",
    "Proof",
    "RecentConnection",
    "RecentPersonDep",
    "RefreshToken",
    "SignedInPersonDep",
    "UserConnection",
    "UserHotTransaction",
    "UserRead",
    "UserSession",
    "UserTransaction",
    "add_user",
    "consume_code",
    "find_user_id",
    "get_user",
    "issue_access_token",
    "keep_in_question",
    "kept_in_question",
    "link",
    "normalise_password",
    "normalise_phone",
    "open_session",
    "open_session_with_password",
    "prove",
    "put_refresh_cookie",
    "read_refresh_token",
    "recognise",
    "release_phone",
    "require_open_session",
    "require_recent",
    "rotate",
    "show_password",
]

keep_in_question = continuity.keep
link = continuity.link
kept_in_question = continuity.kept
normalise_password = passwords.normalise
prove = continuity.prove
recognise = continuity.recognise
release_phone = continuity.release
require_recent = reauthentication.require_recent
show_password = passwords.show
ACCESS_SECONDS = int(tokens.LIFETIME.total_seconds())
_bearer = HTTPBearer(bearerFormat="JWT", auto_error=False, description="An access token of this platform.")


@dataclass(frozen=True, slots=True)
class UserTransaction:
    """A transaction in the scope of one person, through the everyday door."""

    person: Person
    session: AsyncSession


@dataclass(frozen=True, slots=True)
class UserHotTransaction:
    """A transaction in the scope of one person, through the hot door."""

    person: Person
    connection: Connection


async def _person(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Person:
    """The holder of the token. Whether the session still stands is asked where a transaction opens."""
    if credentials is None:
        raise NotSignedIn
    person = tokens.verify(resources_of(request), credentials.credentials)
    bind(user_id=person.user_id)
    return person


async def _optional_person(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Person | None:
    """The holder of the token, or None where a call makes sense without one, too."""
    try:
        return await _person(request, credentials)
    except NotSignedIn:
        return None


PersonDep = Annotated[Person, Depends(_person)]
OptionalPersonDep = Annotated[Person | None, Depends(_optional_person)]


async def require_open_session(door: Connection | AsyncSession, person: Person) -> None:
    """Refuse a person whose session was ended while the token lives on (the scope holds the user).

    Raises:
        NotSignedIn: it was.
    """
    await service.require_open_session(door, person.user_id, person.session_id)


async def _signed_in_person(resources: ResourcesDep, person: PersonDep) -> Person:
    async with resources.connections.transaction(Scope(user_id=person.user_id)) as connection:
        await require_open_session(connection, person)
    return person


SignedInPersonDep = Annotated[Person, Depends(_signed_in_person)]
"""Somebody whose session stood when the request came: for what cannot be done in one transaction."""


async def _recent_person(resources: ResourcesDep, person: SignedInPersonDep) -> Person:
    reauthentication.require_recent(resources, person)
    return person


RecentPersonDep = Annotated[Person, Depends(_recent_person)]
"""The same, asked for a code or a password a few minutes ago: for what a stolen token must not do."""


async def _user_session(request: Request, person: PersonDep) -> AsyncIterator[UserTransaction]:
    async with resources_of(request).database.session(Scope(user_id=person.user_id)) as session:
        await require_open_session(session, person)
        yield UserTransaction(person, session)


async def _user_connection(request: Request, person: PersonDep) -> AsyncIterator[UserHotTransaction]:
    async with resources_of(request).connections.transaction(Scope(user_id=person.user_id)) as connection:
        await require_open_session(connection, person)
        yield UserHotTransaction(person, connection)


UserSession = Annotated[UserTransaction, Depends(_user_session, scope="function")]
UserConnection = Annotated[UserHotTransaction, Depends(_user_connection, scope="function")]


async def _recent_connection(resources: ResourcesDep, transaction: UserConnection) -> UserHotTransaction:
    reauthentication.require_recent(resources, transaction.person)
    return transaction


RecentConnection = Annotated[UserHotTransaction, Depends(_recent_connection, scope="function")]
"""The same for somebody who was asked for a code or a password a few minutes ago."""


async def _caller(request: Request, resources: ResourcesDep) -> Caller:
    """The server has put the address that the gateway names in the place of the gateway's own."""
    address = request.client.host if request.client else None
    browser = browsers.read(request, resources.addresses)
    return Caller(address, request.headers.get("user-agent", ""), browser)


CallerDep = Annotated[Caller, Depends(_caller)]


async def consume_code(resources: Resources, challenge_id: UUID, code: str, caller: Caller) -> Challenge:
    """The challenge, for the one caller who brings its code first; an `accounts.*` error for all others."""
    return await challenges.consume_code(resources, challenge_id, code, caller)


def normalise_phone(typed: str) -> str:
    """The E.164 form of a mobile number. Raises PhoneInvalid or PhoneNotMobile."""
    return phones.normalise(typed)


async def find_user_id(resources: Resources, phone: str) -> UUID | None:
    """Whose phone it is; needs no scope, since nobody is signed in yet."""
    return await service.find_user_id(resources.connections, phone)


async def add_user(
    connection: Connection, user_id: UUID, *, phone: str, name: str, locale: Locale
) -> UserRead:
    """A new person (in that person's scope). The constraint `uq_users_phone` tells of a lost race."""
    user = await service.add_user(connection, user_id, phone=phone, name=name, locale=locale)
    return service.read_user(user)


async def get_user(connection: Connection, user_id: UUID) -> UserRead:
    """The person, within that person's scope."""
    return service.read_user(await service.get_user(connection, user_id))


async def open_session(
    connection: Connection,
    resources: Resources,
    user_id: UUID,
    challenge_id: UUID,
    caller: Caller,
    tenant_id: UUID | None,
) -> Grant:
    """A session in a tenant for whoever answered the challenge. Raises CodeUsed: answered before."""
    return await service.open_session(
        connection,
        resources,
        user_id,
        caller,
        challenge_id=challenge_id,
        method="otp",
        tenant_id=tenant_id,
        moment=clock.now(),
    )


async def open_session_with_password(
    connection: Connection,
    resources: Resources,
    shown: Shown,
    phone: str,
    caller: Caller,
    tenant_id: UUID | None,
    proof: Proof | None = None,
) -> Grant | None:
    """A session in a tenant for whoever showed the password, and perhaps a proven phone; None when one of
    them was changed meanwhile (the scope holds the person).
    """
    if not await passwords.hold(connection, shown, phone):
        return None
    if proof is not None:
        await continuity.link(connection, shown.user_id, proof)
    return await service.open_session(
        connection,
        resources,
        shown.user_id,
        caller,
        challenge_id=None if proof is None else proof.challenge.id,
        method="pwd",
        tenant_id=tenant_id,
        moment=clock.now(),
    )


async def rotate(
    connection: Connection,
    resources: Resources,
    presented: RefreshToken,
    caller: Caller,
    tenant_id: UUID | None,
) -> Grant:
    """The successor of a refresh token, for another tenant if one is given.

    Raises:
        RefreshInvalid: the session has ended.
        SessionReplayed: the token was used before; that the session is revoked is committed.
    """
    return await service.rotate(
        connection,
        resources,
        presented,
        tenant_id=tenant_id,
        user_agent=caller.user_agent,
        address=caller.address,
        moment=clock.now(),
    )


def read_refresh_token(request: Request, resources: Resources, in_body: str | None) -> RefreshToken:
    """The refresh token that a client brings: in the body, else in the cookie of the platform's own page.

    Raises:
        CrossSite: another site's page makes the call.
        RefreshInvalid: there is none, or not one of ours.
    """
    text = in_body or cookies.read(request, resources.addresses)
    token = RefreshToken.parse(text or "", resources.keyring.session_key)
    if token is None:
        raise RefreshInvalid
    return token


def put_refresh_cookie(response: Response, resources: Resources, grant: Grant) -> None:
    """Give the refresh token to a browser, where no script can read it."""
    seconds = int((grant.until - clock.now()).total_seconds())
    cookies.put(response, resources.addresses, grant.refresh_token, seconds)


def issue_access_token(resources: Resources, grant: Grant, tenant_id: UUID | None) -> str:
    """An access token for the session, for acting in `tenant_id` unless a request names another one."""
    person = Person(grant.user_id, grant.session_id, tenant_id, grant.auth_time, grant.method)
    return tokens.issue(resources, person)
