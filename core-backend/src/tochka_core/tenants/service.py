"""Rules for tenants. Every function runs inside its caller's one transaction."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection, Connections
from tochka_sdk.events import TenantUpdated

from tochka_core.accounts.errors import NotSignedIn
from tochka_core.accounts.public import Person
from tochka_core.accounts.schemas import Locale
from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.outbox import public as outbox
from tochka_core.outbox.events import TenantCreated
from tochka_core.tenants import repository
from tochka_core.tenants.errors import AccessDenied, TenantUnknown
from tochka_core.tenants.models import Tenant
from tochka_core.tenants.schemas import (
    Member,
    Role,
    TenantContract,
    TenantCreate,
    TenantOfPerson,
    TenantRead,
    TenantUpdate,
)

MOST_TENANTS = 100


async def get_member(
    door: Connection | Connections | AsyncSession, *, tenant_id: UUID, user_id: UUID, session_id: UUID
) -> Member:
    """A session's holder as a member of the tenant; in a transaction of its own if there is none yet.

    Raises:
        NotSignedIn: the session has ended, though its token has not.
        AccessDenied: no member, or no such tenant.
    """
    standing = await repository.find_standing(door, tenant_id, user_id, session_id)
    if standing is None or not standing.is_open:
        raise NotSignedIn("The session has ended.")
    if (
        standing.role is None
        or standing.name is None
        or standing.locale is None
        or standing.created_at is None
    ):
        raise AccessDenied
    tenant = TenantContract(tenant_id, standing.name, standing.locale, standing.created_at)
    return Member(tenant, user_id, session_id, cast("Role", standing.role))


async def get(door: Connection | AsyncSession, tenant_id: UUID) -> Tenant:
    """The tenant."""
    tenant = await repository.find(door, tenant_id)
    if tenant is None:
        raise TenantUnknown
    return tenant


async def found(
    connection: Connection,
    tenant_id: UUID,
    user_id: UUID,
    *,
    name: str,
    locale: Locale,
    session_id: UUID | None = None,
) -> Tenant:
    """A tenant, its owner, and the event that tells of it. Who just signs up has no session yet."""
    tenant = await repository.add(connection, tenant_id, name=name, locale=locale)
    await repository.add_member(connection, tenant_id, user_id, "owner")
    await outbox.record(
        connection,
        tenant_id=tenant_id,
        type="tenant.created",
        data=TenantCreated(name=name, locale=locale),
    )
    await audit.record(
        connection,
        "tenant.created",
        by=Actor(user_id, session_id),
        tenant_id=tenant_id,
        subject_id=tenant_id,
        data={"name": name},
    )
    return tenant


async def create(connection: Connection, tenant_id: UUID, person: Person, new: TenantCreate) -> TenantRead:
    """One more business for somebody who has signed up."""
    tenant = await found(
        connection,
        tenant_id,
        person.user_id,
        name=new.name,
        locale=new.locale,
        session_id=person.session_id,
    )
    return read(tenant, "owner")


async def update(connection: Connection, member: Member, change: TenantUpdate) -> Tenant:
    """Change the member's tenant; its modules hear of a new name."""
    tenant_id = member.tenant_id
    tenant = await repository.update(connection, tenant_id, name=change.name, locale=change.locale)
    if tenant is None:
        raise TenantUnknown
    if change.name is not None:
        body = TenantUpdated(name=tenant.name)
        await outbox.record(connection, tenant_id=tenant_id, type="tenant.updated", data=body)
        await audit.record(
            connection,
            "tenant.renamed",
            by=Actor(member.user_id, member.session_id),
            tenant_id=tenant_id,
            subject_id=tenant_id,
            data={"name": tenant.name},
        )
    return tenant


async def is_member(connection: Connection, tenant_id: UUID, user_id: UUID) -> bool:
    """Whether a person is a member of a tenant."""
    return await repository.find_role(connection, tenant_id, user_id) is not None


async def tenants_of(connection: Connection, user_id: UUID) -> list[TenantOfPerson]:
    """The tenants of a person, oldest first, at most a hundred; `GET /tenants` has pages."""
    rows = await repository.of_person(connection, user_id, MOST_TENANTS)
    return [TenantOfPerson(id=row["id"], name=row["name"], role=row["role"]) for row in rows]


async def list_tenants(
    session: AsyncSession, user_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Tenant, str]]:
    """A page of a person's tenants."""
    return await repository.list_tenants(session, user_id, after, limit)


async def list_members(
    session: AsyncSession, tenant_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """A page of a tenant's members."""
    return await repository.list_members(session, tenant_id, after, limit)


def read(tenant: Tenant | TenantContract, role: str) -> TenantRead:
    """The tenant as its member sees it."""
    return TenantRead(
        id=tenant.id,
        name=tenant.name,
        locale=cast("Locale", tenant.locale),
        role=cast("Role", role),
        created_at=tenant.created_at,
    )
