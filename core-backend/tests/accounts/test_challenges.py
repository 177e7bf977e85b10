"""Asking for a code: who may, how often, and what the answer gives away (nothing)."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest
from core_kit.codes import StartCore, answer, ask, challenge, refusal
from core_kit.people import API, Owner, unique_phone
from core_kit.running import RunningCore
from structlog.testing import capture_logs
from tochka_core.accounts.api import tell_of_channels

pytestmark = pytest.mark.anyio


async def test_the_answer_says_what_comes_next_and_nothing_else(client: httpx.AsyncClient) -> None:
    got = await ask(client, unique_phone())
    assert got.status_code == 202
    body = got.json()
    assert body.keys() == {
        *("challenge_id", "channel", "carrier", "links", "code_length", "expires_at", "resend_at")
    }
    assert (body["channel"], body["carrier"], body["links"]) == ("max", "inbox", [])
    assert body["code_length"] == 6
    expires, resend = (datetime.fromisoformat(body[name]) for name in ("expires_at", "resend_at"))
    now = datetime.now(UTC)
    assert 290 < (expires - now).total_seconds() <= 301
    assert 50 < (resend - now).total_seconds() <= 61


async def _redis_work(core: RunningCore) -> dict[str, int]:
    stats = await core.resources.redis.info("commandstats")
    return {name: int(numbers["calls"]) for name, numbers in stats.items() if "ping" not in name}


async def test_a_known_phone_gets_the_same_answer_for_the_same_work(
    core: RunningCore, client: httpx.AsyncClient, owner: Owner
) -> None:
    await ask(client, unique_phone())  # scripts are loaded by now
    shapes, work = [], []
    for phone in (owner.phone, unique_phone()):
        before = await _redis_work(core)
        got = await ask(client, phone)
        after = await _redis_work(core)
        work.append({name: count - before.get(name, 0) for name, count in after.items()})
        passing = ("date", "x-request-id", "ratelimit")
        steady = {name: value for name, value in got.headers.items() if name not in passing}
        shapes.append((got.status_code, got.json().keys(), steady))
    assert shapes[0] == shapes[1]
    assert work[0] == work[1]


MOBILE = {
    "+7 999 123-45-67": "+79991234567",
    "8 (999) 123-45-68": "+79991234568",
    "9991234569": "+79991234569",
    " +7 999 1234570 ": "+79991234570",
    "+７９９９１２３４５７１": "+79991234571",
    "+7 701 123 45 67": "+77011234567",
    "+44 7911 123456": "+447911123456",
    "+1 415 555 2671": "+14155552671",
    "+375 29 123-45-67": "+375291234567",
}


@pytest.mark.parametrize(("typed", "sent_to"), MOBILE.items())
async def test_a_mobile_number_of_any_country_is_understood(
    client: httpx.AsyncClient, typed: str, sent_to: str
) -> None:
    got = await ask(client, typed)
    assert got.status_code == 202, got.text
    inbox = await client.get(f"{API}/dev/inbox", params={"phone": sent_to}, headers={"Host": "localhost"})
    assert inbox.json()[0]["phone"] == sent_to


REFUSED = {
    "+7 495 123-45-67": "accounts.phone_not_mobile",
    "8 800 555-35-35": "accounts.phone_not_mobile",
    "112": "accounts.phone_invalid",
    "": "accounts.phone_invalid",
    "+": "accounts.phone_invalid",
    "phone": "accounts.phone_invalid",
    "+7 999 FLOWERS": "accounts.phone_invalid",
    "+79991234567;ext=1": "accounts.phone_invalid",
    "+7999123456": "accounts.phone_invalid",
    "+799912345678": "accounts.phone_invalid",
    "+888 0123 4567": "accounts.phone_invalid",
    "++79991234567": "accounts.phone_invalid",
    "+79991234567\x00": "accounts.phone_invalid",
    "9" * 64: "accounts.phone_invalid",
}


@pytest.mark.parametrize(("typed", "code"), REFUSED.items())
async def test_anything_else_is_refused_with_a_reason(
    client: httpx.AsyncClient, typed: str, code: str
) -> None:
    got = await ask(client, typed)
    assert refusal(got) == (422, code)
    assert [error["field"] for error in got.json()["errors"]] == ["phone"]


BAD_BODIES: dict[str, tuple[object, set[str]]] = {
    "unknown channel": ({"phone": "+79991234567", "channel": "sms"}, {"channel"}),
    "channel in capitals": ({"phone": "+79991234567", "channel": "MAX"}, {"channel"}),
    "no channel": ({"phone": "+79991234567"}, {"channel"}),
    "no phone": ({"channel": "max"}, {"phone"}),
    "phone as a number": ({"phone": 79991234567, "channel": "max"}, {"phone"}),
    "a very long phone": ({"phone": "9" * 65, "channel": "max"}, {"phone"}),
    "unknown delivery": (
        {"phone": "+79991234567", "channel": "max", "token_delivery": "x"},
        {"token_delivery"},
    ),
    "a list": ([], {""}),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_malformed_body_names_its_field(client: httpx.AsyncClient, name: str) -> None:
    body, fields = BAD_BODIES[name]
    got = await client.post(f"{API}/auth/challenges", json=body)
    assert refusal(got) == (422, "request.invalid")
    assert {error["field"] for error in got.json()["errors"]} == fields


async def test_both_channels_arrive_in_the_inbox(client: httpx.AsyncClient) -> None:
    phone = unique_phone()
    for channel in ("max", "telegram"):
        assert (await ask(client, phone, channel=channel)).json()["channel"] == channel
    inbox = await client.get(f"{API}/dev/inbox", params={"phone": phone}, headers={"Host": "localhost"})
    assert [message["channel"] for message in inbox.json()] == ["telegram", "max"]


async def test_a_phone_gets_five_unanswered_codes_an_hour_under_any_limits(client: httpx.AsyncClient) -> None:
    phone = unique_phone()
    for _ in range(5):
        assert (await ask(client, phone)).status_code == 202
    got = await ask(client, phone)
    assert refusal(got) == (429, "accounts.too_many_codes")
    assert 3500 < int(got.headers["retry-after"]) <= 3600


async def test_pressing_twice_sends_once(client: httpx.AsyncClient) -> None:
    phone, key = unique_phone(), {"Idempotency-Key": "press-1"}
    body = {"phone": phone, "channel": "max"}
    presses = [client.post(f"{API}/auth/challenges", json=body, headers=key) for _ in range(8)]
    answers = await asyncio.gather(*presses)
    assert {got.status_code for got in answers} == {202}
    assert len({got.json()["challenge_id"] for got in answers}) == 1
    inbox = await client.get(f"{API}/dev/inbox", params={"phone": phone}, headers={"Host": "localhost"})
    assert len(inbox.json()) == 1
    later = await client.post(f"{API}/auth/challenges", json=body, headers=key)
    assert later.headers["idempotency-replayed"] == "true"
    assert later.json()["challenge_id"] == answers[0].json()["challenge_id"]
    for asked, headers in (({**body, "phone": unique_phone()}, key), (body, {})):
        got = await client.post(f"{API}/auth/challenges", json=asked, headers=headers)
        assert got.json()["challenge_id"] != later.json()["challenge_id"]


@pytest.mark.parametrize("change", [{"channel": "telegram"}, {"token_delivery": "body"}])
async def test_a_key_is_good_for_one_request(client: httpx.AsyncClient, change: dict[str, str]) -> None:
    phone, key = unique_phone(), {"Idempotency-Key": "press-3"}
    body = {"phone": phone, "channel": "max"}
    first = await client.post(f"{API}/auth/challenges", json=body, headers=key)
    other = await client.post(f"{API}/auth/challenges", json={**body, **change}, headers=key)
    assert refusal(other) == (422, "idempotency.mismatch")
    again = await client.post(f"{API}/auth/challenges", json=body, headers=key)
    assert again.json()["challenge_id"] == first.json()["challenge_id"]


async def test_a_press_that_was_refused_does_not_keep_its_key(client: httpx.AsyncClient) -> None:
    phone, key = unique_phone(), {"Idempotency-Key": "press-2"}
    body = {"phone": phone, "channel": "max"}
    codes = [await challenge(client, phone) for _ in range(5)]
    refused = await client.post(f"{API}/auth/challenges", json=body, headers=key)
    assert refusal(refused) == (429, "accounts.too_many_codes")
    challenge_id, _, code = codes[-1]
    assert (await answer(client, challenge_id, code)).status_code == 200
    got = await client.post(f"{API}/auth/challenges", json=body, headers=key)
    assert got.status_code == 202
    assert "idempotency-replayed" not in got.headers


async def test_codes_that_were_answered_do_not_count(client: httpx.AsyncClient) -> None:
    phone = unique_phone()
    for _ in range(12):
        challenge_id, _, code = await challenge(client, phone)
        assert (await answer(client, challenge_id, code)).status_code == 200


async def test_an_address_is_limited_and_another_is_not(start_core: StartCore) -> None:
    async with start_core(limits="strict") as strict, httpx.AsyncClient(base_url=strict.url) as client:
        client.headers["X-Forwarded-For"] = "203.0.113.7"
        for _ in range(30):
            assert (await ask(client, unique_phone())).status_code == 202
        got = await ask(client, unique_phone())
        assert refusal(got) == (429, "request.too_many")
        assert int(got.headers["retry-after"]) > 0
        client.headers["X-Forwarded-For"] = "203.0.113.8"
        assert (await ask(client, unique_phone())).status_code == 202


async def test_without_a_channel_nothing_is_promised(start_core: StartCore) -> None:
    async with start_core(dev_inbox=False) as bare, httpx.AsyncClient(base_url=bare.url) as client:
        got = await ask(client, unique_phone())
        assert refusal(got) == (503, "accounts.channel_unavailable")
        assert "retry-after" in got.headers
        with capture_logs() as lines:
            tell_of_channels(bare.resources)
        assert [(line["event"], line["log_level"]) for line in lines] == [("accounts.no_channel", "warning")]


async def test_redis_holds_no_code_and_no_phone_in_a_key_and_forgets(
    core: RunningCore, client: httpx.AsyncClient
) -> None:
    challenge_id, phone, code = await challenge(client)
    redis = core.resources.redis
    keys = [key async for key in redis.scan_iter() if "{inbox}" not in key]
    held = [key for key in keys if key.endswith(challenge_id) or challenge_id in key]
    assert len(held) == 2
    assert not [key for key in keys if phone in key or phone[1:] in key]
    for key in held:
        values: dict[str, str] = await redis.hgetall(key)  # type: ignore[assignment]  # it decodes
        assert code not in "|".join(
            value for name, value in values.items() if name not in ("expires", "resend")
        )
    own = ("challenge:", "code:", "sends-", "failures-", "limit:", "spent:", "asked:", "{inbox}")
    async for key in redis.scan_iter():
        assert not key.startswith(own) or await redis.pttl(key) > 0, key
