"""Addresses and methods written in every way: none passes by a limit, none does what another one would."""

import httpx
import pytest
from core_kit.codes import refusal
from core_kit.people import API, unique_phone

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "path",
    [
        "/auth/challenges/",
        "//auth/challenges",
        "/auth//challenges",
        "/AUTH/CHALLENGES",
        "/auth/challenges%2F",
        "/auth%2Fchallenges",
        "/auth/./challenges",
        "/auth/x/../challenges",
        "/auth/challenges;a=b",
        "/auth/challenges%00",
        "/auth/challenges?x=1",
        "/auth/challenges/%72esend",
    ],
)
async def test_no_spelling_of_an_address_passes_by_its_limit(client: httpx.AsyncClient, path: str) -> None:
    phone = unique_phone()
    request = client.build_request("POST", f"{API}/auth/challenges", json={"phone": phone, "channel": "max"})
    request.url = request.url.copy_with(raw_path=f"{API}{path}".encode())
    got = await client.send(request)
    assert '"codes"' in got.headers["ratelimit"] or got.status_code in (404, 405, 422)
    shown = await client.get(f"{API}/dev/inbox", params={"phone": phone}, headers={"Host": "localhost"})
    assert len(shown.json()) == (1 if '"codes"' in got.headers["ratelimit"] and got.status_code == 202 else 0)


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
async def test_a_method_is_what_it_is(client: httpx.AsyncClient, name: str) -> None:
    got = await client.get(f"{API}/auth/challenges", headers={name: "POST"})
    assert refusal(got) == (405, "request.method_not_allowed")
