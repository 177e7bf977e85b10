"""From a confirmed phone to a session: everything or nothing, once per challenge."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import asyncpg
from tochka_sdk import logs
from tochka_sdk.db import Connection, Scope, violates
from tochka_sdk.errors import DatabaseBusy, DatabaseUnavailable
from tochka_sdk.ids import uuid7

from tochka_core.accounts import public as accounts
from tochka_core.accounts.public import Caller, Challenge, Grant, RefreshToken
from tochka_core.accounts.schemas import UserRead
from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.resources import Resources
from tochka_core.signup.errors import SignupInterrupted
from tochka_core.signup.schemas import Confirm
from tochka_core.tenants import public as tenants
from tochka_core.tenants.errors import AccessDenied
from tochka_core.tenants.schemas import TenantOfPerson

DEFAULT_TENANT_NAME = {"ru": "Мой бизнес", "en": "My business"}
_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who is in: who, with what, and where."""

    user: UserRead
    tenants: list[TenantOfPerson]
    grant: Grant
    is_new_user: bool
    wants_body: bool


async def confirm(resources: Resources, challenge_id: UUID, answer: Confirm, caller: Caller) -> Entry:
    """Sign up or in with a code. The code is used up first, so nothing below can happen twice.

    Raises:
        SignupInterrupted: the database is away; nobody is half signed up.
    """
    challenge = await accounts.consume_code(resources, challenge_id, answer.code, caller)
    try:
        return await _enter(resources, challenge, answer, caller)
    except (DatabaseBusy, DatabaseUnavailable) as error:
        raise SignupInterrupted from error


async def _enter(resources: Resources, challenge: Challenge, answer: Confirm, caller: Caller) -> Entry:
    async with resources.connections.system("looks up whose phone it is, before anyone is signed in") as door:
        user_id = await accounts.find_user_id(door, challenge.phone)
    if user_id is not None:
        return await _sign_in(resources, challenge, user_id, caller)
    try:
        return await _sign_up(resources, challenge, answer, caller)
    except asyncpg.UniqueViolationError as error:
        if not violates(error, "uq_users_phone"):
            raise
    # another challenge of the same phone was confirmed in this moment, so by now the person is known
    return await _enter(resources, challenge, answer, caller)


async def _sign_up(resources: Resources, challenge: Challenge, answer: Confirm, caller: Caller) -> Entry:
    """User, tenant, membership, session, event and what the trail says of it in one transaction."""
    user_id, tenant_id = uuid7(), uuid7()
    name = answer.name or ""
    async with resources.connections.transaction(Scope(tenant_id=tenant_id, user_id=user_id)) as connection:
        user = await accounts.add_user(
            connection, user_id, phone=challenge.phone, name=name, locale=answer.locale
        )
        title = answer.tenant_name or name or DEFAULT_TENANT_NAME[answer.locale]
        tenant = await tenants.found_tenant(connection, tenant_id, user_id, name=title, locale=answer.locale)
        grant = await accounts.open_session(connection, resources, user_id, challenge.id, caller)
        await _record(connection, "person.signed_up", grant, caller, [tenant])
    _log.info("signup.signed_up", user_id=str(user_id), tenant_id=str(tenant_id))
    return Entry(user, [tenant], grant, is_new_user=True, wants_body=challenge.delivery == "body")


async def _sign_in(resources: Resources, challenge: Challenge, user_id: UUID, caller: Caller) -> Entry:
    """One more session of somebody known."""
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        grant = await accounts.open_session(connection, resources, user_id, challenge.id, caller)
        user, own = await _who(connection, user_id)
        await _record(connection, "person.signed_in", grant, caller, own)
    _log.info("signup.signed_in", user_id=str(user_id))
    return Entry(user, own, grant, is_new_user=False, wants_body=challenge.delivery == "body")


async def _record(
    connection: Connection,
    action: Literal["person.signed_up", "person.signed_in"],
    grant: Grant,
    caller: Caller,
    own: list[TenantOfPerson],
) -> None:
    """Write down who came in, in the trail of the tenant that the first access token is for."""
    by = Actor(grant.user_id, grant.session_id, caller.address)
    tenant_id = own[0].id if own else None
    await audit.record(connection, action, by=by, tenant_id=tenant_id, subject_id=grant.session_id)


async def refresh(
    resources: Resources, token: RefreshToken, tenant_id: UUID | None, caller: Caller, *, wants_body: bool
) -> Entry:
    """The next refresh token, and a chance to change the tenant.

    Raises:
        AccessDenied: not a member of that tenant; the refresh token stays good.
    """
    async with resources.connections.transaction(Scope(user_id=token.user_id)) as connection:
        grant = await accounts.rotate(connection, resources, token, caller)
        user, own = await _who(connection, token.user_id)
        if tenant_id is not None and not await tenants.is_member(connection, tenant_id, token.user_id):
            raise AccessDenied
    return Entry(user, own, grant, is_new_user=False, wants_body=wants_body)


async def _who(connection: Connection, user_id: UUID) -> tuple[UserRead, list[TenantOfPerson]]:
    return await accounts.get_user(connection, user_id), await tenants.tenants_of(connection, user_id)
