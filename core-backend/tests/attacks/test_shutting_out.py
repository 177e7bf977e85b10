"""Asking and guessing for somebody else's phone: it stops strangers, and not the one whose phone it is."""

import httpx
import pytest
from core_kit.bots import Kind, new_user, running_bot
from core_kit.codes import StartCore, answer, ask, challenge, other, refusal, spent
from core_kit.passwords import CHANNEL
from core_kit.people import API, Owner, read_code, unique_phone
from core_kit.running import RunningCore

pytestmark = pytest.mark.anyio

TOO_MANY_CODES = (429, "accounts.too_many_codes")
TOO_MANY_TRIES = (429, "accounts.too_many_tries")


async def _fill(url: str, phone: str) -> None:
    """Ask for codes and guess until nobody unknown gets one more, or has one more guess."""
    async with httpx.AsyncClient(base_url=url, timeout=20) as stranger:
        for _ in range(5):
            challenge_id, _, code = await challenge(stranger, phone)
            for _ in range(3):
                await answer(stranger, challenge_id, other(code))
        assert refusal(await ask(stranger, phone)) == TOO_MANY_CODES
        assert refusal(await answer(stranger, challenge_id, code)) == TOO_MANY_TRIES


async def test_a_browser_in_which_the_number_was_proven_goes_on(core: RunningCore) -> None:
    async with httpx.AsyncClient(base_url=core.url, timeout=20) as browser:
        challenge_id, phone, code = await challenge(browser)
        assert (await answer(browser, challenge_id, code)).status_code == 200
        await _fill(core.url, phone)
        for _ in range(12):
            challenge_id, _, code = await challenge(browser, phone)
            assert (await answer(browser, challenge_id, code)).status_code == 200


async def test_such_a_browser_has_its_own_limits(core: RunningCore) -> None:
    async with httpx.AsyncClient(base_url=core.url, timeout=20) as browser:
        challenge_id, phone, code = await challenge(browser)
        assert (await answer(browser, challenge_id, code)).status_code == 200
        for _ in range(5):
            challenge_id, _, code = await challenge(browser, phone)
            for _ in range(3):
                await answer(browser, challenge_id, other(code))
        assert refusal(await ask(browser, phone)) == TOO_MANY_CODES
        assert refusal(await answer(browser, challenge_id, code)) == TOO_MANY_TRIES
    async with httpx.AsyncClient(base_url=core.url, timeout=20) as elsewhere:
        challenge_id, _, code = await challenge(elsewhere, phone)
        assert (await answer(elsewhere, challenge_id, code)).status_code == 200


async def test_many_browsers_give_no_more_guesses_than_one(core: RunningCore) -> None:
    """Whoever had the number for a while may have proven it in as many as they like."""
    phone, clients = unique_phone(), []
    for _ in range(3):
        clients.append(httpx.AsyncClient(base_url=core.url, timeout=20))
        challenge_id, _, code = await challenge(clients[-1], phone)
        assert (await answer(clients[-1], challenge_id, code)).status_code == 200
    wrong = 0
    for browser in clients:
        got = await ask(browser, phone)
        if got.status_code == 202:
            code = await read_code(browser, phone)
            for _ in range(5):
                refused = await answer(browser, got.json()["challenge_id"], other(code))
                wrong += refusal(refused) == (422, "accounts.code_wrong")
        await browser.aclose()
    assert wrong == 10


async def test_the_browser_is_known_for_that_number_only(core: RunningCore) -> None:
    async with httpx.AsyncClient(base_url=core.url, timeout=20) as browser:
        challenge_id, _, code = await challenge(browser)
        assert (await answer(browser, challenge_id, code)).status_code == 200
        phone = unique_phone()
        await _fill(core.url, phone)
        assert refusal(await ask(browser, phone)) == TOO_MANY_CODES


async def test_whoever_is_signed_in_can_be_asked_again(core: RunningCore, owner: Owner) -> None:
    await _fill(core.url, owner.phone)
    asked = await owner.client.post(f"{API}/me/reauthentication/challenges", json=CHANNEL)
    assert asked.status_code == 202, asked.text
    proof = {"challenge_id": asked.json()["challenge_id"], "code": await read_code(owner.client, owner.phone)}
    assert (await owner.client.post(f"{API}/me/reauthentication", json=proof)).status_code == 200


@pytest.mark.parametrize("kind", ["max", "telegram"])
async def test_links_to_a_bot_cost_nobody_anything(start_core: StartCore, kind: Kind) -> None:
    """Nothing is sent before the number is proven, and there is no code that could be guessed."""
    async with running_bot(start_core, kind, "webhook") as bot:
        phone, user = unique_phone(), new_user()
        before = await spent(bot.core, bot.kind)
        async with httpx.AsyncClient(base_url=bot.core.url, timeout=20) as stranger:
            for _ in range(12):
                got = await ask(stranger, phone, channel=kind)
                assert got.status_code == 202, got.text
                for _ in range(8):
                    wrong = await answer(stranger, got.json()["challenge_id"], "000000")
                    assert refusal(wrong) == (422, "accounts.code_wrong")
        assert await spent(bot.core, bot.kind) == before
        challenge_id, nonce = await bot.ask(phone)
        code = await bot.get_code(user, phone, nonce)
        assert await spent(bot.core, bot.kind) == before + 1
        assert (await answer(bot.client, challenge_id, code)).status_code == 200
