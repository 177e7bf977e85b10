"""What other origins, proxies and slow senders can do: what the settings say, and nothing more."""

import asyncio
import socket
from typing import Any

import httpx
import pytest
from core_kit.codes import StartCore, answer, challenge, look, refusal
from core_kit.people import API, sign_up
from core_kit.processes import web_process
from core_kit.running import RunningCore, core_settings
from pydantic import ValidationError
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

APP = "https://app.example"
HEADERS = "Content-Type, Authorization, X-Request-ID, X-Tenant-ID, Idempotency-Key"


def _preflight(origin: str, method: str = "POST", headers: str = "content-type") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


async def test_a_listed_origin_may_call_with_the_listed_headers(start_core: StartCore) -> None:
    async with start_core(cors_origins=(APP,)) as core, httpx.AsyncClient(base_url=core.url) as client:
        told = await client.options(f"{API}/installations", headers=_preflight(APP, headers=HEADERS.lower()))
        assert told.status_code == 200
        allowed = {name: told.headers[f"access-control-allow-{name}"] for name in ("origin", "headers")}
        assert allowed == {"origin": APP, "headers": HEADERS}
        assert told.headers["access-control-allow-methods"] == "GET, POST, PUT, PATCH, DELETE"
        assert told.headers["access-control-allow-credentials"] == "true"
        plain = await client.get(f"{API}/modules", headers={"Origin": APP})
        assert plain.headers["access-control-allow-origin"] == APP
        assert "Origin" in plain.headers["vary"]
        assert "RateLimit" in plain.headers["access-control-expose-headers"].split(", ")
        refused = await client.get(f"{API}/me", headers={"Origin": APP})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, APP)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://app.example.evil.example",
        "https://app.example:8443",
        "http://app.example",
        "https://APP.example",
        "https://app.example/",
        "https://x.app.example",
        "null",
        "*",
    ],
)
async def test_any_other_origin_may_not(start_core: StartCore, origin: str) -> None:
    async with start_core(cors_origins=(APP,)) as core, httpx.AsyncClient(base_url=core.url) as client:
        for told in (
            await client.options(f"{API}/me", headers=_preflight(origin)),
            await client.get(f"{API}/modules", headers={"Origin": origin}),
        ):
            assert "access-control-allow-origin" not in told.headers


@pytest.mark.parametrize(
    ("method", "headers"), [("TRACE", "content-type"), ("POST", "x-evil"), ("PUT", "cookie")]
)
async def test_no_other_method_or_header_is_allowed(start_core: StartCore, method: str, headers: str) -> None:
    async with start_core(cors_origins=(APP,)) as core, httpx.AsyncClient(base_url=core.url) as client:
        told = await client.options(f"{API}/me", headers=_preflight(APP, method, headers))
        assert told.status_code == 400


async def test_without_a_list_there_is_no_cors(client: httpx.AsyncClient) -> None:
    told = await client.options(f"{API}/me", headers=_preflight("http://localhost:8080"))
    assert refusal(told) == (405, "request.method_not_allowed")
    plain = await client.get(f"{API}/modules", headers={"Origin": APP})
    assert not [name for name in plain.headers if name.startswith("access-control")]


async def test_a_listed_origin_may_use_the_cookie_and_no_other(start_core: StartCore) -> None:
    async with start_core(cors_origins=(APP,)) as core:
        owner = await sign_up(core.url)
        client = owner.client
        listed = {"Origin": APP, "Sec-Fetch-Site": "same-site"}
        assert (await client.post(f"{API}/auth/refresh", headers=listed)).status_code == 200
        for call in ("refresh", "logout"):
            foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
            got = await client.post(f"{API}/auth/{call}", headers={**foreign, "Authorization": ""})
            assert refusal(got) == (403, "accounts.cross_site")
        assert (await client.get(f"{API}/me")).status_code == 200
        await client.aclose()


@pytest.mark.parametrize(
    "wrong",
    [
        {"cors_origins": "*"},
        {"cors_origins": "https://*.example"},
        {"cors_origins": "https://app.example/"},
        {"cors_origins": "https://app.example,*"},
        {"cors_origins": "app.example"},
        {"cors_origins": "null"},
        {"cors_origins": "https://App.example"},
        {"trusted_proxies": "*"},
        {"trusted_proxies": "0.0.0.0/0"},
        {"trusted_proxies": "::/0"},
        {"trusted_proxies": "proxy.example"},
        {"trusted_proxies": "10.0.0.1/8"},
    ],
)
def test_a_list_that_lets_in_more_than_it_names_stops_the_start(
    core_database: ScratchDatabase, wrong: dict[str, str]
) -> None:
    with pytest.raises(ValidationError):
        core_settings(core_database, "redis://127.0.0.1/0", **wrong)


async def _seen_address(url: str, database: ScratchDatabase, headers: dict[str, str]) -> str:
    """From where somebody signs in who sends these headers, as far as the platform knows."""
    async with httpx.AsyncClient(base_url=url) as client:
        challenge_id, phone, code = await challenge(client)
        client.headers.update(headers)
        assert (await answer(client, challenge_id, code)).status_code == 200
    query = "SELECT host(s.ip) AS ip FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.phone = $1"
    return str((await look(database, query, phone))[0]["ip"])


@pytest.mark.parametrize(
    ("trusted", "forwarded", "seen"),
    [
        ("127.0.0.1,::1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.0/8,10.0.0.0/8", "203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("10.0.0.0/8", "203.0.113.7", "127.0.0.1"),
        ("", "203.0.113.7", "127.0.0.1"),
    ],
)
async def test_only_a_configured_proxy_says_who_the_client_is(
    start_core: StartCore, core_database: ScratchDatabase, trusted: str, forwarded: str, seen: str
) -> None:
    async with start_core(trusted_proxies=trusted) as core:
        assert await _seen_address(core.url, core_database, {"X-Forwarded-For": forwarded}) == seen


async def test_the_process_believes_no_proxy_that_the_settings_do_not_name(
    core_database: ScratchDatabase, redis_url: str
) -> None:
    settings = core_settings(core_database, redis_url, trusted_proxies="10.0.0.0/8,192.0.2.1")
    async with web_process(settings) as (_, url):
        forged = {"X-Forwarded-For": "203.0.113.7"}
        assert await _seen_address(url, core_database, forged) == "127.0.0.1"


@pytest.mark.parametrize(
    "name",
    [
        "Forwarded",
        "X-Real-IP",
        "X-Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Forwarded",
        "X-Original-For",
    ],
)
async def test_no_other_header_says_it(core: RunningCore, core_database: ScratchDatabase, name: str) -> None:
    value = "for=203.0.113.7" if name == "Forwarded" else "203.0.113.7"
    assert await _seen_address(core.url, core_database, {name: value}) == "127.0.0.1"


async def _answer_to(url: str, request: bytes) -> bytes:
    """Everything that comes back until the other side hangs up."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), family=socket.AF_INET)
    try:
        writer.write(request)
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
async def test_a_body_that_does_not_come_is_not_waited_for(start_core: StartCore, framing: bytes) -> None:
    async with start_core(quotas={"body_seconds": 1}) as core:
        head = b"POST /api/v1/auth/challenges HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        body = b'{"ph' if b"Length" in framing else b'4\r\n{"ph\r\n'
        heard = await _answer_to(core.url, head + framing + b"\r\n\r\n" + body)
        assert heard.startswith(b"HTTP/1.1 408 ")
        assert b"request.too_slow" in heard
        assert b"connection: close" in heard.lower()
        assert core.resources.connections.pool_status().as_dict()["checked_out"] == 0


async def test_a_body_in_pieces_is_read_up_to_its_size(start_core: StartCore) -> None:
    async with (
        start_core(quotas={"body_bytes": 1024}) as core,
        httpx.AsyncClient(base_url=core.url) as own,
    ):

        async def pieces() -> Any:
            yield b'{"phone": "112", '
            yield b'"channel": "max"}'

        json = {"Content-Type": "application/json"}
        got = await own.post(f"{API}/auth/challenges", content=pieces(), headers=json)
        assert refusal(got) == (422, "accounts.phone_invalid")
        large = await own.post(f"{API}/auth/challenges", content=b" " * 2000, headers=json)
        assert refusal(large) == (413, "request.too_large")


async def test_browsers_are_told_to_stay_with_https(client: httpx.AsyncClient, start_core: StartCore) -> None:
    assert "strict-transport-security" not in (await client.get(f"{API}/modules")).headers
    async with (
        start_core(public_url="https://rosta.example") as core,
        httpx.AsyncClient(base_url=core.url) as secure,
    ):
        told = await secure.get(f"{API}/modules")
        assert told.headers["strict-transport-security"] == "max-age=31536000"
