"""The one door: what is not genuine, not fresh or not an event is refused cleanly and has no effect."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from tochka_sdk import clock, webhooks
from tochka_sdk.testing import FreshInstallation, ModuleClient, PlatformDouble

pytestmark = pytest.mark.anyio


async def home_of(running: ModuleClient, installation: FreshInstallation) -> httpx.Response:
    """The storefront's first page."""
    async with running.storefront(installation) as browser:
        return await browser.get("/")


SIGNATURE = "webhook-signature"
MALFORMED: list[tuple[str, dict[str, str | None]]] = [
    ("no headers", {"webhook-id": None, "webhook-timestamp": None, SIGNATURE: None}),
    ("no signature", {SIGNATURE: None}),
    ("empty signature", {SIGNATURE: ""}),
    ("no comma", {SIGNATURE: "v1a"}),
    ("bad base64", {SIGNATURE: "v1a,???"}),
    ("short signature", {SIGNATURE: "v1a,AAAA"}),
    ("unknown version", {SIGNATURE: "v9,AAAA"}),
    ("shared secret only", {SIGNATURE: "v1,AAAA"}),
    ("many spaces", {SIGNATURE: " " * 900}),
    ("very long", {SIGNATURE: "v1a,AAAA " * 900}),
    ("timestamp in words", {"webhook-timestamp": "now"}),
    ("timestamp with a fraction", {"webhook-timestamp": "1.5"}),
    ("timestamp negative", {"webhook-timestamp": "-1"}),
    ("timestamp huge", {"webhook-timestamp": "9" * 40}),
    ("id with a dot", {"webhook-id": "a.b"}),
    ("id of another event", {"webhook-id": "0191"}),
]


@pytest.mark.parametrize("changes", [item[1] for item in MALFORMED], ids=[item[0] for item in MALFORMED])
async def test_malformed_headers_are_refused_cleanly(
    running: ModuleClient, platform: PlatformDouble, changes: dict[str, str | None]
) -> None:
    fresh = FreshInstallation()
    headers, body = platform.sign(platform.requested(fresh))
    merged = {**headers, **changes}
    sent = {name: value for name, value in merged.items() if value is not None}
    answer = await running.core.post("/_tochka/webhooks", content=body, headers=sent)
    assert (answer.status_code, answer.json()["code"]) == (401, "webhooks.signature_invalid")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await home_of(running, fresh)).status_code == 404


GARBAGE = {
    "nothing": b"",
    "not JSON": b"hello",
    "not UTF-8": b'{"id": "\xff\xfe"}',
    "a number": b"7",
    "a list": b"[]",
    "an empty object": b"{}",
    "nested a thousand times": b"[" * 1000 + b"]" * 1000,
    "null members": b'{"id":null,"type":null,"timestamp":null,"sequence":null,"tenant_id":null,"data":null}',
    "a sequence that is no number": b'{"sequence":"x"}',
    "not a number": b'{"sequence":NaN}',
}


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE.keys())
async def test_signed_garbage_is_refused_cleanly(
    running: ModuleClient, platform: PlatformDouble, body: bytes
) -> None:
    moment = int(clock.now().timestamp())
    headers = webhooks.sign("garbage", moment, body, private_key=platform.webhook_key)
    answer = await running.core.post("/_tochka/webhooks", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "events.invalid")


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"module": "notes"}},
        {"data": {"reason": "x"}, "type": "license.updated"},
        {"installation_id": None},
        {"data": {"host": "a\x00b", "url": "u"}, "type": "domain.removed"},
    ],
)
async def test_signed_events_of_the_wrong_shape_are_refused_cleanly(
    running: ModuleClient, platform: PlatformDouble, change: dict[str, Any]
) -> None:
    fresh = FreshInstallation()
    envelope = platform.requested(fresh).model_copy(update=change)
    answer = await running.deliver(envelope)
    assert (answer.status_code, answer.json()["code"]) == (400, "events.invalid")
    assert (await home_of(running, fresh)).status_code == 404


async def test_a_body_of_more_than_256_kb_is_refused_announced_or_not(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    async def chunks() -> Any:
        for _ in range(40):
            yield b"x" * 10_000

    headers, _ = platform.sign(platform.requested(FreshInstallation()))
    announced = await running.core.post("/_tochka/webhooks", content=b"x" * 300_000, headers=headers)
    streamed = await running.core.post("/_tochka/webhooks", content=chunks(), headers=headers)
    assert [(a.status_code, a.json()["code"]) for a in (announced, streamed)] == [
        (413, "request.too_large")
    ] * 2


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_the_door_takes_no_other_method_whatever_the_module_s_routes_match(
    running: ModuleClient, method: str
) -> None:
    answer = await running.core.request(method, "/_tochka/webhooks", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        assert answer.json()["code"] == "request.method_not_allowed"


async def test_another_platform_s_signature_is_refused(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = FreshInstallation()
    answer = await ModuleClient(running.app, PlatformDouble(platform.module_id)).deliver(
        platform.requested(fresh)
    )
    assert answer.status_code == 401
    assert (await home_of(running, fresh)).status_code == 404


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)])
async def test_a_recorded_request_cannot_be_replayed_later(
    running: ModuleClient, platform: PlatformDouble, age: timedelta
) -> None:
    fresh = FreshInstallation()
    headers, body = platform.sign(platform.requested(fresh), age_s=int(age.total_seconds()))
    answer = await running.core.post("/_tochka/webhooks", content=body, headers=headers)
    assert answer.status_code == 401
    assert (await home_of(running, fresh)).status_code == 404
