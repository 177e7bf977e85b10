"""From a confirmed phone, or a password, to a session: everything or nothing, once per challenge."""

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

import asyncpg
from tochka_sdk import logs
from tochka_sdk.db import Connection, Scope, violates
from tochka_sdk.errors import DatabaseBusy, DatabaseUnavailable
from tochka_sdk.ids import uuid7

from tochka_core.accounts import public as accounts
from tochka_core.accounts.errors import ConfirmationNeeded, CredentialsWrong
from tochka_core.accounts.public import Caller, Grant, Proof, RefreshToken
from tochka_core.accounts.schemas import UserRead
from tochka_core.audit import public as audit
from tochka_core.audit.public import Actor
from tochka_core.resources import Resources
from tochka_core.signup.errors import SignupInterrupted
from tochka_core.signup.schemas import Confirm, Login, Newcomer, Recover
from tochka_core.tenants import public as tenants
from tochka_core.tenants.errors import AccessDenied
from tochka_core.tenants.schemas import TenantOfPerson

TIMES = 3  # what changes while somebody comes in is looked at anew, so often
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
        ConfirmationNeeded: the phone has an account, and perhaps another holder by now.
        SignupInterrupted: the database is away; nobody is half signed up.
    """
    challenge = await accounts.consume_code(resources, challenge_id, answer.code, caller)
    proof = accounts.prove(challenge)
    try:
        return await _enter(resources, proof, answer, caller)
    except (DatabaseBusy, DatabaseUnavailable) as error:
        raise SignupInterrupted from error


async def _enter(resources: Resources, proof: Proof, newcomer: Newcomer, caller: Caller) -> Entry:
    """Sign in with a phone that somebody has, or up with one that nobody has; again where that changes
    meanwhile, since another challenge of the same phone was confirmed in this moment, or the phone moved.
    """
    for _ in range(TIMES):
        user_id = await accounts.find_user_id(resources, proof.phone)
        if user_id is not None:
            entry = await _sign_in(resources, proof, user_id, caller)
            if entry is not None:
                return entry
            continue
        try:
            return await _sign_up(resources, proof, newcomer, caller)
        except asyncpg.UniqueViolationError as error:
            if not violates(error, "uq_users_phone"):
                raise
    raise SignupInterrupted


async def _sign_up(resources: Resources, proof: Proof, newcomer: Newcomer, caller: Caller) -> Entry:
    """User, tenant, membership, session, event and what the trail says of it in one transaction."""
    user_id, tenant_id = uuid7(), uuid7()
    name, locale = newcomer.name or "", newcomer.locale
    async with resources.connections.transaction(Scope(tenant_id=tenant_id, user_id=user_id)) as connection:
        user = await accounts.add_user(connection, user_id, phone=proof.phone, name=name, locale=locale)
        title = newcomer.tenant_name or name or DEFAULT_TENANT_NAME[locale]
        tenant = await tenants.found_tenant(connection, tenant_id, user_id, name=title, locale=locale)
        await accounts.link(connection, user_id, proof)
        grant = await accounts.open_session(
            connection, resources, user_id, proof.challenge.id, caller, tenant_id
        )
        await _record(connection, "person.signed_up", grant, caller, [tenant])
    _log.info("signup.signed_up", user_id=str(user_id), tenant_id=str(tenant_id))
    return Entry(user, [tenant], grant, is_new_user=True, wants_body=proof.challenge.delivery == "body")


async def _sign_in(resources: Resources, proof: Proof, user_id: UUID, caller: Caller) -> Entry | None:
    """One more session of somebody known; None when the phone is somebody else's since just now."""
    try:
        async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
            user = await accounts.recognise(connection, resources, user_id, proof, caller.address)
            if user is None:
                return None
            own = await tenants.tenants_of(connection, user_id)
            grant = await accounts.open_session(
                connection, resources, user_id, proof.challenge.id, caller, _oldest(own)
            )
            await _record(connection, "person.signed_in", grant, caller, own)
    except ConfirmationNeeded:
        await accounts.keep_in_question(resources, proof.challenge, user_id)
        raise
    _log.info("signup.signed_in", user_id=str(user_id))
    return Entry(user, own, grant, is_new_user=False, wants_body=proof.challenge.delivery == "body")


async def login(resources: Resources, given: Login, caller: Caller) -> Entry:
    """Sign in with a password: the same answer, for the same work, to all who cannot.

    Raises:
        CredentialsWrong: no such phone, none with a password, or another password.
        TooManyPasswords, PasswordsBusy: nothing was looked at.
    """
    phone = accounts.normalise_phone(given.phone)
    password = accounts.normalise_password(given.password)
    entry = await _with_password(resources, phone, password, caller, given.wants_body)
    if entry is None:
        raise CredentialsWrong
    return entry


async def _with_password(
    resources: Resources,
    phone: str,
    password: str,
    caller: Caller,
    wants_body: bool,
    proof: Proof | None = None,
) -> Entry | None:
    """A session for whoever knows the password; looked at anew when it, or its hash, changed meanwhile."""
    for _ in range(TIMES):
        shown = await accounts.show_password(resources, phone, password, caller.address)
        async with resources.connections.transaction(Scope(user_id=shown.user_id)) as connection:
            user, own = await _who(connection, shown.user_id)
            grant = await accounts.open_session_with_password(
                connection, resources, shown, phone, caller, _oldest(own), proof
            )
            if grant is None:
                continue
            await _record(connection, "person.signed_in", grant, caller, own)
        _log.info("signup.signed_in", user_id=str(shown.user_id))
        return Entry(user, own, grant, is_new_user=False, wants_body=wants_body)
    return None


async def recover(resources: Resources, challenge_id: UUID, given: Recover, caller: Caller) -> Entry:
    """Go on with a proven phone whose account is in question: it is opened by its password and by nothing
    else, or loses the phone to a new one.

    Raises:
        ChallengeUnknown: nothing is in question.
        CredentialsWrong: not the password of the account.
        CodeUsed: it was answered before.
    """
    challenge, user_id = await accounts.kept_in_question(resources, challenge_id, caller)
    proof = accounts.prove(challenge)
    if given.password is not None:
        password = accounts.normalise_password(given.password)
        wants_body = challenge.delivery == "body"
        entry = await _with_password(resources, proof.phone, password, caller, wants_body, proof)
        if entry is None:
            raise CredentialsWrong
        return entry
    async with resources.connections.transaction(Scope(user_id=user_id)) as connection:
        await accounts.release_phone(connection, user_id, challenge, caller.address)
    _log.warning("signup.phone_released", user_id=str(user_id))
    return await _enter(resources, proof, given, caller)


async def _record(
    connection: Connection,
    action: Literal["person.signed_up", "person.signed_in"],
    grant: Grant,
    caller: Caller,
    own: list[TenantOfPerson],
) -> None:
    """Write down who came in: for the person, with the tenant that the first access token is for; and for
    every other tenant of the person, which the session opens as well, with the person as the subject.
    """
    by = Actor(grant.user_id, grant.session_id, caller.address)
    how = {"method": grant.method}
    first = _oldest(own)
    await audit.record(connection, action, by=by, tenant_id=first, subject_id=grant.session_id, data=how)
    for tenant in own[1:]:
        await audit.record(connection, action, by=by, tenant_id=tenant.id, subject_id=grant.user_id, data=how)


async def refresh(
    resources: Resources, token: RefreshToken, tenant_id: UUID | None, caller: Caller, *, wants_body: bool
) -> Entry:
    """The next refresh token, and a chance to change the tenant; who names none stays where the session is.

    Raises:
        AccessDenied: not a member of that tenant; the refresh token stays good.
    """
    async with resources.connections.transaction(Scope(user_id=token.user_id)) as connection:
        grant = await accounts.rotate(connection, resources, token, caller, tenant_id)
        user, own = await _who(connection, token.user_id)
        stays_in = grant.tenant_id
        if stays_in is None or not await tenants.is_member(connection, stays_in, token.user_id):
            if tenant_id is not None:
                raise AccessDenied
            grant = replace(grant, tenant_id=_oldest(own))
    return Entry(user, own, grant, is_new_user=False, wants_body=wants_body)


def _oldest(own: list[TenantOfPerson]) -> UUID | None:
    """Where a session begins."""
    return own[0].id if own else None


async def _who(connection: Connection, user_id: UUID) -> tuple[UserRead, list[TenantOfPerson]]:
    return await accounts.get_user(connection, user_id), await tenants.tenants_of(connection, user_id)
