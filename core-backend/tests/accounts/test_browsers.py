"""A code is good in the browser that asked for it, and nowhere else; programs need no cookies."""

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import httpx
import pytest
from core_kit.codes import StartCore, answer, ask, challenge, look, other, refusal
from core_kit.people import API, read_code, unique_phone
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

COOKIE = "tochka_challenge"
UNKNOWN = (404, "accounts.challenge_unknown")
OURS = {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def browser(core: RunningCore) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the platform's own page."""
    async with httpx.AsyncClient(base_url=core.url, headers=OURS) as client:
        yield client


@pytest.fixture
async def other_browser(core: RunningCore) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody else's."""
    async with httpx.AsyncClient(base_url=core.url, headers=OURS) as client:
        yield client


def _script(core: RunningCore) -> httpx.AsyncClient:
    """A program that keeps no cookies: every call is made by a new one."""
    return httpx.AsyncClient(base_url=core.url)


async def _resend(client: httpx.AsyncClient, challenge_id: str) -> httpx.Response:
    return await client.post(f"{API}/auth/challenges/{challenge_id}/resend")


async def test_the_browser_that_asked_signs_in(browser: httpx.AsyncClient) -> None:
    challenge_id, _, code = await challenge(browser)
    assert refusal(await _resend(browser, challenge_id)) == (429, "accounts.too_many_codes")
    assert (await answer(browser, challenge_id, code)).status_code == 200


async def test_another_browser_and_a_program_cannot_use_its_code(
    core: RunningCore,
    browser: httpx.AsyncClient,
    other_browser: httpx.AsyncClient,
    core_database: ScratchDatabase,
) -> None:
    challenge_id, phone, code = await challenge(browser)
    await challenge(other_browser)  # has a cookie of its own
    async with _script(core) as script:
        for thief in (other_browser, script):
            assert refusal(await answer(thief, challenge_id, code)) == UNKNOWN
            assert refusal(await _resend(thief, challenge_id)) == UNKNOWN
        for forged in ("", "x", "x" * 5000):
            cookies = {"Cookie": f"{COOKIE}={forged}"}
            path = f"{API}/auth/challenges/{challenge_id}/confirm"
            assert refusal(await script.post(path, json={"code": code}, headers=cookies)) == UNKNOWN
    assert await look(core_database, "SELECT 1 FROM users WHERE phone = $1", phone) == []
    assert (await answer(browser, challenge_id, other(code))).json()["tries_left"] == 4
    assert (await answer(browser, challenge_id, code)).status_code == 200


@pytest.mark.parametrize("shown", [{"Origin": "http://localhost:8080"}, {"Sec-Fetch-Site": "same-origin"}])
async def test_one_header_is_enough_to_know_a_browser(core: RunningCore, shown: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=core.url, headers=shown) as client:
        challenge_id, _, code = await challenge(client)
    async with _script(core) as script:
        assert refusal(await answer(script, challenge_id, code)) == UNKNOWN


async def test_a_page_cannot_sign_its_visitor_in_with_a_challenge_of_its_own(
    core: RunningCore, browser: httpx.AsyncClient
) -> None:
    async with _script(core) as attacker:
        challenge_id, _, code = await challenge(attacker)
        assert refusal(await answer(browser, challenge_id, code)) == UNKNOWN
        assert "tochka_refresh" not in browser.cookies
        assert (await answer(attacker, challenge_id, code)).status_code == 200


@pytest.mark.parametrize("delivery", ["cookie", "body"])
async def test_a_program_without_cookies_signs_in(core: RunningCore, delivery: str) -> None:
    phone = unique_phone()
    async with _script(core) as first:
        asked = await ask(first, phone, token_delivery=delivery)
        code = await read_code(first, phone)
    async with _script(core) as second:
        got = await answer(second, asked.json()["challenge_id"], code)
    assert got.status_code == 200
    assert (got.json()["refresh_token"] is not None) == (delivery == "body")
    assert (COOKIE in asked.cookies) == (delivery == "cookie")


async def test_a_native_client_may_change_its_clothes(core: RunningCore, browser: httpx.AsyncClient) -> None:
    challenge_id, _, code = await challenge(browser, token_delivery="body")
    assert COOKIE not in browser.cookies
    async with _script(core) as app:
        assert (await answer(app, challenge_id, code)).status_code == 200


async def test_tabs_of_one_browser_do_not_shut_each_other_out(browser: httpx.AsyncClient) -> None:
    first, second = await challenge(browser), await challenge(browser)
    for challenge_id, _, code in (first, second):
        assert (await answer(browser, challenge_id, code)).status_code == 200


async def test_a_repeated_press_whose_answer_was_lost_keeps_its_browser(core: RunningCore) -> None:
    phone, headers = unique_phone(), {**OURS, "Idempotency-Key": "press-4"}
    body = {"phone": phone, "channel": "max"}
    async with httpx.AsyncClient(base_url=core.url, headers=headers) as lost:
        await lost.post(f"{API}/auth/challenges", json=body)
    async with httpx.AsyncClient(base_url=core.url, headers=headers) as again:
        got = await again.post(f"{API}/auth/challenges", json=body)
        assert got.headers["idempotency-replayed"] == "true"
        code = await read_code(again, phone)
        assert (await answer(again, got.json()["challenge_id"], code)).status_code == 200


async def test_the_cookie_is_for_this_host_and_no_script(
    client: httpx.AsyncClient, start_core: StartCore
) -> None:
    plain = SimpleCookie((await ask(client, unique_phone())).headers["set-cookie"])[COOKIE]
    async with (
        start_core(public_url="https://rosta.example") as core,
        httpx.AsyncClient(base_url=core.url) as secure_client,
    ):
        text = (await ask(secure_client, unique_phone())).headers["set-cookie"]
    secure = SimpleCookie(text)[f"__Host-{COOKIE}"]
    for cookie in (plain, secure):
        assert (cookie["path"], cookie["samesite"], cookie["domain"]) == ("/", "strict", "")
        assert cookie["httponly"] is True
        assert int(cookie["max-age"]) == 180 * 24 * 3600
        assert len(cookie.value) == 43
    assert (bool(plain["secure"]), bool(secure["secure"])) == (False, True)


async def test_redis_does_not_hold_the_secret(core: RunningCore, browser: httpx.AsyncClient) -> None:
    challenge_id, _, _ = await challenge(browser)
    held: dict[str, str] = await core.resources.redis.hgetall(  # type: ignore[assignment]  # it decodes
        f"challenge:{{{challenge_id}}}"
    )
    assert held["bound"] == "1"
    assert browser.cookies[COOKIE] not in held.values()
