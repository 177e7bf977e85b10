"""HTTP for tenants: parse, call the service, serialise. No decisions."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy import Row
from starlette.responses import Response
from tochka_sdk.db import Connection, Scope
from tochka_sdk.ids import uuid7
from tochka_sdk.logs import mask_phone

from tochka_core.accounts.public import Person, PersonDep, UserSession, require_open_session
from tochka_core.idempotency.public import IdempotencyKey, fingerprint, remember, replay
from tochka_core.paging import Page, PageRequestDep
from tochka_core.resources import ResourcesDep
from tochka_core.tenants import service
from tochka_core.tenants.public import MANAGERS, AdminConnection, TenantSession
from tochka_core.tenants.schemas import MemberRead, TenantCreate, TenantRead, TenantUpdate

router = APIRouter(tags=["tenants"])


@dataclass(frozen=True, slots=True)
class Founding:
    """A transaction in the scope of a person and of the tenant that this person is about to have."""

    person: Person
    tenant_id: UUID
    connection: Connection


async def _founding(resources: ResourcesDep, person: PersonDep) -> AsyncIterator[Founding]:
    tenant_id = uuid7()
    scope = Scope(tenant_id=tenant_id, user_id=person.user_id)
    async with resources.connections.transaction(scope) as connection:
        await require_open_session(connection, person)
        yield Founding(person, tenant_id, connection)


FoundingConnection = Annotated[Founding, Depends(_founding, scope="function")]


@router.get("/tenants", operation_id="list_tenants")
async def list_tenants(transaction: UserSession, asked: PageRequestDep) -> Page[TenantRead]:
    """The person's tenants, oldest first."""
    user_id = transaction.person.user_id
    rows = await service.list_tenants(transaction.session, user_id, asked.after, asked.fetch)
    return asked.page(rows, lambda row: service.read(row[0], row[1]), lambda row: row[0].id)


@router.post("/tenants", operation_id="create_tenant", status_code=201, response_model=TenantRead)
async def create_tenant(
    new: TenantCreate, founding: FoundingConnection, key: IdempotencyKey = None
) -> TenantRead | Response:
    """Found one more tenant; the person becomes its owner."""
    connection, user_id = founding.connection, founding.person.user_id
    mark = fingerprint("POST /tenants", None, new)
    if key is not None:
        stored = await replay(connection, user_id, key, mark)
        if stored is not None:
            return stored.response()
    created = await service.create(connection, founding.tenant_id, user_id, new)
    if key is not None:
        await remember(connection, user_id, key, mark, 201, created.model_dump(mode="json"))
    return created


@router.get("/tenants/{tenant_id}", operation_id="get_tenant")
async def get_tenant(tenant_id: UUID, transaction: TenantSession) -> TenantRead:
    """One tenant of the person's."""
    return service.read(await service.get(transaction.session, tenant_id), transaction.member.role)


@router.patch("/tenants/{tenant_id}", operation_id="update_tenant")
async def update_tenant(tenant_id: UUID, change: TenantUpdate, transaction: AdminConnection) -> TenantRead:
    """Rename the tenant, or change its language: owner and administrators."""
    tenant = await service.update(transaction.connection, tenant_id, change)
    return service.read(tenant, transaction.member.role)


@router.get("/tenants/{tenant_id}/members", operation_id="list_members")
async def list_members(
    tenant_id: UUID, transaction: TenantSession, asked: PageRequestDep
) -> Page[MemberRead]:
    """The tenant's members, with whole phones for owner and administrators."""
    rows = await service.list_members(transaction.session, tenant_id, asked.after, asked.fetch)
    is_manager = transaction.member.role in MANAGERS

    def show(row: Row[Any]) -> MemberRead:
        return MemberRead(
            user_id=row.user_id,
            name=row.name,
            phone=row.phone if is_manager else mask_phone(row.phone),
            role=row.role,
            joined_at=row.created_at,
        )

    return asked.page(rows, show, lambda row: row.user_id)
