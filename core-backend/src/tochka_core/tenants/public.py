"""What other slices do with tenants: open a transaction for a member, ask for a role, read a tenant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Depends, Header, Request
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection, Connections, Scope
from tochka_sdk.requests import bind

from tochka_core.accounts.public import Person, PersonDep, require_recent
from tochka_core.accounts.schemas import Locale
from tochka_core.resources import Resources, ResourcesDep, resources_of
from tochka_core.tenants import roles, service
from tochka_core.tenants.errors import (
    TenantContradiction,
    TenantMalformed,
    TenantNotChosen,
)
from tochka_core.tenants.schemas import InvitationCreate, Member, TenantOfPerson

HEADER = "X-Tenant-ID"


class Choice(NamedTuple):
    """Who asks, and for which tenant; whether it is one of that person's is another question."""

    person: Person
    tenant_id: UUID

    @property
    def scope(self) -> Scope:
        """The scope of both."""
        return Scope(tenant_id=self.tenant_id, user_id=self.person.user_id)


@dataclass(frozen=True, slots=True)
class TenantTransaction:
    """A transaction in the scope of a tenant and its member, through the everyday door."""

    member: Member
    session: AsyncSession


@dataclass(frozen=True, slots=True)
class TenantHotTransaction:
    """A transaction in the scope of a tenant and its member, through the hot door."""

    member: Member
    connection: Connection


async def _chosen(
    request: Request,
    person: PersonDep,
    header: Annotated[
        str | None,
        Header(
            alias=HEADER,
            description="The tenant to act for, where the path names none.",
            json_schema_extra={"format": "uuid"},
        ),
    ] = None,
) -> Choice:
    """Which tenant the request is for: path, else header, else token. One dependency with the person: the
    framework works through all below each one anew, wherever it stands.
    """
    named = request.path_params.get("tenant_id")
    path = None if named is None else _parse(str(named), "tenant_id", "path")
    headers = {_parse(value, HEADER, "header") for value in request.headers.getlist(HEADER)}
    if len(headers) > 1 or (path and headers and headers != {path}):
        raise TenantContradiction
    chosen = path or next(iter(headers), None) or person.tenant_id
    if chosen is None:
        raise TenantNotChosen
    bind(tenant_id=chosen)
    outsider = None if chosen == person.tenant_id else person.user_id
    await resources_of(request).limiter.admit_tenant(request.scope, chosen, outsider=outsider)
    return Choice(person, chosen)


def _parse(text: str, field: str, location: str) -> UUID:
    """A UUID in its usual notation; Python's parser would take braces, URNs and bare hex, too."""
    try:
        parsed = UUID(text)
    except ValueError:
        raise TenantMalformed(field, location) from None
    if str(parsed) != text.lower():
        raise TenantMalformed(field, location)
    return parsed


ChosenTenant = Annotated[Choice, Depends(_chosen)]


async def _member(door: Connection | Connections | AsyncSession, chosen: Choice) -> Member:
    """The person as a member, asked within the transaction that acts on the answer, if one does."""
    person, tenant_id = chosen
    return await service.get_member(
        door, tenant_id=tenant_id, user_id=person.user_id, session_id=person.session_id
    )


async def _tenant_session(request: Request, chosen: ChosenTenant) -> AsyncIterator[TenantTransaction]:
    async with resources_of(request).database.session(chosen.scope) as session:
        yield TenantTransaction(await _member(session, chosen), session)


async def _tenant_connection(request: Request, chosen: ChosenTenant) -> AsyncIterator[TenantHotTransaction]:
    async with resources_of(request).connections.transaction(chosen.scope) as connection:
        yield TenantHotTransaction(await _member(connection, chosen), connection)


async def _checked_member(request: Request, chosen: ChosenTenant) -> Member:
    return await _member(resources_of(request).connections, chosen)


TenantSession = Annotated[TenantTransaction, Depends(_tenant_session, scope="function")]
TenantConnection = Annotated[TenantHotTransaction, Depends(_tenant_connection, scope="function")]
MemberDep = Annotated[Member, Depends(_checked_member)]
"""The member, without holding a transaction: for streams, which outlive every transaction, and for whoever
only asks what a member is told with the membership.
"""


@asynccontextmanager
async def member_transaction(resources: Resources, member: Member) -> AsyncIterator[TenantHotTransaction]:
    """One more transaction of a member, for streams: each look asks anew whether it may still be had.

    Raises:
        NotSignedIn: the session has ended meanwhile.
        AccessDenied: the membership has.
    """
    scope = Scope(tenant_id=member.tenant_id, user_id=member.user_id)
    async with resources.connections.transaction(scope) as connection:
        again = await service.get_member(
            connection, tenant_id=member.tenant_id, user_id=member.user_id, session_id=member.session_id
        )
        yield TenantHotTransaction(again, connection)


async def _admin_session(transaction: TenantSession) -> TenantTransaction:
    roles.require(transaction.member, "admin")
    return transaction


async def _admin_connection(transaction: TenantConnection) -> TenantHotTransaction:
    roles.require(transaction.member, "admin")
    return transaction


async def _owner_connection(transaction: TenantConnection) -> TenantHotTransaction:
    roles.require(transaction.member, "owner")
    return transaction


async def _remover_connection(
    resources: ResourcesDep, person: PersonDep, transaction: TenantConnection, user_id: UUID
) -> TenantHotTransaction:
    if user_id != transaction.member.user_id:
        roles.require(transaction.member, "admin")
    if roles.owns(transaction.member.role):
        require_recent(resources, person)
    return transaction


AdminSession = Annotated[TenantTransaction, Depends(_admin_session, scope="function")]
AdminConnection = Annotated[TenantHotTransaction, Depends(_admin_connection, scope="function")]
OwnerConnection = Annotated[TenantHotTransaction, Depends(_owner_connection, scope="function")]


async def _recent_owner_connection(
    resources: ResourcesDep, person: PersonDep, transaction: OwnerConnection
) -> TenantHotTransaction:
    require_recent(resources, person)
    return transaction


RecentOwnerConnection = Annotated[TenantHotTransaction, Depends(_recent_owner_connection, scope="function")]
"""An owner who was asked for a code or a password a few minutes ago."""

RemoverConnection = Annotated[TenantHotTransaction, Depends(_remover_connection, scope="function")]
"""The member whom the path names by `user_id`, or whoever manages members; an owner was asked lately."""


async def _inviter_connection(
    resources: ResourcesDep, person: PersonDep, transaction: AdminConnection, wanted: InvitationCreate
) -> TenantHotTransaction:
    if roles.owns(wanted.role) and roles.owns(transaction.member.role):
        require_recent(resources, person)
    return transaction


InviterConnection = Annotated[TenantHotTransaction, Depends(_inviter_connection, scope="function")]
"""Whoever manages members; whoever invites an owner was asked lately."""


async def found_tenant(
    connection: Connection, tenant_id: UUID, user_id: UUID, *, name: str, locale: Locale = "ru"
) -> TenantOfPerson:
    """A new tenant with its owner and the event; the transaction is in the scope of both ids."""
    await service.found(connection, tenant_id, user_id, name=name, locale=locale)
    return TenantOfPerson(id=tenant_id, name=name, role="owner")


async def is_member(connection: Connection, tenant_id: UUID, user_id: UUID) -> bool:
    """Whether a person is a member of a tenant (user scope)."""
    return await service.is_member(connection, tenant_id, user_id)


async def tenants_of(connection: Connection, user_id: UUID) -> list[TenantOfPerson]:
    """The tenants of a person with the person's role in each, oldest first (user scope)."""
    return await service.tenants_of(connection, user_id)
