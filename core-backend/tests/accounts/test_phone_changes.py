"""Another number: proven first, then taken at once or after a while, and never somebody else's."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from core_kit.codes import answer, challenge, look, other, refusal
from core_kit.passwords import (
    CHANNEL,
    changing,
    login,
    new_phone_challenge,
    prove_new_phone,
    prove_old_phone,
    set_password,
)
from core_kit.people import API, Owner, confirm, read_code, sign_up, unique_phone
from core_kit.processes import kill, worker_process
from core_kit.running import RunningCore, serving
from core_kit.waiting import until
from starlette.types import Receive, Scope, Send
from tochka_core.accounts import tasks
from tochka_core.channels.fakes.sms import FakeSms
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

UNKNOWN = (404, "accounts.phone_change_unknown")
NO_CHALLENGE = (404, "accounts.challenge_unknown")
TAKEN = (409, "accounts.phone_taken")


async def _me(owner: Owner) -> dict[str, Any]:
    return dict((await owner.client.get(f"{API}/me")).json())


async def _trail(owner: Owner, action: str) -> list[dict[str, Any]]:
    items = (await owner.client.get(f"{API}/me/audit")).json()["items"]
    return [entry for entry in items if entry["action"] == action]


async def _let_it_be_due(database: ScratchDatabase, owner: Owner) -> None:
    told = "UPDATE phone_changes SET due_at = now() - interval '1 h', notice_at = NULL WHERE user_id = $1"
    await look(database, told, owner.user_id)


async def _outcomes(database: ScratchDatabase, owner: Owner) -> list[str | None]:
    query = "SELECT outcome FROM phone_changes WHERE user_id = $1 ORDER BY id"
    return [row["outcome"] for row in await look(database, query, owner.user_id)]


async def _messages(client: httpx.AsyncClient, phone: str) -> list[dict[str, Any]]:
    got = await client.get(f"{API}/dev/inbox", params={"phone": phone}, headers={"Host": "localhost"})
    return list(got.json())


async def test_a_proven_number_waits_for_three_days(owner: Owner) -> None:
    new = unique_phone()
    got = await changing(owner, new)
    assert got.status_code == 200
    body = got.json()
    assert body.keys() == {"id", "phone", "requested_at", "due_at"}
    due = datetime.fromisoformat(body["due_at"]) - datetime.now(UTC)
    assert timedelta(hours=71, minutes=59) < due <= timedelta(hours=72)
    me = await _me(owner)
    assert (me["phone"], me["phone_change"]) == (owner.phone, body)
    (entry,) = await _trail(owner, "phone.change_requested")
    assert entry["data"] == {
        "old_phone": f"{owner.phone[:2]}******{owner.phone[-4:]}",
        "new_phone": f"{new[:2]}******{new[-4:]}",
    }


async def test_with_the_old_number_proven_too_it_changes_at_once(
    core: RunningCore, owner: Owner, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    elsewhere = await confirm(client, owner.phone)
    new = unique_phone()
    change_id = (await changing(owner, new)).json()["id"]
    got = await prove_old_phone(owner, change_id, owner.phone)
    assert got.status_code == 200, got.text
    assert (got.json()["phone"], got.json()["phone_change"]) == (new, None)
    assert await _me(owner) == got.json()
    bearer = {"Authorization": f"Bearer {elsewhere['access_token']}"}
    assert refusal(await client.get(f"{API}/me", headers=bearer)) == (401, "accounts.unauthenticated")
    assert (await confirm(client, new))["user"]["id"] == str(owner.user_id)
    assert (await confirm(client, owner.phone))["is_new_user"] is True
    assert await _outcomes(core_database, owner) == ["done"]
    assert len(await _trail(owner, "phone.changed")) == 1


async def test_when_its_time_has_come_the_worker_carries_it_out(
    core: RunningCore, owner: Owner, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    elsewhere = await confirm(client, owner.phone)
    new = unique_phone()
    await changing(owner, new)
    await tasks.change_phones(core.jobs)
    assert (await _me(owner))["phone"] == owner.phone
    await _let_it_be_due(core_database, owner)
    await asyncio.gather(*(tasks.change_phones(core.jobs) for _ in range(4)))
    me = await _me(owner)  # the session that asked for it stays
    assert (me["phone"], me["phone_change"]) == (new, None)
    bearer = {"Authorization": f"Bearer {elsewhere['access_token']}"}
    assert (await client.get(f"{API}/me", headers=bearer)).status_code == 401
    assert len(await _trail(owner, "phone.changed")) == 1
    assert await _outcomes(core_database, owner) == ["done"]


async def test_the_old_number_is_told_once(
    core: RunningCore, owner: Owner, client: httpx.AsyncClient
) -> None:
    new = unique_phone()
    await changing(owner, new)
    await asyncio.gather(*(tasks.change_phones(core.jobs) for _ in range(3)))
    notices = [message for message in await _messages(client, owner.phone) if not message["code"]]
    (notice,) = notices
    assert f"{new[:2]}******{new[-4:]}" in notice["text"]
    assert new not in notice["text"]
    assert "через 72 ч" in notice["text"]
    assert core.resources.addresses.public_url in notice["text"]


async def test_a_worker_that_died_while_telling_leaves_it_to_another(
    core: RunningCore, owner: Owner, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    await changing(owner, unique_phone())
    claimed = "UPDATE phone_changes SET notice_at = now() + interval '5 minutes' WHERE user_id = $1"
    await look(core_database, claimed, owner.user_id)
    await tasks.change_phones(core.jobs)
    assert all(message["code"] for message in await _messages(client, owner.phone))
    expired = "UPDATE phone_changes SET notice_at = now() - interval '1 second' WHERE user_id = $1"
    await look(core_database, expired, owner.user_id)
    await tasks.change_phones(core.jobs)
    assert [message["code"] for message in await _messages(client, owner.phone)].count("") == 1


async def test_whoever_is_signed_in_as_the_person_can_stop_it(
    core: RunningCore, owner: Owner, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    change_id = (await changing(owner, unique_phone())).json()["id"]
    elsewhere = await confirm(client, owner.phone)
    bearer = {"Authorization": f"Bearer {elsewhere['access_token']}"}
    path = f"{API}/me/phone-changes/{change_id}"
    assert (await client.delete(path, headers=bearer)).status_code == 204
    assert refusal(await client.delete(path, headers=bearer)) == UNKNOWN
    assert (await _me(owner))["phone_change"] is None
    await _let_it_be_due(core_database, owner)
    await tasks.change_phones(core.jobs)
    assert (await _me(owner))["phone"] == owner.phone
    assert await _outcomes(core_database, owner) == ["cancelled"]
    assert len(await _trail(owner, "phone.change_cancelled")) == 1


async def test_nobody_else_stops_or_hastens_it(
    owner: Owner, stranger: Owner, client: httpx.AsyncClient
) -> None:
    new = unique_phone()
    asked = await new_phone_challenge(owner, new)
    code = await read_code(client, new)
    assert refusal(await prove_new_phone(stranger, asked, code)) == NO_CHALLENGE
    assert (await prove_new_phone(owner, asked, code)).status_code == 200
    path = f"{API}/me/phone-changes/{asked}"
    assert refusal(await stranger.client.delete(path)) == UNKNOWN
    assert refusal(await stranger.client.post(f"{path}/old-phone", json=CHANNEL)) == UNKNOWN
    signed_out = (401, "accounts.unauthenticated")
    proof = {"challenge_id": asked, "code": code}
    for method, at, body in (
        ("POST", f"{API}/me/phone-changes", {"phone": new, **CHANNEL}),
        ("POST", f"{path}/confirm", {"code": code}),
        ("POST", f"{path}/old-phone", CHANNEL),
        ("POST", f"{path}/old-phone/confirm", proof),
        ("DELETE", path, None),
    ):
        assert refusal(await client.request(method, at, json=body)) == signed_out
    assert (await _me(owner))["phone_change"]["id"] == asked


async def test_a_code_of_one_step_is_none_of_another(owner: Owner, client: httpx.AsyncClient) -> None:
    new = unique_phone()
    asked = await new_phone_challenge(owner, new)
    code = await read_code(client, new)
    assert refusal(await answer(client, asked, code)) == NO_CHALLENGE
    assert refusal(await client.post(f"{API}/auth/challenges/{asked}/recover", json={"way": "anew"})) == (
        NO_CHALLENGE
    )
    body = {"challenge_id": asked, "code": code}
    assert refusal(await owner.client.post(f"{API}/me/reauthentication", json=body)) == NO_CHALLENGE
    path = f"{API}/me/phone-changes/{asked}/old-phone/confirm"
    assert refusal(await owner.client.post(path, json=body)) == UNKNOWN  # no change is under way yet
    sign_in, _, sign_in_code = await challenge(client, new)
    assert refusal(await prove_new_phone(owner, sign_in, sign_in_code)) == NO_CHALLENGE
    assert (await prove_new_phone(owner, asked, code)).status_code == 200
    sign_in, _, sign_in_code = await challenge(client, owner.phone)
    body = {"challenge_id": sign_in, "code": sign_in_code}
    assert refusal(await owner.client.post(path, json=body)) == NO_CHALLENGE
    assert (await _me(owner))["phone"] == owner.phone


async def test_wrong_codes_change_nothing(
    owner: Owner, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    new = unique_phone()
    asked = await new_phone_challenge(owner, new)
    code = await read_code(client, new)
    assert refusal(await prove_new_phone(owner, asked, other(code))) == (422, "accounts.code_wrong")
    assert await _outcomes(core_database, owner) == []
    assert (await prove_new_phone(owner, asked, code)).status_code == 200
    assert refusal(await prove_new_phone(owner, asked, code)) == (410, "accounts.code_used")
    path = f"{API}/me/phone-changes/{asked}/old-phone"
    sent = (await owner.client.post(path, json=CHANNEL)).json()["challenge_id"]
    wrong = {"challenge_id": sent, "code": other(await read_code(client, owner.phone))}
    assert refusal(await owner.client.post(f"{path}/confirm", json=wrong)) == (422, "accounts.code_wrong")
    assert (await _me(owner))["phone"] == owner.phone


async def test_the_number_that_one_has_is_refused(owner: Owner) -> None:
    body = {"phone": f"8{owner.phone[2:]}", **CHANNEL}
    got = await owner.client.post(f"{API}/me/phone-changes", json=body)
    assert refusal(got) == (422, "accounts.phone_unchanged")


async def test_whose_number_it_is_shows_after_the_proof_only(
    owner: Owner, stranger: Owner, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    answers = []
    for phone in (stranger.phone, unique_phone()):
        got = await owner.client.post(f"{API}/me/phone-changes", json={"phone": phone, **CHANNEL})
        answers.append((got.status_code, got.json().keys()))
    assert answers[0] == answers[1]
    asked = await new_phone_challenge(owner, stranger.phone)
    code = await read_code(client, stranger.phone)
    assert refusal(await prove_new_phone(owner, asked, code)) == TAKEN
    assert await _outcomes(core_database, owner) == []


async def test_a_number_that_somebody_took_meanwhile_stays_theirs(
    core: RunningCore, owner: Owner, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    new = unique_phone()
    change_id = (await changing(owner, new)).json()["id"]
    newcomer = await sign_up(core.url, new)
    assert refusal(await prove_old_phone(owner, change_id, owner.phone)) == TAKEN
    assert (await _me(owner))["phone_change"]["id"] == change_id
    await _let_it_be_due(core_database, owner)
    await tasks.change_phones(core.jobs)
    me = await _me(owner)
    assert (me["phone"], me["phone_change"]) == (owner.phone, None)
    assert (await _me(newcomer))["phone"] == new
    await newcomer.client.aclose()
    assert await _outcomes(core_database, owner) == ["refused"]
    assert len(await _trail(owner, "phone.change_refused")) == 1


async def test_of_two_on_their_way_to_one_number_one_gets_it(
    core: RunningCore, owner: Owner, stranger: Owner, client: httpx.AsyncClient
) -> None:
    new = unique_phone()
    changes = [(person, (await changing(person, new)).json()["id"]) for person in (owner, stranger)]
    answers = await asyncio.gather(
        *(prove_old_phone(person, change_id, person.phone) for person, change_id in changes)
    )
    assert sorted(got.status_code for got in answers) == [200, 409]
    assert sorted([(await _me(owner))["phone"], (await _me(stranger))["phone"]]).count(new) == 1


async def test_of_parallel_right_answers_one_counts(
    owner: Owner, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    new = unique_phone()
    asked = await new_phone_challenge(owner, new)
    code = await read_code(client, new)
    answers = await asyncio.gather(*(prove_new_phone(owner, asked, code) for _ in range(20)))
    assert sorted(got.status_code for got in answers) == [200] + [410] * 19
    assert await _outcomes(core_database, owner) == [None]


async def test_another_wish_takes_the_place_of_the_first(
    owner: Owner, core_database: ScratchDatabase
) -> None:
    first = (await changing(owner, unique_phone())).json()["id"]
    second = unique_phone()
    await changing(owner, second)
    assert (await _me(owner))["phone_change"]["phone"] == second
    assert await _outcomes(core_database, owner) == ["replaced", None]
    path = f"{API}/me/phone-changes/{first}/old-phone"
    assert refusal(await owner.client.post(path, json=CHANNEL)) == UNKNOWN


async def test_a_code_for_the_old_number_that_came_too_late_opens_nothing(
    owner: Owner, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    """Somebody signs in with the old number while it changes: with the code of before, and finds nobody."""
    new = unique_phone()
    change_id = (await changing(owner, new)).json()["id"]
    late, _, code = await challenge(client, owner.phone)
    assert (await prove_old_phone(owner, change_id, owner.phone)).status_code == 200
    got = await answer(client, late, code)
    assert (got.status_code, got.json()["is_new_user"]) == (200, True)
    assert got.json()["user"]["id"] != str(owner.user_id)


async def test_the_password_goes_with_the_person_and_not_with_the_number(
    owner: Owner, client: httpx.AsyncClient
) -> None:
    await set_password(owner.client)
    new = unique_phone()
    change_id = (await changing(owner, new)).json()["id"]
    assert (await prove_old_phone(owner, change_id, owner.phone)).status_code == 200
    assert refusal(await login(client, owner.phone)) == (401, "accounts.credentials_wrong")
    assert (await login(client, new)).json()["user"]["id"] == str(owner.user_id)


async def test_pressing_twice_sends_once(owner: Owner, client: httpx.AsyncClient) -> None:
    new = unique_phone()
    body, headers = {"phone": new, **CHANNEL}, {"Idempotency-Key": "press-1"}
    calls = [owner.client.post(f"{API}/me/phone-changes", json=body, headers=headers) for _ in range(4)]
    answers = await asyncio.gather(*calls)
    assert len({got.json()["challenge_id"] for got in answers}) == 1
    assert len(await _messages(client, new)) == 1


async def test_what_a_code_is_for_is_in_its_mac(
    core: RunningCore, owner: Owner, client: httpx.AsyncClient
) -> None:
    """Even whoever can write into Redis turns no code for signing in into one for something else."""
    new = unique_phone()
    challenge_id, _, code = await challenge(client, new)
    about: Any = {"purpose": "phone-change", "subject": str(owner.user_id), "delivery": "body"}
    await core.resources.redis.hset(f"challenge:{{{challenge_id}}}", mapping=about)
    got = await prove_new_phone(owner, challenge_id, code)
    assert refusal(got) == (422, "accounts.code_wrong")


async def test_stopped_in_the_very_moment_it_is_one_or_the_other(
    core: RunningCore, owner: Owner, core_database: ScratchDatabase
) -> None:
    for _ in range(5):
        before = (await _me(owner))["phone"]
        new = unique_phone()
        change_id = (await changing(owner, new)).json()["id"]
        await _let_it_be_due(core_database, owner)
        stopping = asyncio.create_task(owner.client.delete(f"{API}/me/phone-changes/{change_id}"))
        await asyncio.gather(*(tasks.change_phones(core.jobs) for _ in range(2)))
        stopped = await stopping
        after = (await _me(owner))["phone"]
        assert (stopped.status_code, after) in {(204, before), (404, new)}
    assert set(await _outcomes(core_database, owner)) <= {"done", "cancelled"}


class Silent:
    """A provider of SMS that takes every message and never says so."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._end = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self._end.wait()

    def end(self) -> None:
        self._end.set()


async def test_a_worker_that_is_killed_while_it_tells_leaves_the_rest_to_another(
    core: RunningCore, owner: Owner, core_database: ScratchDatabase
) -> None:
    new, silent, fake = unique_phone(), Silent(), FakeSms()
    await changing(owner, new)
    sms: dict[str, str] = {
        "sms_headers": '{"X-Key": "sms-key"}',
        "sms_body": '{"to": "{digits}", "message": "{text}"}',
        "dev_inbox": "false",
    }
    async with (
        serving(silent) as url,
        worker_process(core.settings, sms_url=f"{url}/send", **sms) as worker,
    ):
        await asyncio.wait_for(silent.asked.wait(), 30)
        await kill(worker)
        silent.end()
    expired = "UPDATE phone_changes SET notice_at = now() WHERE user_id = $1 RETURNING notice_at"
    assert len(await look(core_database, expired, owner.user_id)) == 1

    async def is_told() -> bool:
        query = "SELECT 1 FROM phone_changes WHERE user_id = $1 AND notice_at IS NULL"
        return bool(await look(core_database, query, owner.user_id))

    async def is_changed() -> bool:
        return bool((await _me(owner))["phone"] == new)

    async with serving(fake.app) as url, worker_process(core.settings, sms_url=f"{url}/send", **sms):
        await until(is_told)
        await _let_it_be_due(core_database, owner)
        await until(is_changed)
    assert owner.phone[1:] in [message["to"] for message in fake.sent]
    assert fake.wrong == []
