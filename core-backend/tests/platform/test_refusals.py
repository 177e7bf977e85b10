"""Requests that mean nothing: each is answered with a problem document, whatever is wrong with it."""

from typing import Any

import httpx
import pytest
from core_kit.people import API, Owner

pytestmark = pytest.mark.anyio

CHALLENGES = f"{API}/auth/challenges"
JSON = {"Content-Type": "application/json"}
MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}


def _problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of what must be a whole problem document."""
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.keys() >= MEMBERS
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    for error in body.get("errors", []):
        assert error.keys() == {"field", "code", "message", "location"}
    return answer.status_code, body["code"]


UNREADABLE = {
    "half an object": b'{"phone": ',
    "a control character": b'{"phone": "\x00"}',
    "no UTF-8": b'{"phone": "\xff"}',
    "a number without end": b'{"phone": ' + b"9" * 5000 + b"}",
    "too deep": b"[" * 100_000,
}
INVALID = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a lone surrogate": rb'{"phone": "\ud800", "channel": "max"}',
    "a lone surrogate for a name": rb'{"\ud800": 1}',
    "a number for a text": b'{"phone": 79991234567, "channel": "max"}',
    "not a number": b'{"phone": NaN, "channel": "max"}',
    "an unknown channel": b'{"phone": "+79991234567", "channel": "sms"}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_a_body_that_is_no_json_is_a_bad_request(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(CHALLENGES, content=body, headers=JSON)
    assert _problem(answer) == (400, "request.malformed")


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID.keys())
async def test_a_body_that_means_nothing_is_invalid_and_says_where(
    client: httpx.AsyncClient, body: bytes
) -> None:
    answer = await client.post(CHALLENGES, content=body, headers=JSON)
    assert _problem(answer) == (422, "request.invalid")
    assert answer.json()["errors"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "json", "", "text/json"])
async def test_a_body_of_another_kind_is_not_read(client: httpx.AsyncClient, kind: str) -> None:
    body = b'{"phone": "+79991234567", "channel": "max"}'
    answer = await client.post(CHALLENGES, content=body, headers={"Content-Type": kind})
    assert _problem(answer) == (415, "request.unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/a+json"]
)
async def test_json_goes_by_several_names(owner: Owner, kind: str) -> None:
    answer = await owner.client.patch(f"{API}/me", content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 200


async def test_a_call_without_a_body_needs_no_kind(client: httpx.AsyncClient) -> None:
    assert _problem(await client.post(f"{API}/auth/refresh")) == (401, "accounts.refresh_invalid")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.post(f"{API}/auth/refresh", headers=form)
    assert _problem(answer) == (401, "accounts.refresh_invalid")


async def test_a_body_is_too_large_announced_or_not(client: httpx.AsyncClient) -> None:
    async def pieces() -> Any:
        for _ in range(40):
            yield b" " * 10_000

    for content in (b" " * 400_000, pieces()):
        answer = await client.post(CHALLENGES, content=content, headers=JSON)
        assert _problem(answer) == (413, "request.too_large")


@pytest.mark.parametrize(
    "path",
    ["/", "/api", API, f"{API}/", f"{API}/modules/", f"{API}/tenants/", f"{API}//me", "/docs/", "/x%00"],
)
async def test_an_address_that_is_none_is_not_guessed(client: httpx.AsyncClient, path: str) -> None:
    assert _problem(await client.get(path)) == (404, "request.not_found")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (f"{API}/me", "GET, PATCH"),
        (f"{API}/tenants", "GET, POST"),
        (f"{API}/auth/refresh", "POST"),
        ("/.well-known/jwks.json", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_all_the_right_ones(
    client: httpx.AsyncClient, path: str, allowed: str
) -> None:
    for method in ("DELETE", "OPTIONS", "TRACE"):
        answer = await client.request(method, path)
        assert _problem(answer) == (405, "request.method_not_allowed")
        assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["installations", "subscriptions", "me/sessions"])
@pytest.mark.parametrize("id", ["x", "%00", "00000000-0000-0000-0000-00000000000g", "1" * 400])
async def test_a_malformed_id_is_invalid(owner: Owner, path: str, id: str) -> None:
    method = "DELETE" if path == "me/sessions" else "GET"
    assert _problem(await owner.client.request(method, f"{API}/{path}/{id}")) == (422, "request.invalid")
