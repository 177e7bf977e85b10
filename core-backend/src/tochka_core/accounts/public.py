"""What other slices do with people: know who asks, and open a transaction in that person's scope."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection, Scope
from tochka_sdk.requests import bind

from tochka_core.accounts import repository, service, tokens
from tochka_core.accounts.challenges import Challenge
from tochka_core.accounts.errors import NotSignedIn
from tochka_core.accounts.refresh import RefreshToken
from tochka_core.accounts.schemas import UserRead
from tochka_core.accounts.service import Grant
from tochka_core.resources import Resources, ResourcesDep

_bearer = HTTPBearer(bearerFormat="JWT", auto_error=False, description="An access token of this platform.")


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever holds a valid access token; `tenant_id` is the one that the token was issued for."""

    user_id: UUID
    session_id: UUID
    tenant_id: UUID | None


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
    resources: ResourcesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Person:
    """The holder of the token. Whether the session still stands is asked where a transaction opens."""
    if credentials is None:
        raise NotSignedIn
    claims = tokens.verify(resources, credentials.credentials)
    bind(user_id=claims.user_id)
    return Person(claims.user_id, claims.session_id, claims.tenant_id)


async def _optional_person(
    resources: ResourcesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Person | None:
    """The holder of the token, or None where a call makes sense without one, too."""
    try:
        return await _person(resources, credentials)
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


async def _user_session(resources: ResourcesDep, person: PersonDep) -> AsyncIterator[UserTransaction]:
    async with resources.database.session(Scope(user_id=person.user_id)) as session:
        await require_open_session(session, person)
        yield UserTransaction(person, session)


async def _user_connection(resources: ResourcesDep, person: PersonDep) -> AsyncIterator[UserHotTransaction]:
    async with resources.connections.transaction(Scope(user_id=person.user_id)) as connection:
        await require_open_session(connection, person)
        yield UserHotTransaction(person, connection)


UserSession = Annotated[UserTransaction, Depends(_user_session, scope="function")]
UserConnection = Annotated[UserHotTransaction, Depends(_user_connection, scope="function")]


@dataclass(frozen=True, slots=True)
class Caller:
    """From where a request comes, as far as that is known."""

    address: str | None
    user_agent: str


def address_of(request: Request) -> str | None:
    """The caller's network address; the server has put the one that the gateway names in its place."""
    return request.client.host if request.client else None


async def _caller(request: Request) -> Caller:
    return Caller(address_of(request), request.headers.get("user-agent", ""))


CallerDep = Annotated[Caller, Depends(_caller)]


async def consume_code(resources: Resources, challenge_id: UUID, code: str, caller: Caller) -> Challenge:
    """The challenge, for the one caller who brings its code first; an `accounts.*` error for all others."""
    return await service.consume_code(resources, challenge_id, code, caller.address)


async def find_user_id(resources: Resources, phone: str) -> UUID | None:
    """Whose phone it is, asked in a transaction of its own: nobody is signed in yet."""
    async with resources.connections.system("looks up whose phone it is, before anyone is signed in") as door:
        return await repository.find_user_id(door, phone)
