"""Guessing codes: the guesses of a phone are counted over all its challenges, from wherever they come."""

import asyncio
import itertools
from collections import Counter

import httpx
import pytest
from core_kit.codes import StartCore, answer, ask, challenge, look, other, refusal
from core_kit.people import API, read_code, unique_phone
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

CODES_OF_A_PHONE, FAILURES_OF_A_PHONE, TRIES = 5, 10, 5
_addresses = itertools.count(1)


def _elsewhere() -> dict[str, str]:
    """As if from a network address that was never used before."""
    number = next(_addresses)
    return {"X-Forwarded-For": f"100.{64 + number // 65536}.{number // 256 % 256}.{number % 256}"}


async def test_guessing_over_challenges_instances_and_addresses_ends_after_ten(
    core: RunningCore, start_core: StartCore, core_database: ScratchDatabase
) -> None:
    phone = unique_phone()
    verdicts: Counter[str] = Counter()
    async with start_core() as second:
        urls = itertools.cycle((core.url, second.url))
        last: tuple[str, str] | None = None
        for _ in range(CODES_OF_A_PHONE):
            async with httpx.AsyncClient(base_url=next(urls)) as client:
                challenge_id, _, code = await challenge(client, phone)
                last = (challenge_id, code)
                for _ in range(TRIES + 2):
                    path = f"{next(urls)}{API}/auth/challenges/{challenge_id}/confirm"
                    got = await client.post(path, json={"code": other(code)}, headers=_elsewhere())
                    verdicts[refusal(got)[1]] += 1
        assert last is not None
        async with httpx.AsyncClient(base_url=second.url, headers=_elsewhere()) as client:
            assert refusal(await answer(client, *last)) == (429, "accounts.too_many_tries")
            assert refusal(await ask(client, phone)) == (429, "accounts.too_many_codes")
    assert verdicts == {
        "accounts.code_wrong": FAILURES_OF_A_PHONE,
        "accounts.too_many_tries": CODES_OF_A_PHONE * (TRIES + 2) - FAILURES_OF_A_PHONE,
    }
    assert await look(core_database, "SELECT 1 FROM users WHERE phone = $1", phone) == []


async def test_sending_again_from_elsewhere_gives_no_more_guesses(core: RunningCore) -> None:
    async with httpx.AsyncClient(base_url=core.url) as client:
        challenge_id, phone, code = await challenge(client)
        wrong = 0
        for _ in range(3):
            for _ in range(2):
                client.headers.update(_elsewhere())
                wrong += refusal(await answer(client, challenge_id, other(code)))[1] == "accounts.code_wrong"
            (key,) = [name async for name in core.resources.redis.scan_iter(f"code:*{challenge_id}")]
            await core.resources.redis.hincrby(key, "resend", -61_000)
            client.headers.update(_elsewhere())
            resent = await client.post(f"{API}/auth/challenges/{challenge_id}/resend")
            if resent.status_code == 202:
                client.headers.pop("X-Forwarded-For")
                code = await read_code(client, phone)
        assert wrong == TRIES
        assert refusal(await answer(client, challenge_id, code)) == (429, "accounts.too_many_tries")


async def test_guessing_at_all_challenges_at_once_gives_no_more_guesses(
    core: RunningCore, start_core: StartCore, core_database: ScratchDatabase
) -> None:
    phone = unique_phone()
    async with start_core() as second, httpx.AsyncClient(base_url=core.url, timeout=20) as client:
        asked = [await challenge(client, phone) for _ in range(CODES_OF_A_PHONE)]
        codes = {code for _, _, code in asked}
        urls = itertools.cycle((core.url, second.url))

        async def guess(challenge_id: str, code: str) -> tuple[int, str]:
            path = f"{next(urls)}{API}/auth/challenges/{challenge_id}/confirm"
            return refusal(await client.post(path, json={"code": code}, headers=_elsewhere()))

        wrong = (f"{number:06d}" for number in itertools.count() if f"{number:06d}" not in codes)
        guesses = [guess(challenge_id, next(wrong)) for challenge_id, _, _ in asked for _ in range(20)]
        verdicts = Counter(await asyncio.gather(*guesses))
    assert verdicts == {
        (422, "accounts.code_wrong"): FAILURES_OF_A_PHONE,
        (429, "accounts.too_many_tries"): len(guesses) - FAILURES_OF_A_PHONE,
    }
    assert await look(core_database, "SELECT 1 FROM users WHERE phone = $1", phone) == []


async def test_however_a_phone_is_written_it_is_one_phone(core: RunningCore) -> None:
    digits = unique_phone().removeprefix("+7")
    spellings = (
        f"+7{digits}",
        f"8{digits}",
        digits,
        f"+7 ({digits[:3]}) {digits[3:6]}-{digits[6:]}",
        f" +7-{digits[:3]}-{digits[3:]} ",
        "+７" + digits,
    )
    async with httpx.AsyncClient(base_url=core.url, headers=_elsewhere()) as client:
        answers = [await ask(client, spelling) for spelling in spellings]
    assert [got.status_code for got in answers] == [202] * CODES_OF_A_PHONE + [429]


async def test_a_right_code_gives_no_guesses_at_another_challenge_back(core: RunningCore) -> None:
    """Only whoever holds the phone clears its counters, and the tries of a challenge stay spent."""
    phone = unique_phone()
    async with httpx.AsyncClient(base_url=core.url) as client:
        attacked, _, code = await challenge(client, phone)
        for _ in range(TRIES):
            await answer(client, attacked, other(code))
        own, _, right = await challenge(client, phone)
        assert (await answer(client, own, right)).status_code == 200
        assert refusal(await answer(client, attacked, code)) == (429, "accounts.too_many_tries")
