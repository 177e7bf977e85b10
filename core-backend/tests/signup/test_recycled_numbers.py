"""A number that is somebody else's by now: it opens nothing silently, and shuts nobody out for good."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from core_kit.bots import SECRET, Bot, Kind, code_in, new_user, running_bot
from core_kit.codes import StartCore, answer, ask, challenge, look, refusal
from core_kit.passwords import PASSWORD, changing, login, set_password
from core_kit.people import API, Owner, unique_phone
from core_kit.running import RunningCore, serving
from tochka_core.accounts import tasks
from tochka_core.channels.fakes.sms import FakeSms
from tochka_core.channels.fakes.telegram import FakeTelegram
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

NEEDED = (409, "accounts.confirmation_needed")
CREDENTIALS = (401, "accounts.credentials_wrong")


@dataclass
class Person:
    """Somebody who signed up by a bot: with this account of the messenger."""

    phone: str
    user: int
    client: httpx.AsyncClient
    body: dict[str, Any]


@pytest.fixture(params=["max", "telegram"])
async def bot(request: pytest.FixtureRequest, start_core: StartCore) -> AsyncIterator[Bot]:
    """A bot of each messenger."""
    kind: Kind = request.param
    async with running_bot(start_core, kind, "webhook") as running:
        yield running


async def _come(bot: Bot, phone: str, user: int) -> tuple[str, httpx.Response]:
    """Sign in by the bot, as an account of the messenger."""
    challenge_id, nonce = await bot.ask(phone)
    code = await bot.get_code(user, phone, nonce)
    return challenge_id, await answer(bot.client, challenge_id, code)


@pytest.fixture
async def person(bot: Bot) -> AsyncIterator[Person]:
    """See above."""
    phone, user = unique_phone(), new_user()
    _, got = await _come(bot, phone, user)
    assert got.json()["is_new_user"] is True
    bearer = {"Authorization": f"Bearer {got.json()['access_token']}"}
    async with httpx.AsyncClient(base_url=bot.core.url, headers=bearer) as client:
        yield Person(phone, user, client, got.json())


async def _recover(client: httpx.AsyncClient, challenge_id: str, **body: str) -> httpx.Response:
    return await client.post(f"{API}/auth/challenges/{challenge_id}/recover", json=body)


async def _counts(database: ScratchDatabase, user_id: str) -> list[dict[str, Any]]:
    query = """
        SELECT (SELECT count(*) FROM sessions WHERE user_id = $1::text::uuid) AS sessions,
          (SELECT count(*) FROM memberships WHERE user_id = $1::text::uuid) AS memberships,
          (SELECT phone FROM users WHERE id = $1::text::uuid) AS phone
    """
    return await look(database, query, user_id)


async def _age(database: ScratchDatabase, phone: str, days: int) -> None:
    """Let so many days pass since the account was used."""
    query = """
        WITH old AS (
          UPDATE users SET created_at = created_at - $2 * interval '1 day' WHERE phone = $1 RETURNING id)
        UPDATE sessions SET last_used_at = last_used_at - $2 * interval '1 day',
          idle_expires_at = idle_expires_at - $2 * interval '1 day' WHERE user_id IN (SELECT id FROM old)
    """
    await look(database, query, phone, days)


async def test_the_same_account_of_the_messenger_is_known_again(bot: Bot, person: Person) -> None:
    _, got = await _come(bot, person.phone, person.user)
    assert got.status_code == 200
    assert got.json()["user"]["id"] == person.body["user"]["id"]


async def test_another_account_of_the_messenger_opens_nothing(
    bot: Bot, person: Person, core_database: ScratchDatabase
) -> None:
    before = await _counts(core_database, person.body["user"]["id"])
    _, got = await _come(bot, person.phone, new_user())
    assert refusal(got) == NEEDED
    assert got.json()["ways"] == ["session", "anew"]
    assert "set-cookie" not in got.headers
    assert await _counts(core_database, person.body["user"]["id"]) == before
    trail = (await person.client.get(f"{API}/me/audit")).json()["items"]
    assert [entry["data"] for entry in trail if entry["action"] == "person.not_recognised"] == [
        {"channel": bot.kind, "account_differs": True}
    ]


async def test_another_account_opens_nothing_by_a_code_that_was_sent_again_late(
    bot: Bot, person: Person
) -> None:
    """Which account has proven the number is known for as long as the challenge can be answered."""
    challenge_id, nonce = await bot.ask(person.phone)
    user = new_user()
    await bot.get_code(user, person.phone, nonce)
    await bot.elapse(challenge_id, 870)
    again = await bot.client.post(f"{API}/auth/challenges/{challenge_id}/resend")
    assert again.status_code == 202, again.text
    code = code_in((await bot.said(user, 3))[-1])
    await bot.elapse(challenge_id, 35)
    assert refusal(await answer(bot.client, challenge_id, code)) == NEEDED


@pytest.fixture
async def bots(start_core: StartCore) -> AsyncIterator[tuple[Bot, Bot]]:
    """One core with a bot of each messenger."""
    telegram = FakeTelegram()
    async with serving(telegram.app) as url:
        settings = {
            "telegram_api_url": url,
            "telegram_bot_token": telegram.token,
            "telegram_bot_name": telegram.name,
            "telegram_webhook_secret": SECRET,
        }
        async with running_bot(start_core, "max", "webhook", **settings) as first:
            yield first, Bot("telegram", "webhook", first.core, first.client, telegram)


async def test_another_messenger_opens_nothing_until_it_is_known(bots: tuple[Bot, Bot]) -> None:
    """Who has the number now may have an account of a messenger in which its former holder had none."""
    known, other = bots
    phone, user, elsewhere = unique_phone(), new_user(), new_user()
    _, got = await _come(known, phone, user)
    bearer = {"Authorization": f"Bearer {got.json()['access_token']}"}
    _, refused = await _come(other, phone, elsewhere)
    assert refusal(refused) == NEEDED
    assert refused.json()["ways"] == ["messenger", "session", "anew"]
    _, again = await _come(known, phone, user)
    assert (again.status_code, again.json()["user"]["id"]) == (200, got.json()["user"]["id"])
    path = f"{API}/me/reauthentication"
    asked = await known.client.post(f"{path}/challenges", json={"channel": "telegram"}, headers=bearer)
    (link,) = asked.json()["links"]
    code = await other.get_code(elsewhere, phone, link["url"].partition("?start=")[2])
    proof = {"challenge_id": asked.json()["challenge_id"], "code": code}
    assert (await known.client.post(path, json=proof, headers=bearer)).status_code == 200
    for bot, account in ((known, user), (other, elsewhere)):
        _, again = await _come(bot, phone, account)
        assert (again.status_code, again.json()["user"]["id"]) == (200, got.json()["user"]["id"])


@pytest.fixture
async def with_sms(start_core: StartCore) -> AsyncIterator[tuple[Bot, FakeSms]]:
    """A core with a bot of MAX, where the other channel is SMS."""
    sms = FakeSms()
    async with serving(sms.app) as url:
        settings = {
            "sms_url": f"{url}/send",
            "sms_headers": '{"X-Key": "sms-key"}',
            "sms_body": '{"to": "{digits}", "message": "{text}"}',
        }
        async with running_bot(start_core, "max", "webhook", **settings) as bot:
            yield bot, sms


async def test_a_message_to_the_number_alone_opens_nothing_that_a_bot_knows(
    with_sms: tuple[Bot, FakeSms],
) -> None:
    bot, sms = with_sms
    phone, user = unique_phone(), new_user()
    assert (await _come(bot, phone, user))[1].status_code == 200
    asked = await ask(bot.client, phone, channel="telegram")
    code = sms.sent[-1]["message"].partition(": ")[2][:6]
    got = await answer(bot.client, asked.json()["challenge_id"], code)
    assert refusal(got) == NEEDED
    assert got.json()["ways"] == ["messenger", "anew"]


async def test_where_nobody_knows_whether_the_bot_was_heard_the_old_number_is_told_by_sms(
    with_sms: tuple[Bot, FakeSms],
) -> None:
    bot, sms = with_sms
    phone, new, user = unique_phone(), unique_phone(), new_user()
    _, got = await _come(bot, phone, user)
    bearer = {"Authorization": f"Bearer {got.json()['access_token']}"}
    wanted = {"phone": new, "channel": "telegram"}
    asked = await bot.client.post(f"{API}/me/phone-changes", json=wanted, headers=bearer)
    code = sms.sent[-1]["message"].partition(": ")[2][:6]
    path = f"{API}/me/phone-changes/{asked.json()['challenge_id']}/confirm"
    assert (await bot.client.post(path, json={"code": code}, headers=bearer)).status_code == 200
    bot.messenger.faults.append(500)
    await tasks.change_phones(bot.core.jobs)
    assert sms.sent[-1]["to"] == phone[1:]
    assert "номером для входа" in sms.sent[-1]["message"]


async def test_a_messenger_whose_bot_is_gone_is_nobody_to_ask_for(
    owner: Owner, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    link = "INSERT INTO messenger_accounts (user_id, kind, chat) VALUES ($1, 'max', '77')"
    await look(core_database, link, owner.user_id)
    challenge_id, _, code = await challenge(client, owner.phone)
    assert (await answer(client, challenge_id, code)).status_code == 200


async def test_the_password_opens_it_and_the_new_account_is_known_from_then_on(
    bot: Bot, person: Person
) -> None:
    await set_password(person.client)
    user = new_user()
    challenge_id, got = await _come(bot, person.phone, user)
    assert got.json()["ways"] == ["password", "session", "anew"]
    wrong = await _recover(bot.client, challenge_id, way="password", password="not the password")
    assert refusal(wrong) == CREDENTIALS
    got = await _recover(bot.client, challenge_id, way="password", password=PASSWORD)
    assert (got.status_code, got.json()["is_new_user"]) == (200, False)
    assert got.json()["user"]["id"] == person.body["user"]["id"]
    again = await _recover(bot.client, challenge_id, way="password", password=PASSWORD)
    assert refusal(again) == (410, "accounts.code_used")
    _, got = await _come(bot, person.phone, user)
    assert got.status_code == 200
    _, got = await _come(bot, person.phone, person.user)
    assert refusal(got) == NEEDED


async def test_an_open_session_vouches_for_the_new_account(bot: Bot, person: Person) -> None:
    user = new_user()
    _, got = await _come(bot, person.phone, user)
    assert refusal(got) == NEEDED
    asked = await person.client.post(f"{API}/me/reauthentication/challenges", json={"channel": bot.kind})
    (link,) = asked.json()["links"]
    code = await bot.get_code(user, person.phone, link["url"].partition("?start=")[2])
    proof = {"challenge_id": asked.json()["challenge_id"], "code": code}
    assert (await person.client.post(f"{API}/me/reauthentication", json=proof)).status_code == 200
    _, got = await _come(bot, person.phone, user)
    assert (got.status_code, got.json()["user"]["id"]) == (200, person.body["user"]["id"])


async def test_anew_the_number_goes_and_everything_else_stays(
    bot: Bot, person: Person, core_database: ScratchDatabase
) -> None:
    user = new_user()
    old = person.body["user"]["id"]
    challenge_id, _ = await _come(bot, person.phone, user)
    got = await _recover(bot.client, challenge_id, way="anew", name="Новый", tenant_name="Новое дело")
    assert (got.status_code, got.json()["is_new_user"]) == (200, True)
    body = got.json()
    assert body["user"]["id"] != old
    assert [tenant["name"] for tenant in body["tenants"]] == ["Новое дело"]
    (kept,) = await _counts(core_database, old)
    assert kept == {"sessions": 1, "memberships": 1, "phone": None}
    me = (await person.client.get(f"{API}/me")).json()
    assert (me["id"], me["phone"]) == (old, "")
    assert (await person.client.get(f"{API}/tenants")).json()["items"][0]["id"] == person.body["tenant_id"]
    members = await person.client.get(f"{API}/tenants/{person.body['tenant_id']}/members")
    assert members.json()["items"][0]["phone"] == ""
    trail = (await person.client.get(f"{API}/me/audit")).json()["items"]
    assert "phone.released" in [entry["action"] for entry in trail]
    _, got = await _come(bot, person.phone, user)
    assert got.json()["user"]["id"] == body["user"]["id"]
    _, got = await _come(bot, person.phone, person.user)  # the former holder is the stranger by now
    assert refusal(got) == NEEDED
    assert refusal(await _recover(bot.client, challenge_id, way="anew")) == (410, "accounts.code_used")


async def test_without_a_number_there_is_nothing_to_send_a_code_to(bot: Bot, person: Person) -> None:
    challenge_id, _ = await _come(bot, person.phone, new_user())
    assert (await _recover(bot.client, challenge_id, way="anew")).status_code == 200
    got = await person.client.post(f"{API}/me/reauthentication/challenges", json={"channel": bot.kind})
    assert refusal(got) == (409, "accounts.phone_missing")


async def test_of_parallel_beginnings_one_counts(
    bot: Bot, person: Person, core_database: ScratchDatabase
) -> None:
    challenge_id, _ = await _come(bot, person.phone, new_user())
    answers = await asyncio.gather(*(_recover(bot.client, challenge_id, way="anew") for _ in range(8)))
    assert sorted(got.status_code for got in answers) == [200] + [410] * 7
    (row,) = await look(core_database, "SELECT count(*) AS n FROM users WHERE phone = $1", person.phone)
    assert row["n"] == 1


async def test_nothing_is_in_question_for_another_browser_or_without_a_refusal(
    bot: Bot, person: Person
) -> None:
    unknown = (404, "accounts.challenge_unknown")
    phone, user = unique_phone(), new_user()
    challenge_id, nonce = await bot.ask(phone)
    assert refusal(await _recover(bot.client, challenge_id, way="anew")) == unknown
    code = await bot.get_code(user, phone, nonce)
    assert (await answer(bot.client, challenge_id, code)).status_code == 200
    assert refusal(await _recover(bot.client, challenge_id, way="anew")) == unknown
    challenge_id, _ = await _come(bot, person.phone, new_user())
    site = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8080"}
    async with httpx.AsyncClient(base_url=bot.core.url, headers=site) as elsewhere:
        assert refusal(await _recover(elsewhere, challenge_id, way="anew")) == unknown
    assert (await person.client.get(f"{API}/me")).json()["phone"] == person.phone


async def test_an_account_that_was_not_used_for_long_is_not_opened_by_its_number(
    client: httpx.AsyncClient, owner: Owner, core_database: ScratchDatabase
) -> None:
    await _age(core_database, owner.phone, 179)
    challenge_id, _, code = await challenge(client, owner.phone)
    assert (await answer(client, challenge_id, code)).status_code == 200
    await _age(core_database, owner.phone, 181)
    challenge_id, _, code = await challenge(client, owner.phone)
    got = await answer(client, challenge_id, code)
    assert refusal(got) == NEEDED
    assert got.json()["ways"] == ["anew"]
    got = await _recover(client, challenge_id, way="anew")
    assert (got.status_code, got.json()["is_new_user"]) == (200, True)


async def test_after_a_long_time_the_password_still_opens_it(
    client: httpx.AsyncClient, owner: Owner, core_database: ScratchDatabase
) -> None:
    await set_password(owner.client)
    await _age(core_database, owner.phone, 181)
    challenge_id, _, code = await challenge(client, owner.phone)
    got = await answer(client, challenge_id, code)
    assert (refusal(got), got.json()["ways"]) == (NEEDED, ["password", "anew"])
    got = await _recover(client, challenge_id, way="password", password=PASSWORD)
    assert (got.status_code, got.json()["user"]["id"]) == (200, str(owner.user_id))
    challenge_id, _, code = await challenge(client, owner.phone)
    assert (await answer(client, challenge_id, code)).status_code == 200
    assert (await login(client, owner.phone)).status_code == 200


async def test_after_a_long_time_the_same_account_of_the_messenger_opens_it(
    bot: Bot, person: Person, core_database: ScratchDatabase
) -> None:
    await _age(core_database, person.phone, 400)
    _, got = await _come(bot, person.phone, person.user)
    assert (got.status_code, got.json()["user"]["id"]) == (200, person.body["user"]["id"])


async def test_guessing_in_this_place_ends_as_elsewhere(
    core: RunningCore, client: httpx.AsyncClient, owner: Owner, core_database: ScratchDatabase
) -> None:
    await set_password(owner.client)
    await _age(core_database, owner.phone, 181)
    challenge_id, _, code = await challenge(client, owner.phone)
    assert refusal(await answer(client, challenge_id, code)) == NEEDED
    for _ in range(10):
        got = await _recover(client, challenge_id, way="password", password="not the password")
        assert refusal(got) == CREDENTIALS
    got = await _recover(client, challenge_id, way="password", password=PASSWORD)
    assert refusal(got) == (429, "accounts.too_many_passwords")


@pytest.mark.parametrize(
    "body", [{}, {"way": "password"}, {"way": "anew", "password": PASSWORD}, {"way": "messenger"}]
)
async def test_a_malformed_way_is_refused(client: httpx.AsyncClient, body: dict[str, str]) -> None:
    got = await _recover(client, "00000000-0000-7000-8000-000000000000", **body)
    assert refusal(got) == (422, "request.invalid")


async def test_a_change_of_number_that_was_on_its_way_goes_on_without_the_old_one(
    client: httpx.AsyncClient, core: RunningCore, owner: Owner, core_database: ScratchDatabase
) -> None:
    """Its owner had asked for it before somebody else turned up with the old number."""
    new = unique_phone()
    assert (await changing(owner, new)).status_code == 200
    await _age(core_database, owner.phone, 181)
    challenge_id, _, code = await challenge(client, owner.phone)
    assert refusal(await answer(client, challenge_id, code)) == NEEDED
    assert (await _recover(client, challenge_id, way="anew")).status_code == 200
    await tasks.change_phones(core.jobs)
    due = "UPDATE phone_changes SET due_at = now() - interval '1 second' WHERE user_id = $1"
    await look(core_database, due, owner.user_id)
    await tasks.change_phones(core.jobs)
    challenge_id, _, code = await challenge(client, new)
    assert (await answer(client, challenge_id, code)).json()["user"]["id"] == str(owner.user_id)


async def test_the_old_account_of_the_messenger_is_told_of_a_change_of_number(
    bot: Bot, person: Person
) -> None:
    new, user = unique_phone(), new_user()
    wanted = {"phone": new, "channel": bot.kind}
    asked = await person.client.post(f"{API}/me/phone-changes", json=wanted)
    change_id, (link,) = asked.json()["challenge_id"], asked.json()["links"]
    code = await bot.get_code(user, new, link["url"].partition("?start=")[2])
    path = f"{API}/me/phone-changes/{change_id}"
    assert (await person.client.post(f"{path}/confirm", json={"code": code})).status_code == 200
    before = len(bot.messenger.texts(person.user))
    await tasks.change_phones(bot.core.jobs)
    notice = (await bot.said(person.user, before + 1))[-1]
    assert f"{new[:2]}******{new[-4:]}" in notice
    assert not re.search(r"\b\d{6}\b", notice)
