"""HTTP for people: parse, call the service, serialise. No decisions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route
from tochka_sdk import clock
from tochka_sdk.requests import bind

from tochka_core.accounts import (
    browsers,
    challenges,
    cookies,
    handshakes,
    inbox,
    passwords,
    phone_changes,
    reauthentication,
    service,
)
from tochka_core.accounts.public import (
    CallerDep,
    OptionalPersonDep,
    PersonDep,
    RecentConnection,
    RecentPersonDep,
    SignedInPersonDep,
    UserConnection,
    UserSession,
)
from tochka_core.accounts.refresh_tokens import RefreshToken
from tochka_core.accounts.schemas import (
    ChallengeCreate,
    ChallengeRead,
    ChannelsRead,
    OldPhoneProof,
    OwnChallengeCreate,
    PasswordSet,
    PhoneChangeCreate,
    PhoneChangeRead,
    PhoneProof,
    ProfileRead,
    Reauthenticated,
    Reauthentication,
    SessionRead,
    SignOut,
    UserUpdate,
)
from tochka_core.audit import public as audit
from tochka_core.audit.public import AuditEntryRead
from tochka_core.channels import public as channels
from tochka_core.channels.schemas import InboxMessage
from tochka_core.hot_routes import HotRoute
from tochka_core.idempotency.public import REPLAYED, IdempotencyKey
from tochka_core.paging import Page, PageRequestDep
from tochka_core.resources import Resources, ResourcesDep, resources_of

router = APIRouter(tags=["accounts"])
hot_router = APIRouter(tags=["accounts"], route_class=HotRoute)
dev_router = APIRouter(tags=["development"])
tell_of_channels = challenges.tell_of_channels


@router.get("/auth/channels", operation_id="list_channels")
async def list_channels(resources: ResourcesDep) -> ChannelsRead:
    """How codes can come on this platform, the usual way first."""
    return challenges.read_channels(resources)


@router.post("/auth/challenges", operation_id="create_challenge", status_code=202)
async def create_challenge(
    new: ChallengeCreate,
    response: Response,
    caller: CallerDep,
    resources: ResourcesDep,
    key: IdempotencyKey = None,
) -> ChallengeRead:
    """Send a one-time code to a phone; the answer is the same for known and unknown phones."""
    return _told(response, resources, await challenges.challenge(resources, new, caller.browser, key))


@router.post("/auth/challenges/{challenge_id}/resend", operation_id="resend_challenge", status_code=202)
async def resend_challenge(
    challenge_id: UUID, response: Response, caller: CallerDep, resources: ResourcesDep
) -> ChallengeRead:
    """Send a new code; the one before it stops working."""
    return _told(response, resources, await challenges.resend(resources, challenge_id, caller.browser))


def _told(response: Response, resources: Resources, asked: challenges.Asked) -> ChallengeRead:
    """The body of the answer; what only the same browser may bring again goes into its cookie."""
    if asked.is_repeated:
        response.headers[REPLAYED] = "true"
    if asked.secret is not None:
        browsers.put(response, resources.addresses, asked.secret)
    return asked.read


@router.post(
    "/auth/logout",
    operation_id="sign_out",
    status_code=204,
    openapi_extra={"security": [{}, {"HTTPBearer": []}]},
)
async def sign_out(
    request: Request,
    resources: ResourcesDep,
    person: OptionalPersonDep,
    given: SignOut | None = None,
) -> Response:
    """End the session of the refresh token, and that of the access token if one is sent along."""
    in_body = given.refresh_token if given else None
    text = in_body or cookies.read(request, resources.addresses)
    token = RefreshToken.parse(text or "", resources.keyring.session_key)
    ended = {(known.user_id, known.session_id) for known in (token, person) if known is not None}
    for user_id, session_id in ended:
        bind(user_id=user_id)
        await service.sign_out(resources, user_id, session_id, clock.now())
    response = Response(status_code=204)
    cookies.clear(response, resources.addresses)
    return response


@hot_router.get("/me", operation_id="get_me")
async def get_me(resources: ResourcesDep, person: PersonDep) -> ProfileRead:
    """The person who asks."""
    return await service.profile(resources.connections, person.user_id, person.session_id)


@router.patch("/me", operation_id="update_me")
async def update_me(change: UserUpdate, transaction: UserConnection) -> ProfileRead:
    """Change one's name or language."""
    person = transaction.person
    await service.update_user(transaction.connection, person.user_id, change)
    return await service.profile(transaction.connection, person.user_id, person.session_id)


@router.put("/me/password", operation_id="set_password", status_code=204)
async def set_password(
    given: PasswordSet, person: SignedInPersonDep, caller: CallerDep, resources: ResourcesDep
) -> None:
    """Set or change the password, with the current one or soon after signing in; other sessions end."""
    if given.current_password is None:
        reauthentication.require_recent(resources, person)
    else:
        await passwords.require_own(
            resources, person, given.current_password, "current_password", caller.address
        )
    await passwords.set_new(resources, person, given.password, caller.address)


@router.delete("/me/password", operation_id="remove_password", status_code=204)
async def remove_password(transaction: RecentConnection, caller: CallerDep) -> None:
    """Sign in with codes only from now on; other sessions end. Needs a recent sign-in."""
    await passwords.remove(transaction.connection, transaction.person, caller.address)


@router.post(
    "/me/reauthentication/challenges", operation_id="create_reauthentication_challenge", status_code=202
)
async def create_reauthentication_challenge(
    wanted: OwnChallengeCreate,
    person: SignedInPersonDep,
    response: Response,
    resources: ResourcesDep,
    key: IdempotencyKey = None,
) -> ChallengeRead:
    """Send a code to one's own phone, to confirm that it is oneself."""
    return _told(response, resources, await reauthentication.ask(resources, person, wanted.channel, key))


@router.post("/me/reauthentication", operation_id="reauthenticate")
async def reauthenticate(
    given: Reauthentication,
    person: SignedInPersonDep,
    response: Response,
    caller: CallerDep,
    resources: ResourcesDep,
) -> Reauthenticated:
    """A fresh access token of the same session, for what asks for a recent sign-in."""
    response.headers["Cache-Control"] = "no-store"
    return await reauthentication.answer(resources, person, given, caller)


@router.post("/me/phone-changes", operation_id="create_phone_change", status_code=202)
async def create_phone_change(
    wanted: PhoneChangeCreate,
    person: RecentPersonDep,
    response: Response,
    resources: ResourcesDep,
    key: IdempotencyKey = None,
) -> ChallengeRead:
    """Send a code to the new number. The challenge's id is that of the change. Needs a recent sign-in."""
    return _told(response, resources, await phone_changes.ask(resources, person, wanted, key))


@router.post("/me/phone-changes/{change_id}/confirm", operation_id="confirm_phone_change")
async def confirm_phone_change(
    change_id: UUID, given: PhoneProof, person: SignedInPersonDep, caller: CallerDep, resources: ResourcesDep
) -> PhoneChangeRead:
    """Prove the new number. It takes the place of the old one in 72 hours, or as soon as that is proven."""
    return await phone_changes.prove_new(resources, person, change_id, given.code, caller)


@router.post(
    "/me/phone-changes/{change_id}/old-phone", operation_id="create_old_phone_challenge", status_code=202
)
async def create_old_phone_challenge(
    change_id: UUID,
    wanted: OwnChallengeCreate,
    person: SignedInPersonDep,
    response: Response,
    resources: ResourcesDep,
    key: IdempotencyKey = None,
) -> ChallengeRead:
    """Send a code to the old number, for whoever does not want to wait."""
    asked = await phone_changes.ask_old(resources, person, change_id, wanted.channel, key)
    return _told(response, resources, asked)


@router.post("/me/phone-changes/{change_id}/old-phone/confirm", operation_id="confirm_old_phone")
async def confirm_old_phone(
    change_id: UUID,
    given: OldPhoneProof,
    person: SignedInPersonDep,
    caller: CallerDep,
    resources: ResourcesDep,
) -> ProfileRead:
    """Prove the old number, too: the new one takes its place at once, and other sessions end."""
    return await phone_changes.prove_old(resources, person, change_id, given.challenge_id, given.code, caller)


@router.delete("/me/phone-changes/{change_id}", operation_id="cancel_phone_change", status_code=204)
async def cancel_phone_change(change_id: UUID, transaction: UserConnection, caller: CallerDep) -> None:
    """Stop a change of number that is pending."""
    await phone_changes.cancel(transaction.connection, transaction.person, change_id, caller.address)


@router.get("/me/sessions", operation_id="list_sessions")
async def list_sessions(transaction: UserSession, asked: PageRequestDep) -> Page[SessionRead]:
    """Where the person is signed in, newest first."""
    person = transaction.person
    rows = await service.list_sessions(
        transaction.session, person.user_id, moment=clock.now(), after=asked.after, limit=asked.fetch
    )
    return asked.page(rows, lambda row: service.read_session(row, person.session_id), lambda row: row.id)


@router.delete("/me/sessions", operation_id="end_sessions", status_code=204)
async def end_sessions(
    transaction: UserConnection,
    caller: CallerDep,
    resources: ResourcesDep,
    current: Annotated[bool, Query(description="Whether the session that asks ends, too.")] = False,
) -> Response:
    """Sign out everywhere else, and here, too, with `current`."""
    person = transaction.person
    spared = None if current else person.session_id
    await service.end_sessions(
        transaction.connection, person.user_id, person.acting_from(caller.address), clock.now(), spared=spared
    )
    response = Response(status_code=204)
    if current:
        cookies.clear(response, resources.addresses)
    return response


@router.get("/me/audit", operation_id="list_own_audit_entries")
async def list_own_audit_entries(transaction: UserSession, asked: PageRequestDep) -> Page[AuditEntryRead]:
    """What the person did, signing in and out among it, newest first."""
    return await audit.page_of_person(transaction.session, transaction.person.user_id, asked)


@router.delete("/me/sessions/{session_id}", operation_id="end_session", status_code=204)
async def end_session(session_id: UUID, transaction: UserConnection, caller: CallerDep) -> None:
    """Sign out somewhere else, or here."""
    person = transaction.person
    await service.end_session(
        transaction.connection,
        person.user_id,
        session_id,
        person.acting_from(caller.address),
        clock.now(),
    )


async def _jwks(request: Request) -> Response:
    """The public keys. A client that meets an unknown `kid` asks again."""
    keys = resources_of(request).keyring.jwks()
    return JSONResponse(keys, headers={"Cache-Control": "public, max-age=300"})


jwks_routes: list[BaseRoute] = [Route("/.well-known/jwks.json", _jwks, methods=["GET"])]


async def _hear(request: Request) -> Response:
    """A messenger tells a bot what happened. Nothing of the body is read before the secret is right."""
    resources = resources_of(request)
    kind, bot = handshakes.require_bot(resources, request.path_params["kind"], request.headers)
    await handshakes.receive(resources, kind, bot, await request.body())
    return Response(status_code=200)


bot_routes: list[BaseRoute] = [Route("/api/v1/channels/{kind}/updates", _hear, methods=["POST"])]


@dev_router.get("/api/v1/dev/inbox", operation_id="read_inbox")
async def read_inbox(
    request: Request, resources: ResourcesDep, phone: Annotated[str | None, Query(max_length=64)] = None
) -> list[InboxMessage]:
    """What would have gone out to a phone, newest first. Development only."""
    inbox.require_loopback(request)
    return await channels.read_inbox(resources.redis, inbox.wanted_phone(phone))


@dev_router.get("/dev/inbox", include_in_schema=False)
async def show_inbox(
    request: Request, resources: ResourcesDep, phone: Annotated[str | None, Query(max_length=64)] = None
) -> HTMLResponse:
    """The same as a page."""
    inbox.require_loopback(request)
    wanted = inbox.wanted_phone(phone)
    page = inbox.render(await channels.read_inbox(resources.redis, wanted), wanted)
    headers = {"Content-Security-Policy": inbox.CSP, "Cache-Control": "no-store"}
    return HTMLResponse(page, headers=headers)


@dev_router.get("/dev/inbox.css", include_in_schema=False)
async def show_inbox_style(request: Request) -> Response:
    """Its style sheet."""
    inbox.require_loopback(request)
    return Response(inbox.STYLE, media_type="text/css", headers={"Cache-Control": "max-age=300"})
