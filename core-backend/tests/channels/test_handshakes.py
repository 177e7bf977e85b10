"""The bot handshake, over HTTP on both sides: who gets a code, who does not, and how often."""

import re
from typing import Any

import httpx
import pytest
from core_kit.bots import HEADERS, SECRET, Bot, Kind, code_in, has_code, new_user, running_bot
from core_kit.codes import StartCore, answer, ask, refusal
from core_kit.people import API, unique_phone
from tochka_core.channels.fakes.max import FakeMax

pytestmark = pytest.mark.anyio


async def test_a_code_comes_to_whoever_proves_the_number_and_opens_a_session(bot: Bot) -> None:
    phone, user = unique_phone(), new_user()
    challenge_id, nonce = await bot.ask(phone)
    code = await bot.get_code(user, phone, nonce)
    got = await answer(bot.client, challenge_id, code)
    assert (got.status_code, got.json()["user"]["phone"]) == (200, phone)
    assert refusal(await answer(bot.client, challenge_id, code)) == (410, "accounts.code_used")


async def test_the_answer_says_how_the_code_comes(called: Bot) -> None:
    body = (await ask(called.client, unique_phone(), channel=called.kind)).json()
    assert (body["carrier"], len(body["links"])) == ("bot", 1)


async def test_the_bot_asks_for_the_number_with_a_button(called: Bot) -> None:
    user = new_user()
    _, nonce = await called.ask(unique_phone())
    await called.hear(called.messenger.started(user, nonce))
    (message,) = called.messenger.sent
    assert "request_contact" in str(message)
    assert not has_code(message["text"])


async def test_somebody_with_an_english_messenger_is_answered_in_english(called: Bot) -> None:
    user = new_user()
    _, nonce = await called.ask(unique_phone())
    await called.hear(called.messenger.started(user, nonce, "en-GB"))
    assert "confirm your number" in (await called.said(user, 1))[0]


async def test_a_card_with_written_out_line_ends_is_proven_too(start_core: StartCore) -> None:
    async with running_bot(start_core, "max", "webhook") as bot:
        phone, user = unique_phone(), new_user()
        _, nonce = await bot.ask(phone)
        await bot.hear(bot.messenger.started(user, nonce))
        vcf = f"BEGIN:VCARD\r\nTEL;TYPE=cell:{phone[1:]}\r\nEND:VCARD"
        written = vcf.replace("\r\n", "\\r\\n")
        assert isinstance(bot.messenger, FakeMax)
        hashed = bot.messenger.hash(vcf)
        await bot.hear(bot.messenger.shared(user, phone, vcf_info=written, hash=hashed))
        assert has_code((await bot.said(user, 2))[-1])


@pytest.mark.parametrize("fault", [500, 502, 429, 403])
async def test_a_message_is_sent_once_whatever_the_messenger_answers(called: Bot, fault: int) -> None:
    user = new_user()
    _, nonce = await called.ask(unique_phone())
    called.messenger.faults.append(fault)
    started = called.messenger.started(user, nonce)
    for _ in range(2):
        got = await called.hear(started)
        assert got is not None
        assert got.status_code == 200
    assert len(called.messenger.texts(user)) == 1


async def test_another_code_goes_to_the_proven_chat_and_kills_the_one_before(called: Bot) -> None:
    phone, user = unique_phone(), new_user()
    challenge_id, nonce = await called.ask(phone)
    first = await called.get_code(user, phone, nonce)
    await called.may_ask_again(challenge_id)
    got = await called.client.post(f"{API}/auth/challenges/{challenge_id}/resend")
    assert got.status_code == 202
    second = code_in((await called.said(user, 3))[-1])
    wrong = await answer(called.client, challenge_id, first)
    assert first == second or refusal(wrong) == (422, "accounts.code_wrong")
    assert (await answer(called.client, challenge_id, second)).status_code == 200


async def test_asking_again_before_the_proof_keeps_the_link(called: Bot) -> None:
    phone, user = unique_phone(), new_user()
    challenge_id, nonce = await called.ask(phone)
    await called.may_ask_again(challenge_id)
    got = await called.client.post(f"{API}/auth/challenges/{challenge_id}/resend")
    assert got.json()["links"][0]["url"].endswith(f"?start={nonce}")
    assert called.messenger.sent == []
    code = await called.get_code(user, phone, nonce)
    assert (await answer(called.client, challenge_id, code)).status_code == 200


async def test_pressing_twice_gives_the_same_link(called: Bot) -> None:
    body, key = {"phone": unique_phone(), "channel": called.kind}, {"Idempotency-Key": "press-bot"}
    urls = set()
    for _ in range(2):
        got = await called.client.post(f"{API}/auth/challenges", json=body, headers=key)
        urls.add(got.json()["links"][0]["url"])
    assert len(urls) == 1


async def test_a_used_challenge_hands_out_nothing_more(called: Bot) -> None:
    phone, user = unique_phone(), new_user()
    challenge_id, nonce = await called.ask(phone)
    code = await called.get_code(user, phone, nonce)
    assert (await answer(called.client, challenge_id, code)).status_code == 200
    await called.hear(called.messenger.started(user, nonce))
    await called.hear(called.messenger.shared(user, phone))
    assert not has_code((await called.said(user, 4))[-1])


async def test_chatter_is_sent_to_the_site(bot: Bot) -> None:
    user = new_user()
    await bot.hear(bot.messenger.written(user, "123456"))
    assert "http://localhost:8080" in (await bot.said(user, 1))[0]


async def test_who_chatters_is_answered_for_a_while_only_and_holds_up_nobody(called: Bot) -> None:
    chatterbox = new_user()
    for _ in range(30):
        await called.hear(called.messenger.written(chatterbox, "hello"))
    assert len(called.messenger.texts(chatterbox)) == 10
    phone, user = unique_phone(), new_user()
    challenge_id, nonce = await called.ask(phone)
    code = await called.get_code(user, phone, nonce)
    assert (await answer(called.client, challenge_id, code)).status_code == 200


@pytest.mark.parametrize("kind", ["max", "telegram"])
async def test_a_messenger_may_tell_more_than_other_addresses_may_change(
    start_core: StartCore, kind: Kind
) -> None:
    quotas = {"changes": "3/1m", "address": "5/1m"}
    async with running_bot(start_core, kind, "webhook", limits="strict", quotas=quotas) as bot:
        for _ in range(20):
            got = await bot.hear(bot.messenger.written(new_user(), "hello"))
            assert got is not None
            assert got.status_code == 200, got.text


async def test_whom_a_limit_stops_is_told_when_to_come_back(called: Bot) -> None:
    phone, user = unique_phone(), new_user()
    for _ in range(5):
        _, nonce = await called.ask(phone)
        await called.get_code(user, phone, nonce)
    later = new_user()  # the minute's answers to the first chat are used up
    _, nonce = await called.ask(phone)
    await called.hear(called.messenger.started(later, nonce))
    await called.hear(called.messenger.shared(later, phone))
    assert re.search(r"через (59|60) мин", (await called.said(later, 2))[-1])


NOISE: list[dict[str, Any]] = [
    {},
    {"update_type": "message_callback"},
    {"update_type": "bot_started", "timestamp": "x", "user": {"user_id": 1}},
    {
        "update_type": "message_created",
        "message": {"sender": {"user_id": 1}, "recipient": {"chat_type": "chat"}},
    },
    {"update_id": 1, "edited_message": {}},
    {"update_id": 2, "message": {"chat": {"id": -5, "type": "group"}, "from": {"id": 1}, "text": "/start x"}},
]


@pytest.mark.parametrize("update", NOISE)
async def test_what_means_nothing_is_taken_and_forgotten(called: Bot, update: dict[str, Any]) -> None:
    got = await called.hear(update)
    assert got is not None
    assert got.status_code == 200
    assert called.messenger.sent == []


@pytest.mark.parametrize("secret", ["", "x", SECRET[:-1], SECRET + "x", SECRET.swapcase(), "é"])
async def test_a_caller_without_the_secret_finds_nothing_and_is_not_read(called: Bot, secret: str) -> None:
    user = new_user()
    _, nonce = await called.ask(unique_phone())
    update = called.messenger.started(user, nonce)
    path, name = f"{API}/channels/{called.kind}/updates", HEADERS[called.kind]
    shown = {name.encode(): secret.encode()}
    for content in (b"{", b""):
        got = await called.client.post(path, content=content, headers=shown)
        assert refusal(got) == (404, "channels.no_such_bot")
    assert refusal(await called.client.post(path, json=update, headers=shown)) == (
        404,
        "channels.no_such_bot",
    )
    assert refusal(await called.client.post(path, json=update)) == (404, "channels.no_such_bot")
    assert called.messenger.sent == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"1"])
async def test_what_is_no_update_is_refused(called: Bot, body: bytes) -> None:
    path, headers = f"{API}/channels/{called.kind}/updates", {HEADERS[called.kind]: SECRET}
    got = await called.client.post(path, content=body, headers=headers)
    assert refusal(got) == (422, "channels.update_unreadable")


@pytest.mark.parametrize("kind", ["max", "telegram"])
async def test_a_polled_bot_cannot_be_called(start_core: StartCore, kind: Kind) -> None:
    async with running_bot(start_core, kind, "polling") as bot:
        for secret in ("", "None", SECRET):
            got = await bot.client.post(
                f"{API}/channels/{kind}/updates", json={}, headers={HEADERS[kind]: secret}
            )
            assert refusal(got) == (404, "channels.no_such_bot")


async def test_a_messenger_without_a_bot_cannot_be_called(client: httpx.AsyncClient) -> None:
    for kind in ("max", "telegram", "sms", "x"):
        got = await client.post(f"{API}/channels/{kind}/updates", json={})
        assert refusal(got) == (404, "channels.no_such_bot")


async def test_redis_holds_no_code_and_no_number_and_forgets(called: Bot) -> None:
    phone, user = unique_phone(), new_user()
    challenge_id, nonce = await called.ask(phone)
    code = await called.get_code(user, phone, nonce)
    redis = called.core.resources.redis
    own = ("handshake:", "asking:", "seen:")
    keys = [key async for key in redis.scan_iter() if key.startswith(own)]
    assert {key.partition(":")[0] for key in keys} >= {"handshake", "seen"}
    for key in keys:
        assert await redis.pttl(key) > 0, key
        held = f"{key} {await redis.get(key)!s}"
        assert code not in held.replace(challenge_id, "").replace(str(user), "")
        assert phone[1:] not in held
