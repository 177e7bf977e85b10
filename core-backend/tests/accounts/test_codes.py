"""Typing a code: one right answer wins, wrong ones run out, old and used ones say so."""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx
import pytest
from core_kit.codes import StartCore, answer, challenge, look, other, refusal
from core_kit.people import API, read_code, unique_phone
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _code_key(core: RunningCore, challenge_id: str) -> str:
    keys = [key async for key in core.resources.redis.scan_iter(f"code:*{challenge_id}")]
    return str(keys[0])


async def _age(core: RunningCore, challenge_id: str, field: str, seconds: int) -> None:
    """Move a moment of the challenge into the past."""
    key = await _code_key(core, challenge_id)
    await core.resources.redis.hincrby(key, field, -1000 * seconds)


async def _people(database: ScratchDatabase, phone: str) -> int:
    return len(await look(database, "SELECT 1 FROM users WHERE phone = $1", phone))


async def test_of_fifty_right_answers_at_once_one_wins(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    challenge_id, phone, code = await challenge(client)
    answers = await asyncio.gather(*(answer(client, challenge_id, code) for _ in range(50)))
    assert Counter(got.status_code for got in answers) == {200: 1, 410: 49}
    assert {refusal(got) for got in answers if got.status_code != 200} == {(410, "accounts.code_used")}
    rows = await look(
        core_database,
        "SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.phone = $1",
        phone,
    )
    assert len(rows) == 1


async def test_of_fifty_guesses_at_once_five_are_looked_at(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    challenge_id, phone, code = await challenge(client)
    guesses = [f"{(int(code) + number) % 1_000_000:06d}" for number in range(1, 51)]
    answers = await asyncio.gather(*(answer(client, challenge_id, guess) for guess in guesses))
    assert Counter(refusal(got) for got in answers) == {
        (422, "accounts.code_wrong"): 5,
        (429, "accounts.too_many_tries"): 45,
    }
    assert await _people(core_database, phone) == 0


async def test_a_wrong_code_says_how_many_tries_are_left_then_none_help(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    challenge_id, phone, code = await challenge(client)
    for left in (4, 3, 2, 1, 0):
        got = await answer(client, challenge_id, other(code))
        assert refusal(got) == (422, "accounts.code_wrong")
        assert got.json()["tries_left"] == left
        assert [error["field"] for error in got.json()["errors"]] == ["code"]
    got = await answer(client, challenge_id, code)
    assert refusal(got) == (429, "accounts.too_many_tries")
    assert 0 < int(got.headers["retry-after"]) <= 60
    assert await _people(core_database, phone) == 0


async def test_a_code_is_good_once(client: httpx.AsyncClient) -> None:
    challenge_id, _, code = await challenge(client)
    assert (await answer(client, challenge_id, code)).status_code == 200
    assert refusal(await answer(client, challenge_id, code)) == (410, "accounts.code_used")
    assert refusal(await answer(client, challenge_id, other(code))) == (410, "accounts.code_used")
    resent = await client.post(f"{API}/auth/challenges/{challenge_id}/resend")
    assert refusal(resent) == (410, "accounts.code_used")


async def test_an_old_code_has_expired(
    core: RunningCore, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    challenge_id, phone, code = await challenge(client)
    await _age(core, challenge_id, "expires", 301)
    assert refusal(await answer(client, challenge_id, code)) == (410, "accounts.code_expired")
    assert await _people(core_database, phone) == 0


async def test_a_code_opens_its_own_challenge_only(client: httpx.AsyncClient) -> None:
    phone = unique_phone()
    first, _, old = await challenge(client, phone)
    second, _, new = await challenge(client, phone)
    foreign, _, _ = await challenge(client)
    if old != new:
        assert refusal(await answer(client, second, old)) == (422, "accounts.code_wrong")
    assert refusal(await answer(client, str(uuid4()), new)) == (404, "accounts.challenge_unknown")
    assert (await answer(client, foreign, new)).status_code in (200, 422)
    assert (await answer(client, first, old)).status_code == 200


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "12 34", "１２３４５６", "12345\x00"])
async def test_what_is_no_code_costs_no_try(client: httpx.AsyncClient, typed: str) -> None:
    challenge_id, _, code = await challenge(client)
    got = await answer(client, challenge_id, typed)
    assert refusal(got) == (422, "request.invalid")
    assert (await answer(client, challenge_id, other(code))).json()["tries_left"] == 4


async def test_a_code_may_be_typed_in_groups(client: httpx.AsyncClient) -> None:
    challenge_id, _, code = await challenge(client)
    assert (await answer(client, challenge_id, f" {code[:3]}-{code[3:]} ")).status_code == 200


@pytest.mark.parametrize("wrong", ["1", "not-a-uuid", "{0}", "00000000-0000-0000-0000-00000000000g"])
@pytest.mark.parametrize("call", ["confirm", "resend"])
async def test_a_malformed_challenge_id_is_refused(client: httpx.AsyncClient, wrong: str, call: str) -> None:
    got = await client.post(f"{API}/auth/challenges/{wrong}/{call}", json={"code": "123456"})
    assert refusal(got) == (422, "request.invalid")
    unknown = await client.post(f"{API}/auth/challenges/{uuid4()}/{call}", json={"code": "123456"})
    assert refusal(unknown) == (404, "accounts.challenge_unknown")


async def test_sending_again_waits_a_minute_and_kills_the_old_code(
    core: RunningCore, client: httpx.AsyncClient
) -> None:
    challenge_id, phone, old = await challenge(client)
    path = f"{API}/auth/challenges/{challenge_id}/resend"
    early = await client.post(path)
    assert refusal(early) == (429, "accounts.too_many_codes")
    assert 50 < int(early.headers["retry-after"]) <= 60
    assert (await answer(client, challenge_id, other(old))).json()["tries_left"] == 4

    await _age(core, challenge_id, "resend", 61)
    again = await client.post(path)
    assert again.status_code == 202
    assert again.json()["challenge_id"] == challenge_id
    new = await read_code(client, phone)
    if old != new:
        assert (await answer(client, challenge_id, old)).json()["tries_left"] == 3
    assert (await answer(client, challenge_id, new)).status_code == 200


async def test_sending_again_gives_no_tries_back(core: RunningCore, client: httpx.AsyncClient) -> None:
    challenge_id, phone, code = await challenge(client)
    for _ in range(5):
        await answer(client, challenge_id, other(code))
    await _age(core, challenge_id, "resend", 61)
    again = await client.post(f"{API}/auth/challenges/{challenge_id}/resend")
    assert refusal(again) == (429, "accounts.too_many_tries")
    assert await read_code(client, phone) == code


async def test_an_expired_challenge_can_be_sent_a_new_code(
    core: RunningCore, client: httpx.AsyncClient
) -> None:
    challenge_id, phone, _ = await challenge(client)
    await _age(core, challenge_id, "expires", 301)
    await _age(core, challenge_id, "resend", 301)
    assert (await client.post(f"{API}/auth/challenges/{challenge_id}/resend")).status_code == 202
    assert (await answer(client, challenge_id, await read_code(client, phone))).status_code == 200


async def test_wrong_codes_of_a_phone_add_up_over_its_challenges(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    phone = unique_phone()
    for _ in range(2):
        challenge_id, _, code = await challenge(client, phone)
        for _ in range(5):
            await answer(client, challenge_id, other(code))
    challenge_id, _, code = await challenge(client, phone)
    got = await answer(client, challenge_id, code)
    assert refusal(got) == (429, "accounts.too_many_tries")
    assert int(got.headers["retry-after"]) > 3000
    assert await _people(core_database, phone) == 0


async def test_two_instances_share_the_codes(client: httpx.AsyncClient, start_core: StartCore) -> None:
    async with start_core() as second, httpx.AsyncClient(base_url=second.url) as elsewhere:
        challenge_id, _, code = await challenge(client)
        assert (await answer(elsewhere, challenge_id, other(code))).json()["tries_left"] == 4
        assert (await answer(elsewhere, challenge_id, code)).status_code == 200
        assert refusal(await answer(client, challenge_id, code)) == (410, "accounts.code_used")


async def test_a_restart_loses_no_code(start_core: StartCore) -> None:
    async with start_core() as before, httpx.AsyncClient(base_url=before.url) as client:
        challenge_id, _, code = await challenge(client)
    async with start_core() as after, httpx.AsyncClient(base_url=after.url) as client:
        assert (await answer(client, challenge_id, code)).status_code == 200
