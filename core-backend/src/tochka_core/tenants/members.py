"""Who is what in a tenant: change of role, removal, leaving, and handing the tenant over in two steps."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from tochka_sdk.db import Connection
from tochka_sdk.events import MemberChanged, MemberLeft
from tochka_sdk.logs import mask_phone

from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.audit.schemas import Action, Detail
from tochka_core.outbox import public as outbox
from tochka_core.tenants import repository, roles
from tochka_core.tenants.errors import (
    AccessDenied,
    AlreadyOwner,
    HandoverUnknown,
    LastOwner,
    MemberUnknown,
    RoleRequired,
)
from tochka_core.tenants.schemas import Appointed, HandoverRead, Member, MemberRead, Role

OFFER_LIFETIME = timedelta(hours=72)


async def hold(connection: Connection, member: Member, *others: UUID) -> Mapping[UUID, Role]:
    """What these members and all owners are, by id, until the transaction ends: nobody else changes it now.

    Raises:
        AccessDenied, RoleRequired: the one who acts was removed, or became less, in this very moment.
    """
    rows = await repository.lock_members(connection, member.tenant_id, [member.user_id, *others])
    held: dict[UUID, Role] = {row["user_id"]: row["role"] for row in rows}
    if member.user_id not in held:
        raise AccessDenied
    if not roles.reaches(held[member.user_id], member.role):
        raise RoleRequired(member.role)
    return held


async def change_role(connection: Connection, member: Member, user_id: UUID, role: Appointed) -> MemberRead:
    """Make somebody an administrator or staff.

    Raises:
        MemberUnknown: no member of the tenant.
        LastOwner: nobody would be left to own it.
    """
    held = await hold(connection, member, user_id)
    if user_id not in held:
        raise MemberUnknown
    _require_another_owner(held, user_id)
    if held[user_id] != role:
        await _appoint(connection, member.tenant_id, user_id, role)
        change: dict[str, Detail] = {"role": role, "before": held[user_id]}
        await record(connection, "member.role_changed", member, user_id, change)
    return read(await repository.find_member(connection, member.tenant_id, user_id), member.role)


async def remove(connection: Connection, member: Member, user_id: UUID) -> None:
    """End a membership, one's own or that of somebody below. It counts from the next request on.

    Raises:
        MemberUnknown: no member of the tenant.
        RoleRequired: the other one is not below.
        LastOwner: nobody would be left to own it.
    """
    held = await hold(connection, member, user_id)
    if user_id not in held:
        raise MemberUnknown
    if user_id != member.user_id and not roles.may_remove(held[member.user_id], held[user_id]):
        raise RoleRequired("owner")
    _require_another_owner(held, user_id)
    await repository.withdraw_of(connection, member.tenant_id, user_id, but=[])
    await repository.remove_member(connection, member.tenant_id, user_id)
    await outbox.record(
        connection, tenant_id=member.tenant_id, type="member.left", data=MemberLeft(user_id=user_id)
    )
    action: Action = "member.left" if user_id == member.user_id else "member.removed"
    await record(connection, action, member, user_id, {"role": held[user_id]})


async def offer_handover(connection: Connection, member: Member, user_id: UUID) -> HandoverRead:
    """Offer the tenant to another member: the first step. An offer made before is replaced.

    Raises:
        MemberUnknown: no member of the tenant.
        AlreadyOwner: there is nothing to hand over to this one.
    """
    held = await hold(connection, member, user_id)
    if user_id not in held:
        raise MemberUnknown
    if roles.owns(held[user_id]):
        raise AlreadyOwner
    row = await repository.offer(connection, member.tenant_id, member.user_id, user_id, OFFER_LIFETIME)
    await record(connection, "handover.offered", member, user_id)
    return _handover(row)


async def get_handover(connection: Connection, tenant_id: UUID) -> HandoverRead:
    """The offer that waits for an answer."""
    row = await repository.find_handover(connection, tenant_id)
    if row is None:
        raise HandoverUnknown
    return _handover(row)


async def end_handover(connection: Connection, member: Member) -> None:
    """Take the offer back."""
    offered_to = await repository.end_handover(connection, member.tenant_id)
    if offered_to is None:
        raise HandoverUnknown
    await record(connection, "handover.withdrawn", member, offered_to)


async def decline_handover(connection: Connection, member: Member) -> None:
    """Turn the offer down. Raises `HandoverUnknown` for whomever it is not made to."""
    made_by = await repository.take_handover(connection, member.tenant_id, member.user_id)
    if made_by is None:
        raise HandoverUnknown
    await record(connection, "handover.declined", member, made_by)


async def accept_handover(connection: Connection, member: Member) -> None:
    """Become the owner in the place of the one who offered it, who becomes an administrator: the second step.

    Raises:
        HandoverUnknown: the offer was taken back, or whoever made it is no owner any more.
    """
    held = await hold(connection, member)
    made_by = await repository.take_handover(connection, member.tenant_id, member.user_id)
    if made_by is None or made_by not in held or not roles.owns(held[made_by]):
        raise HandoverUnknown
    await _set_role(connection, member.tenant_id, member.user_id, "owner")
    await _appoint(connection, member.tenant_id, made_by, "admin")
    await record(connection, "handover.accepted", member, made_by)


async def _appoint(connection: Connection, tenant_id: UUID, user_id: UUID, role: Appointed) -> None:
    """Set a role below owner; what was offered to others on the strength of a higher one is taken back."""
    await _set_role(connection, tenant_id, user_id, role)
    await repository.withdraw_of(connection, tenant_id, user_id, but=roles.grantable(role))
    await repository.end_handover_from(connection, tenant_id, user_id)


async def _set_role(connection: Connection, tenant_id: UUID, user_id: UUID, role: Role) -> None:
    """Set it, and let the modules know, where the person may be signed in with the old one."""
    await repository.set_role(connection, tenant_id, user_id, role)
    changed = MemberChanged(user_id=user_id, role=role)
    await outbox.record(connection, tenant_id=tenant_id, type="member.changed", data=changed)


async def record(
    connection: Connection,
    action: Action,
    member: Member,
    subject_id: UUID,
    data: Mapping[str, Detail] | None = None,
) -> None:
    """Write down what a member does in the tenant, and to whom or what."""
    by = Actor(member.user_id, member.session_id)
    await audit.record(
        connection, action, by=by, tenant_id=member.tenant_id, subject_id=subject_id, data=data
    )


def _require_another_owner(held: Mapping[UUID, Role], user_id: UUID) -> None:
    """Whether the tenant keeps an owner when this member is none any more."""
    owners = {holder for holder, role in held.items() if roles.owns(role)}
    if owners == {user_id}:
        raise LastOwner


def read(row: Any, viewer: Role) -> MemberRead:
    """A member as another one sees it; whoever lost the number to somebody else has an empty phone."""
    phone = row["phone"] or ""
    return MemberRead(
        user_id=row["user_id"],
        name=row["name"],
        phone=phone if roles.sees_phones(viewer) else mask_phone(phone),
        role=cast("Role", row["role"]),
        joined_at=row["created_at"],
    )


def _handover(row: Any) -> HandoverRead:
    return HandoverRead.model_validate(dict(row))
