"""Receivers that are not built with `Module(...)`: a plain function, and a FastAPI dependency."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from tochka_sdk import clock, keys, problems, webhooks
from tochka_sdk.errors import DomainError
from tochka_sdk.events import Envelope, EventInvalid, Ping
from tochka_sdk.ids import uuid7
from tochka_sdk.keys import PublishedKeys
from tochka_sdk.receiving import MisdirectedEvent, verified_event, verify
from tochka_sdk.testing import FreshInstallation, PlatformDouble
from tochka_sdk.testing.platform import NOWHERE
from tochka_sdk.webhooks import SignatureInvalid

pytestmark = pytest.mark.anyio
PRIVATE, PUBLIC = webhooks.generate_keypair()
SECRET = webhooks.generate_secret()


def _signed(body: bytes | None = None, *, msg_id: str = "") -> tuple[bytes, dict[str, str]]:
    """A genuine request for the shop, or one with another body or id."""
    envelope = Envelope.of("ping", Ping(), tenant_id=uuid7(), receiver="shop", sequence=1)
    sent, now = body or envelope.to_bytes(), int(clock.now().timestamp())
    return sent, webhooks.sign(msg_id or envelope.id, now, sent, secret=SECRET, private_key=PRIVATE)


@pytest.mark.parametrize("known", [[PUBLIC], [SECRET], [webhooks.generate_keypair()[1], PUBLIC]])
def test_a_signed_event_is_read_with_any_key_that_fits(known: Sequence[str]) -> None:
    body, headers = _signed()
    titled = {name.title(): value for name, value in headers.items()}
    assert [verify(body, found, known, receiver="shop").type for found in (headers, titled)] == ["ping"] * 2


def test_what_is_for_somebody_else_is_refused() -> None:
    with pytest.raises(MisdirectedEvent):
        verify(*_signed(), [PUBLIC], receiver="another")


def test_what_is_not_signed_is_refused_before_it_is_read() -> None:
    body, headers = _signed()
    for forged in ((body + b" ", headers), (b"nonsense", {}), (body, {**headers, "webhook-id": "other"})):
        with pytest.raises(SignatureInvalid):
            verify(*forged, [PUBLIC, SECRET], receiver="shop")
    for unknown in ([], ["whpk_"], ["whsec_AAAA"], [PRIVATE], ["nonsense"]):
        with pytest.raises(SignatureInvalid):
            verify(body, headers, unknown, receiver="shop")


def test_what_is_signed_must_be_the_event_that_the_request_names() -> None:
    for request in (_signed(b'{"no": "event"}'), _signed(b"\xff"), _signed(msg_id="another")):
        with pytest.raises(EventInvalid):
            verify(*request, [PUBLIC], receiver="shop")


@pytest.fixture
async def core() -> AsyncIterator[PlatformDouble]:
    """A core whose keys this test may rotate."""
    double = PlatformDouble("notes")
    async with double.serve():
        yield double


def application(known: PublishedKeys | Sequence[str]) -> FastAPI:
    """Somebody's own application."""
    app = FastAPI()

    @app.post("/hook")
    async def hook(event: Annotated[Envelope, Depends(verified_event(known, receiver="notes"))]) -> str:
        return event.type

    return app


@asynccontextmanager
async def calling(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever posts to it."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hook") as caller:
        yield caller


async def _post(caller: httpx.AsyncClient, core: PlatformDouble) -> httpx.Response:
    headers, body = core.sign(core.event("ping", Ping(), FreshInstallation(), tenant_wide=True))
    return await caller.post("/hook", content=body, headers=headers)


async def test_a_dependency_answers_whatever_is_wrong_with_a_problem_document(core: PlatformDouble) -> None:
    app = application(PublishedKeys.at(core.core_url))
    problems.install(app)
    fresh = FreshInstallation()
    headers, body = core.sign(core.event("ping", Ping(), fresh, tenant_wide=True))
    other = core.event("ping", Ping(), fresh, tenant_wide=True).model_copy(update={"receiver": "shop"})
    sent = {
        (401, "webhooks.signature_invalid"): (body + b" ", headers),
        (400, "events.invalid"): (b"{}", core.sign_bytes("an-id", b"{}")),
        (422, "events.misdirected"): core.sign(other)[::-1],
        (413, "request.too_large"): (bytes(300_000), headers),
    }
    async with calling(app) as caller:
        good = await _post(caller, core)
        answers = {
            expected: await caller.post("/hook", content=content, headers=dict(signed))
            for expected, (content, signed) in sent.items()
        }
    assert (good.status_code, good.json()) == (200, "ping")
    for expected, answer in answers.items():
        assert (answer.status_code, answer.json()["code"]) == expected
        assert answer.headers["content-type"] == problems.MEDIA_TYPE


async def test_an_application_with_errors_of_its_own_needs_one_handler_alone(core: PlatformDouble) -> None:
    app = application(core.jwks()[keys.WHPK_MEMBER])
    app.add_exception_handler(DomainError, problems.answer)
    async with calling(app) as caller:
        good = await _post(caller, core)
        bad = await caller.post("/hook", content=b"{}")
    assert (good.status_code, bad.status_code, bad.json()["code"]) == (200, 401, "webhooks.signature_invalid")


async def test_keys_are_fetched_once_and_again_when_they_were_rotated(core: PlatformDouble) -> None:
    known = PublishedKeys.at(core.core_url, interval=0)
    app = application(known)
    problems.install(app)
    async with calling(app) as caller:
        first = [(await _post(caller, core)).status_code for _ in range(3)]
        fetched = len(core.calls)
        core.webhook_key = webhooks.generate_keypair()[0]
        rotated = [(await _post(caller, core)).status_code for _ in range(3)]
    assert (first, rotated) == ([200] * 3, [200] * 3)
    assert (fetched, len(core.calls)) == (1, 2)


async def test_a_withdrawn_key_is_forgotten_when_the_keys_have_become_old(core: PlatformDouble) -> None:
    known = PublishedKeys.at(core.core_url, interval=0, max_age=0)
    await known.refresh()
    old = core.sign(core.event("ping", Ping(), FreshInstallation(), tenant_wide=True))
    core.webhook_key = webhooks.generate_keypair()[0]
    with pytest.raises(SignatureInvalid):
        await known.verify_webhook(*old)


async def test_while_there_is_no_key_at_all_the_platform_is_asked_to_send_again(core: PlatformDouble) -> None:
    for url in (NOWHERE, core.core_url):
        core.is_away = True
        app = application(PublishedKeys.at(url))
        problems.install(app)
        async with calling(app) as caller:
            answer = await _post(caller, core)
        assert (answer.status_code, answer.json()["code"]) == (503, "request.unavailable")
