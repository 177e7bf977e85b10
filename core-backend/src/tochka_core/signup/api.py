"""HTTP for signing up, signing in and refreshing: parse, call the service, serialise. No decisions."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from tochka_sdk.requests import bind

from tochka_core.accounts import public as accounts
from tochka_core.accounts.public import CallerDep
from tochka_core.resources import Resources, ResourcesDep
from tochka_core.signup import service
from tochka_core.signup.schemas import Access, Confirm, Login, Recover, Refresh, SignedIn
from tochka_core.signup.service import Entry

router = APIRouter(tags=["signup"])


@router.post("/auth/challenges/{challenge_id}/confirm", operation_id="confirm_challenge")
async def confirm_challenge(
    challenge_id: UUID, answer: Confirm, response: Response, caller: CallerDep, resources: ResourcesDep
) -> SignedIn:
    """Type the code: a new phone becomes user and tenant, a known one signs in."""
    return _signed_in(response, resources, await service.confirm(resources, challenge_id, answer, caller))


@router.post("/auth/challenges/{challenge_id}/recover", operation_id="recover_account")
async def recover_account(
    challenge_id: UUID, given: Recover, response: Response, caller: CallerDep, resources: ResourcesDep
) -> SignedIn:
    """Go on after `accounts.confirmation_needed`: with the account's password, or anew with its number."""
    return _signed_in(response, resources, await service.recover(resources, challenge_id, given, caller))


@router.post("/auth/login", operation_id="login")
async def login(given: Login, response: Response, caller: CallerDep, resources: ResourcesDep) -> SignedIn:
    """Sign in with a password, for whoever has set one; a code does as well."""
    return _signed_in(response, resources, await service.login(resources, given, caller))


@router.post("/auth/refresh", operation_id="refresh")
async def refresh(
    request: Request,
    response: Response,
    caller: CallerDep,
    resources: ResourcesDep,
    asked: Refresh | None = None,
) -> Access:
    """A fresh access token, for another tenant if one is named, where the session stays from then on; the
    refresh token changes each time.
    """
    wish = asked or Refresh()
    token = accounts.read_refresh_token(request, resources, wish.refresh_token)
    wants_body = wish.refresh_token is not None
    entry = await service.refresh(resources, token, wish.tenant_id, caller, wants_body=wants_body)
    return Access(**_hand_over(response, resources, entry))


def _signed_in(response: Response, resources: Resources, entry: Entry) -> SignedIn:
    return SignedIn(**_hand_over(response, resources, entry), is_new_user=entry.is_new_user)


def _hand_over(response: Response, resources: Resources, entry: Entry) -> dict[str, Any]:
    """What both answers have in common; the refresh token goes where the client keeps it."""
    bind(user_id=entry.user.id)
    response.headers["Cache-Control"] = "no-store"
    if not entry.wants_body:
        accounts.put_refresh_cookie(response, resources, entry.grant)
    return {
        "access_token": accounts.issue_access_token(resources, entry.grant, entry.grant.tenant_id),
        "token_type": "Bearer",
        "expires_in": accounts.ACCESS_SECONDS,
        "refresh_token": entry.grant.refresh_token if entry.wants_body else None,
        "tenant_id": entry.grant.tenant_id,
        "user": entry.user,
        "tenants": entry.tenants,
    }
