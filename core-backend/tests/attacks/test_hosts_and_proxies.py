"""Lying about the host, the address and the scheme: to the core alone, and to the gateway before it."""

import httpx
import pytest
from core_kit.codes import StartCore, answer, challenge, look, refusal
from core_kit.gate import Front, head, say
from core_kit.people import API, Owner, unique_phone
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

REAL = "203.0.113.99"
LIES: list[list[tuple[str, str]]] = [
    [("X-Forwarded-For", f"1.2.3.1, {REAL}")],  # what a client wrote before the gateway
    [("X-Forwarded-For", "1.2.3.2"), ("X-Forwarded-For", REAL)],
    [("X-Forwarded-For", f"liar, unknown, {REAL}")],
    [("X-Forwarded-For", f"{REAL}:4004")],
    [("X-Forwarded-For", f"::ffff:{REAL}"), ("X-Real-IP", "1.2.3.5")],
    [("Forwarded", "for=1.2.3.6"), ("True-Client-IP", "1.2.3.6"), ("X-Forwarded-For", REAL)],
]


async def test_lying_about_the_address_does_not_open_another_bucket(start_core: StartCore) -> None:
    async with (
        start_core(limits="strict", quotas={"codes": "3/1h"}) as core,
        httpx.AsyncClient(base_url=core.url) as client,
    ):
        body = {"phone": "112", "channel": "max"}
        statuses = []
        for lie in LIES:
            got = await client.post(f"{API}/auth/challenges", json=body, headers=lie)
            statuses.append(got.status_code)
        assert statuses == [422] * 3 + [429] * 3
        statuses = []
        for address in ("2001:db8:77::1", "2001:db8:77::2", "2001:db8:77:0:1::3", "2001:db8:77::4"):
            from_there = {"X-Forwarded-For": address}
            got = await client.post(f"{API}/auth/challenges", json=body, headers=from_there)
            statuses.append(got.status_code)
        assert statuses == [422] * 3 + [429]


HOSTS: list[dict[str, str]] = [
    {"Host": "evil.example"},
    {"Host": "localhost:8080@evil.example"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-Host": "evil.example"},
    {"Forwarded": "host=evil.example"},
    {"X-Original-URL": "https://evil.example/"},
    {"X-Rewrite-URL": "/dev/inbox"},
    {"X-Forwarded-Prefix": "//evil.example"},
]


@pytest.mark.parametrize("headers", HOSTS)
async def test_a_forged_host_ends_up_in_nothing_that_is_sent(
    owner: Owner, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    phone = unique_phone()
    asked = await client.post(
        f"{API}/auth/challenges", json={"phone": phone, "channel": "max"}, headers=headers
    )
    shown = await client.get(f"{API}/dev/inbox", params={"phone": phone}, headers={"Host": "localhost"})
    answers = [asked, shown]
    answers += [await owner.client.get(path, headers=headers) for path in ("/docs", f"{API}/me", f"{API}/x")]
    answers.append(await owner.client.get(f"{API}/subdomains/pekarnya", headers=headers))
    for got in answers:
        assert got.status_code in (200, 202, 404)
        assert "location" not in got.headers
        assert "evil" not in got.text
        assert "evil" not in str(got.headers)


async def test_a_forged_host_does_not_make_a_foreign_page_ours(owner: Owner) -> None:
    for headers in (
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {
            "X-Forwarded-Host": "evil.example",
            "Origin": "http://evil.example",
            "Sec-Fetch-Site": "same-origin",
        },
        {"X-Forwarded-Proto": "https", "Origin": "https://localhost:8080"},
    ):
        for call in ("refresh", "logout"):
            got = await owner.client.post(f"{API}/auth/{call}", headers={**headers, "Authorization": ""})
            assert refusal(got) == (403, "accounts.cross_site")
    assert (await owner.client.get(f"{API}/me")).status_code == 200


async def test_the_core_serves_by_path_whatever_host_a_target_names(core: RunningCore, owner: Owner) -> None:
    bearer = f"Authorization: {owner.client.headers['Authorization']}"
    for target in (f"http://evil.example{API}/me", f"http://evil.example:99{API}/me", f"{API}/me"):
        heard = await say(core.url, head("GET", target, "Host: localhost:8080", bearer))
        assert heard.status == 200
        assert "evil" not in heard.text
    for target in ("evil.example:80", "*", "//evil.example/", "evil"):
        heard = await say(core.url, head("GET", target, "Host: localhost:8080", bearer))
        assert heard.status in (400, 404)
        assert str(owner.user_id) not in heard.text


async def test_the_gateway_goes_by_the_host_that_a_target_names(front: Front) -> None:
    """RFC 9112: the target's host decides, the header is passed over: nobody can play one off the other."""
    ours = await say(front.url, head("GET", f"http://localhost{API}/modules", "Host: evil.example"))
    assert ours.status == 200
    assert "evil" not in ours.text
    foreign = await say(front.url, head("GET", f"http://evil.example{API}/modules", "Host: localhost"))
    assert foreign.status == 404
    assert "next_cursor" not in foreign.text


@pytest.mark.parametrize(
    "hosts",
    [
        ("Host: localhost", "Host: evil.example"),
        ("Host: evil.example", "Host: localhost"),
        ("Host: localhost", "host: localhost"),
        (),
        ("Host: localhost/evil.example",),
        ("Host: local host",),
    ],
)
async def test_the_gateway_wants_one_host(front: Front, hosts: tuple[str, ...]) -> None:
    heard = await say(front.url, head("GET", f"{API}/modules", *hosts))
    assert heard.status in (400, 404)
    assert "next_cursor" not in heard.text


CLAIMS = [
    {"X-Forwarded-For": "203.0.113.1"},
    {"X-Forwarded-For": "203.0.113.2, 127.0.0.1"},
    {"Forwarded": "for=203.0.113.3;host=evil.example;proto=https", "X-Real-IP": "203.0.113.3"},
    {"True-Client-IP": "203.0.113.4", "CF-Connecting-IP": "203.0.113.4", "X-Client-IP": "203.0.113.4"},
    {"Connection": "X-Forwarded-For, close", "X-Forwarded-For": "203.0.113.5"},
    {"X_Forwarded_For": "203.0.113.6", "X-Forwarded-For ": "203.0.113.6"},
]


async def test_through_the_gateway_nobody_gets_another_bucket(front: Front) -> None:
    statuses = []
    async with httpx.AsyncClient(base_url=front.url, headers={"Host": "localhost"}) as client:
        for claim in CLAIMS[:5]:
            body = {"phone": "112", "channel": "max"}
            got = await client.post(f"{API}/auth/challenges", json=body, headers=claim)
            statuses.append(got.status_code)
    assert statuses == [422] * 3 + [429] * 2


@pytest.mark.parametrize("claim", CLAIMS[:5], ids=lambda claim: next(iter(claim)))
async def test_through_the_gateway_a_session_shows_where_it_really_is(
    front: Front, core_database: ScratchDatabase, claim: dict[str, str]
) -> None:
    async with httpx.AsyncClient(base_url=front.url, headers={"Host": "localhost:8080"}) as client:
        challenge_id, phone, code = await challenge(client)
        client.headers.update(claim)
        assert (await answer(client, challenge_id, code)).status_code == 200
    query = "SELECT host(s.ip) AS ip FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.phone = $1"
    assert await look(core_database, query, phone) == [{"ip": "127.0.0.1"}]


async def test_through_the_gateway_a_forged_host_does_not_make_a_foreign_page_ours(
    front: Front, owner: Owner
) -> None:
    headers = {
        "Host": "localhost",
        "Origin": "http://evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "Forwarded": "host=evil.example;proto=http",
    }
    async with httpx.AsyncClient(base_url=front.url, cookies=owner.client.cookies) as client:
        for call in ("refresh", "logout"):
            got = await client.post(f"{API}/auth/{call}", headers=headers)
            assert refusal(got) == (403, "accounts.cross_site")
    assert (await owner.client.get(f"{API}/me")).status_code == 200
