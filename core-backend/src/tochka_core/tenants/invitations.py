"""Invitations by phone: made by the tenant, answered by whoever has proven to hold that phone.

An invitation is bound to its phone: being signed in with it is what opens the door. The token is for the
message in which the inviter passes it on: it finds the invitation, and without the phone it finds nothing. It
is derived from the invitation's id under the master key, so that a repeated request can be given the same
one, and its SHA-256 is all that is stored.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from tochka_sdk.db import Connection, violates
from tochka_sdk.ids import uuid7

from tochka_core.accounts.public import Person, normalise_phone
from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.audit.schemas import Action, Detail
from tochka_core.outbox import public as outbox
from tochka_core.outbox.events import MemberJoined
from tochka_core.paging import Page, PageRequest
from tochka_core.tenants import members, repository, roles, service
from tochka_core.tenants.errors import (
    AlreadyInvited,
    AlreadyMember,
    InvitationUnknown,
    RoleRequired,
    TooManyInvitations,
)
from tochka_core.tenants.repository import NewInvitation
from tochka_core.tenants.schemas import (
    InvitationCreate,
    InvitationMade,
    InvitationOfPerson,
    InvitationRead,
    Member,
    Role,
    TenantRead,
)

LIFETIME = timedelta(hours=72)
MOST_OPEN = 100


async def invite(
    connection: Connection, master: bytes, member: Member, wanted: InvitationCreate
) -> InvitationMade:
    """Invite a phone. Whether anybody has signed up with it is not looked at, so that it cannot show.

    Raises:
        PhoneInvalid, PhoneNotMobile: nobody could answer.
        RoleRequired: the role is above the inviter's.
        AlreadyMember, AlreadyInvited, TooManyInvitations.
    """
    phone = normalise_phone(wanted.phone)
    held = await members.hold(connection, member)
    _require_grantable(held[member.user_id], wanted.role)
    if await repository.has_phone(connection, member.tenant_id, phone):
        raise AlreadyMember
    if await repository.count_open(connection, member.tenant_id) >= MOST_OPEN:
        raise TooManyInvitations(MOST_OPEN)
    invitation_id = uuid7()
    token = token_of(master, invitation_id)
    new = NewInvitation(
        tenant_id=member.tenant_id,
        id=invitation_id,
        phone=phone,
        role=wanted.role,
        invited_by=member.user_id,
        token_hash=_hash(token),
        lifetime=LIFETIME,
    )
    try:
        row = await repository.add_invitation(connection, new)
    except asyncpg.UniqueViolationError as error:
        if violates(error, "uq_invitations_open"):
            raise AlreadyInvited from error
        raise
    told: dict[str, Detail] = {"phone": phone, "role": wanted.role}
    await members.record(connection, "invitation.made", member, invitation_id, told)
    return InvitationMade.model_validate({**dict(row), "token": token})


async def page(connection: Connection, tenant_id: UUID, asked: PageRequest) -> Page[InvitationRead]:
    """The tenant's open invitations, oldest first."""
    rows = await repository.list_invitations(connection, tenant_id, asked.after, asked.fetch)
    return asked.page(rows, lambda row: InvitationRead.model_validate(dict(row)), lambda row: row["id"])


async def withdraw(connection: Connection, member: Member, invitation_id: UUID) -> None:
    """Take an open invitation back.

    Raises:
        RoleRequired: it is to a role above one's own.
    """
    role = await repository.lock_invitation(connection, member.tenant_id, invitation_id)
    if role is None:
        raise InvitationUnknown
    _require_grantable(member.role, role)
    await repository.withdraw(connection, member.tenant_id, invitation_id)
    await members.record(connection, "invitation.withdrawn", member, invitation_id, {"role": role})


async def page_of_person(connection: Connection, asked: PageRequest) -> Page[InvitationOfPerson]:
    """The open invitations of the person's phone, oldest first (user scope)."""
    rows = await repository.list_to_person(connection, asked.after, asked.fetch)
    return asked.page(rows, _of_person, lambda row: row["id"])


async def find(connection: Connection, token: str) -> InvitationOfPerson:
    """The open invitation of the person's phone that a token is for (user scope)."""
    row = await repository.find_to_person(connection, _hash(token))
    if row is None:
        raise InvitationUnknown
    return _of_person(row)


async def get_tenant_id(connection: Connection, invitation_id: UUID) -> UUID:
    """Which tenant invites the person (user scope)."""
    tenant_id = await repository.find_tenant_of_invitation(connection, invitation_id)
    if tenant_id is None:
        raise InvitationUnknown
    return tenant_id


async def accept(connection: Connection, tenant_id: UUID, invitation_id: UUID, person: Person) -> TenantRead:
    """Become a member. Accepting once more, as long as one is, changes nothing and is answered alike.

    Raises:
        InvitationUnknown: closed meanwhile, or never for this person.
        AlreadyMember: by another way than this invitation.
    """
    user_id = person.user_id
    role = await repository.answer(connection, tenant_id, invitation_id, user_id, "accepted")
    if role is None:
        role = await _accepted_before(connection, tenant_id, invitation_id, user_id)
    elif await repository.join(connection, tenant_id, user_id, role):
        joined = MemberJoined(user_id=user_id, role=role)
        await outbox.record(connection, tenant_id=tenant_id, type="member.joined", data=joined)
        await _record_answer(connection, "invitation.accepted", tenant_id, invitation_id, person, role)
    else:
        raise AlreadyMember
    return service.read(await service.get(connection, tenant_id), role)


async def _accepted_before(
    connection: Connection, tenant_id: UUID, invitation_id: UUID, user_id: UUID
) -> str:
    """What the person is in the tenant by now, if this invitation was accepted."""
    outcome = await repository.find_outcome(connection, tenant_id, invitation_id)
    role = await repository.find_role(connection, tenant_id, user_id)
    if outcome != "accepted" or role is None:
        raise InvitationUnknown
    return role


async def decline(connection: Connection, tenant_id: UUID, invitation_id: UUID, person: Person) -> None:
    """Turn an open invitation down."""
    role = await repository.answer(connection, tenant_id, invitation_id, person.user_id, "declined")
    if role is None:
        raise InvitationUnknown
    await _record_answer(connection, "invitation.declined", tenant_id, invitation_id, person, role)


async def _record_answer(
    connection: Connection, action: Action, tenant_id: UUID, invitation_id: UUID, person: Person, role: str
) -> None:
    by = Actor(person.user_id, person.session_id)
    await audit.record(
        connection, action, by=by, tenant_id=tenant_id, subject_id=invitation_id, data={"role": role}
    )


def token_of(master: bytes, invitation_id: UUID) -> str:
    """The token of an invitation."""
    digest = hmac.digest(master, f"invitation|{invitation_id.hex}".encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _require_grantable(own: Role, role: str) -> None:
    if role not in roles.grantable(own):
        raise RoleRequired("owner")


def _of_person(row: Any) -> InvitationOfPerson:
    return InvitationOfPerson.model_validate(dict(row))
