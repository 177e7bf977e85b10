"""HTTP for tenants: parse, call the service, serialise. No decisions."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response
from tochka_sdk.db import Connection, Scope
from tochka_sdk.ids import uuid7
from tochka_sdk.requests import bind

from tochka_core.accounts.public import (
    Person,
    PersonDep,
    UserConnection,
    UserSession,
    require_open_session,
)
from tochka_core.audit import public as audit
from tochka_core.audit.public import AuditEntryRead
from tochka_core.hot_routes import HotRoute
from tochka_core.idempotency.public import IdempotencyKey, fingerprint, remember, replay
from tochka_core.paging import Page, PageRequestDep
from tochka_core.resources import ResourcesDep
from tochka_core.tenants import invitations, members, service
from tochka_core.tenants.public import (
    AdminConnection,
    AdminSession,
    InviterConnection,
    MemberDep,
    OwnerConnection,
    RecentOwnerConnection,
    RemoverConnection,
    TenantConnection,
    TenantSession,
)
from tochka_core.tenants.schemas import (
    HandoverCreate,
    HandoverRead,
    InvitationCreate,
    InvitationMade,
    InvitationOfPerson,
    InvitationRead,
    InvitationToken,
    MemberRead,
    MemberUpdate,
    TenantCreate,
    TenantRead,
    TenantUpdate,
)

router = APIRouter(tags=["tenants"])
hot_router = APIRouter(tags=["tenants"], route_class=HotRoute)


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


@dataclass(frozen=True, slots=True)
class Invited:
    """A transaction in the scope of a person and of a tenant that has invited this person's phone."""

    person: Person
    tenant_id: UUID
    invitation_id: UUID
    connection: Connection


async def _invited(resources: ResourcesDep, person: PersonDep, invitation_id: UUID) -> AsyncIterator[Invited]:
    """Who invites, asked as the person, comes before the scope in which the invitation is answered."""
    async with resources.connections.transaction(Scope(user_id=person.user_id)) as connection:
        await require_open_session(connection, person)
        tenant_id = await invitations.get_tenant_id(connection, invitation_id)
    bind(tenant_id=tenant_id)
    scope = Scope(tenant_id=tenant_id, user_id=person.user_id)
    async with resources.connections.transaction(scope) as connection:
        yield Invited(person, tenant_id, invitation_id, connection)


InvitedConnection = Annotated[Invited, Depends(_invited, scope="function")]


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
    connection, person = founding.connection, founding.person
    mark = fingerprint("POST /tenants", None, new)
    if key is not None:
        stored = await replay(connection, person.user_id, key, mark)
        if stored is not None:
            return stored.response()
    created = await service.create(connection, founding.tenant_id, person, new)
    if key is not None:
        await remember(connection, person.user_id, key, mark, 201, created.model_dump(mode="json"))
    return created


@hot_router.get("/tenants/{tenant_id}", operation_id="get_tenant")
async def get_tenant(tenant_id: UUID, member: MemberDep) -> TenantRead:
    """One tenant of the person's."""
    return service.read(member.tenant, member.role)


@router.patch("/tenants/{tenant_id}", operation_id="update_tenant")
async def update_tenant(tenant_id: UUID, change: TenantUpdate, transaction: AdminConnection) -> TenantRead:
    """Rename the tenant, or change its language: owner and administrators."""
    tenant = await service.update(transaction.connection, transaction.member, change)
    return service.read(tenant, transaction.member.role)


@router.get("/tenants/{tenant_id}/members", operation_id="list_members")
async def list_members(
    tenant_id: UUID, transaction: TenantSession, asked: PageRequestDep
) -> Page[MemberRead]:
    """The tenant's members, with whole phones for owner and administrators."""
    rows = await service.list_members(transaction.session, tenant_id, asked.after, asked.fetch)
    viewer = transaction.member.role
    return asked.page(rows, lambda row: members.read(row._mapping, viewer), lambda row: row.user_id)


@router.patch("/tenants/{tenant_id}/members/{user_id}", operation_id="update_member")
async def update_member(
    tenant_id: UUID, user_id: UUID, change: MemberUpdate, transaction: RecentOwnerConnection
) -> MemberRead:
    """Make a member an administrator or staff; only an owner may. The last owner stays one. Needs a recent
    sign-in.
    """
    return await members.change_role(transaction.connection, transaction.member, user_id, change.role)


@router.delete("/tenants/{tenant_id}/members/{user_id}", operation_id="remove_member", status_code=204)
async def remove_member(tenant_id: UUID, user_id: UUID, transaction: RemoverConnection) -> None:
    """Leave, or remove somebody: an owner anyone, an administrator staff. The last owner stays. An owner
    needs a recent sign-in.
    """
    await members.remove(transaction.connection, transaction.member, user_id)


@router.put("/tenants/{tenant_id}/handover", operation_id="offer_handover")
async def offer_handover(
    tenant_id: UUID, offer: HandoverCreate, transaction: RecentOwnerConnection
) -> HandoverRead:
    """Offer the tenant to a member, who has 72 hours to accept; an offer before this one is replaced. Needs a
    recent sign-in.
    """
    return await members.offer_handover(transaction.connection, transaction.member, offer.user_id)


@router.get("/tenants/{tenant_id}/handover", operation_id="get_handover")
async def get_handover(tenant_id: UUID, transaction: TenantConnection) -> HandoverRead:
    """To whom the tenant is offered, if it is."""
    return await members.get_handover(transaction.connection, transaction.member.tenant_id)


@router.delete("/tenants/{tenant_id}/handover", operation_id="withdraw_handover", status_code=204)
async def withdraw_handover(tenant_id: UUID, transaction: OwnerConnection) -> None:
    """Take the offer back."""
    await members.end_handover(transaction.connection, transaction.member)


@router.post("/tenants/{tenant_id}/handover/accept", operation_id="accept_handover")
async def accept_handover(tenant_id: UUID, transaction: TenantConnection) -> TenantRead:
    """Become the owner, for the member to whom it is offered; whoever offered it becomes administrator."""
    connection, member = transaction.connection, transaction.member
    await members.accept_handover(connection, member)
    return service.read(await service.get(connection, member.tenant_id), "owner")


@router.post("/tenants/{tenant_id}/handover/decline", operation_id="decline_handover", status_code=204)
async def decline_handover(tenant_id: UUID, transaction: TenantConnection) -> None:
    """Turn the offer down: for the member to whom the tenant is offered."""
    await members.decline_handover(transaction.connection, transaction.member)


@router.get("/tenants/{tenant_id}/invitations", operation_id="list_invitations")
async def list_invitations(
    tenant_id: UUID, transaction: AdminConnection, asked: PageRequestDep
) -> Page[InvitationRead]:
    """The tenant's open invitations, oldest first."""
    return await invitations.page(transaction.connection, transaction.member.tenant_id, asked)


@router.post(
    "/tenants/{tenant_id}/invitations",
    operation_id="create_invitation",
    status_code=201,
    response_model=InvitationMade,
)
async def create_invitation(
    tenant_id: UUID,
    wanted: InvitationCreate,
    transaction: InviterConnection,
    resources: ResourcesDep,
    key: IdempotencyKey = None,
) -> InvitationMade | Response:
    """Invite a phone for 72 hours, as at most what one is oneself. Whoever signs in with it can accept. To
    invite an owner needs a recent sign-in.
    """
    connection, member, master = transaction.connection, transaction.member, resources.keyring.master
    mark = fingerprint("POST /tenants/{tenant_id}/invitations", member.tenant_id, wanted)
    if key is not None:
        stored = await replay(connection, member.user_id, key, mark)
        if stored is not None:
            token = invitations.token_of(master, UUID(stored.body["id"]))
            return replace(stored, body={**stored.body, "token": token}).response()
    made = await invitations.invite(connection, master, member, wanted)
    if key is not None:
        without_token = made.model_dump(mode="json", exclude={"token"})
        await remember(connection, member.user_id, key, mark, 201, without_token)
    return made


@router.delete(
    "/tenants/{tenant_id}/invitations/{invitation_id}", operation_id="withdraw_invitation", status_code=204
)
async def withdraw_invitation(tenant_id: UUID, invitation_id: UUID, transaction: AdminConnection) -> None:
    """Take an open invitation back."""
    await invitations.withdraw(transaction.connection, transaction.member, invitation_id)


@router.get("/me/invitations", operation_id="list_my_invitations")
async def list_my_invitations(transaction: UserConnection, asked: PageRequestDep) -> Page[InvitationOfPerson]:
    """The open invitations of one's own phone, oldest first."""
    return await invitations.page_of_person(transaction.connection, asked)


@router.post("/me/invitations/find", operation_id="find_my_invitation")
async def find_my_invitation(given: InvitationToken, transaction: UserConnection) -> InvitationOfPerson:
    """The open invitation that a token is for; without its phone a token finds nothing."""
    return await invitations.find(transaction.connection, given.token)


@router.post("/me/invitations/{invitation_id}/accept", operation_id="accept_invitation")
async def accept_invitation(invited: InvitedConnection) -> TenantRead:
    """Become a member. `POST /auth/refresh` with the tenant's id switches to it."""
    return await invitations.accept(
        invited.connection, invited.tenant_id, invited.invitation_id, invited.person
    )


@router.post("/me/invitations/{invitation_id}/decline", operation_id="decline_invitation", status_code=204)
async def decline_invitation(invited: InvitedConnection) -> None:
    """Turn an invitation down."""
    await invitations.decline(invited.connection, invited.tenant_id, invited.invitation_id, invited.person)


@router.get("/tenants/{tenant_id}/audit", operation_id="list_audit_entries")
async def list_audit_entries(
    tenant_id: UUID, transaction: AdminSession, asked: PageRequestDep
) -> Page[AuditEntryRead]:
    """What was done in the tenant and by whom, newest first: for owner and administrators."""
    return await audit.page_of_tenant(transaction.session, tenant_id, asked)
