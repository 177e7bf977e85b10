"""Receivers that are not built with `Module(...)`."""

from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from tochka_sdk import clock, problems, webhooks
from tochka_sdk.core_client import CoreClient
from tochka_sdk.events import Envelope, EventInvalid, Ping
from tochka_sdk.ids import uuid7
from tochka_sdk.keys import PlatformKeys
from tochka_sdk.receiving import MisdirectedEvent, receive, verified_event
from tochka_sdk.testing import FreshInstallation, PlatformDouble
from tochka_sdk.tokens import generate_key
from tochka_sdk.webhooks import SignatureInvalid

pytestmark = pytest.mark.anyio
PRIVATE, PUBLIC = webhooks.generate_keypair()
SECRET = webhooks.generate_secret()


def _signed(receiver: str, **changes: str) -> tuple[dict[str, str], bytes]:
    envelope = Envelope.of("ping", Ping(), tenant_id=uuid7(), receiver=receiver, sequence=1)
    body, now = envelope.to_bytes(), int(clock.now().timestamp())
    headers = webhooks.sign(envelope.id, now, body, secret=SECRET, private_key=PRIVATE)
    return {**headers, **changes}, body


@pytest.mark.parametrize("proof", [{"public_keys": [PUBLIC]}, {"secrets": [SECRET]}])
def test_a_signed_event_is_read(proof: dict[str, list[str]]) -> None:
    headers, body = _signed("shop")
    assert receive(headers, body, receiver="shop", **proof).type == "ping"


def test_what_is_for_somebody_else_is_refused() -> None:
    headers, body = _signed("shop")
    with pytest.raises(MisdirectedEvent):
        receive(headers, body, receiver="another", public_keys=[PUBLIC])


def test_what_is_not_signed_is_refused_before_it_is_read() -> None:
    headers, body = _signed("shop")
    with pytest.raises(SignatureInvalid):
        receive(headers, body + b" ", receiver="shop", public_keys=[PUBLIC])
    with pytest.raises(SignatureInvalid):
        receive({}, b"nonsense", receiver="shop", public_keys=[PUBLIC])


def test_a_signed_request_names_the_event_that_it_carries() -> None:
    body, now = b'{"no": "event"}', int(clock.now().timestamp())
    headers = webhooks.sign("an-id", now, body, private_key=PRIVATE)
    with pytest.raises(EventInvalid):
        receive(headers, body, receiver="shop", public_keys=[PUBLIC])


async def test_fastapi_reads_it_by_a_dependency(platform: PlatformDouble) -> None:
    app = FastAPI()
    problems.install(app)
    client = CoreClient("http://127.0.0.1:1", module_id="notes", issuer=platform.issuer, key=generate_key())
    keys = PlatformKeys(client, module_id="notes", issuer=platform.issuer, jwks=platform.jwks())

    @app.post("/hook")
    async def hook(event: Annotated[Envelope, Depends(verified_event(keys, receiver="notes"))]) -> str:
        return event.type

    fresh = FreshInstallation()
    envelope = platform.event("ping", Ping(), fresh, tenant_wide=True)
    headers, body = platform.sign(envelope)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hook") as caller:
        good = await caller.post("/hook", content=body, headers=headers)
        bad = await caller.post("/hook", content=body + b" ", headers=headers)
        long = await caller.post("/hook", content=bytes(300_000), headers=headers)
    assert (good.status_code, good.json()) == (200, "ping")
    assert (bad.status_code, bad.json()["code"]) == (401, "webhooks.signature_invalid")
    assert long.status_code == 413
