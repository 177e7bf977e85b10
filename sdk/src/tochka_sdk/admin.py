"""The way into a module's admin: one-time tickets, sessions, and requests that no other site may forge."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, cast
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tochka_sdk import clock, requests
from tochka_sdk.dependencies import InstallationSession
from tochka_sdk.errors import Forbidden, Unauthenticated
from tochka_sdk.installations import current_installation
from tochka_sdk.middleware import SESSION
from tochka_sdk.repository import AdminStore
from tochka_sdk.runtime import Runtime, runtime_of
from tochka_sdk.tickets import Role, Ticket, TicketInvalid

SESSION_LIFETIME = timedelta(hours=12)
MAX_TICKET = 4096
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class SignInRequired(Unauthenticated):
    """401: nobody is signed in to this admin."""

    code = "admin.sign_in_required"


class RoleInsufficient(Forbidden):
    """403: signed in, but this needs another role."""

    code = "admin.role_insufficient"


class ForgedRequest(Forbidden):
    """403: the request comes from another site."""

    code = "admin.cross_site"


@dataclass(frozen=True, slots=True)
class SignedInAdmin:
    """Somebody who entered the admin of the current installation. `name` may be empty."""

    user_id: UUID
    role: Role
    locale: str
    name: str = ""

    def require(self, *roles: Role) -> None:
        """Raise `RoleInsufficient` unless the role is one of these."""
        if self.role not in roles:
            raise RoleInsufficient("Your role does not allow this.")


def refuse_cross_site(request: HTTPConnection, method: str) -> None:
    """Raise `ForgedRequest` for a request with effect that another site makes a browser send.

    `Sec-Fetch-Site` decides where the browser sends it; else `Origin` must be this host. A request with
    neither does not come from a browser that could be tricked. Storefronts under one domain are other sites
    to each other.
    """
    if method in _SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise ForgedRequest("The request comes from another site.")
        return
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise ForgedRequest("The request comes from another site.")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def signed_in_admin(request: Request, session: InstallationSession) -> SignedInAdmin:
    """Who is signed in, as `AdminUser` says it. Call it where that must be known before the transaction of
    the request begins: whether to read a large upload, for example.
    """
    refuse_cross_site(request, request.method)
    token = request.cookies.get(runtime_of(request).cookie, "")
    store = AdminStore(session)
    row = await store.find_session(_hash(token), current_installation().id) if token else None
    if row is None:
        raise SignInRequired("Enter the admin from the panel.")
    requests.bind(user_id=row.user_id)
    return SignedInAdmin(user_id=row.user_id, role=cast("Role", row.role), locale=row.locale, name=row.name)


AdminUser = Annotated[SignedInAdmin, Depends(signed_in_admin, scope="function")]
"""A parameter that requires a signed-in admin of the current installation: 401 (a page in a browser)
without one.

It also refuses requests with effect that come from another site. It shares the transaction of
`InstallationSession`. """


async def session_entry(request: Request) -> Response:
    """`POST /_tochka/session`, form `ticket`: the ticket is used up, a session begins, 303 to the admin.

    The form `end=1` (from the admin itself) signs out instead.
    """
    runtime = runtime_of(request)
    async with request.form(max_files=0, max_fields=4, max_part_size=MAX_TICKET) as form:
        ticket, end = form.get("ticket"), form.get("end")
    if end == "1":
        return await _sign_out(request, runtime)
    if not isinstance(ticket, str) or not 0 < len(ticket) <= MAX_TICKET:
        raise TicketInvalid("There is no ticket in the request.")
    verified = await runtime.keys.verify_ticket(ticket)
    installation = current_installation()
    if (verified.sub, verified.tenant_id) != (installation.id, installation.tenant_id):
        raise TicketInvalid("The ticket is for another installation.")
    token = secrets.token_urlsafe(32)
    async with runtime.database.session(installation.scope) as session:
        await _begin(session, verified, token)
    response = RedirectResponse(runtime.admin_path, 303, {"Cache-Control": "no-store"})
    _set_cookie(response, runtime, token, int(SESSION_LIFETIME.total_seconds()))
    return response


async def _begin(session: AsyncSession, ticket: Ticket, token: str) -> None:
    store = AdminStore(session)
    if not await store.use_ticket(ticket.jti):
        raise TicketInvalid("The ticket was used before.")
    if await store.is_shut_out(ticket.tenant_id, ticket.user_id, ticket.iat):
        raise TicketInvalid("The ticket is older than this person's role.")
    await store.add_session(
        token_hash=_hash(token),
        installation_id=ticket.sub,
        tenant_id=ticket.tenant_id,
        user_id=ticket.user_id,
        role=ticket.role,
        locale=ticket.locale,
        name=ticket.name,
        expires_at=clock.now() + SESSION_LIFETIME,
    )


async def _sign_out(request: Request, runtime: Runtime) -> Response:
    refuse_cross_site(request, request.method)
    token = request.cookies.get(runtime.cookie, "")
    async with runtime.database.session(current_installation().scope) as session:
        await AdminStore(session).end_session(_hash(token))
    response = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
    _set_cookie(response, runtime, "", 0)
    return response


def _set_cookie(response: Response, runtime: Runtime, token: str, max_age: int) -> None:
    secure = runtime.settings.is_secure
    response.set_cookie(
        runtime.cookie, token, max_age=max_age, path="/", secure=secure, httponly=True, samesite="lax"
    )


ROUTES = (Route(SESSION, session_entry, methods=["POST"]),)
