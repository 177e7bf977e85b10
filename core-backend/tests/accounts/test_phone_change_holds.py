"""What a pending change of number waits for, and what stops it besides whoever says so."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from core_kit.codes import StartCore, answer, ask, look, refusal, spent
from core_kit.passwords import changing, set_password
from core_kit.people import API, Owner, confirm, unique_phone
from core_kit.refreshing import age_session, native_session, refresh
from core_kit.running import RunningCore, serving
from tochka_core.accounts import tasks
from tochka_core.channels.fakes.sms import FakeSms
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

SMS: dict[str, Any] = {
    "sms_headers": '{"X-Key": "sms-key"}',
    "sms_body": '{"to": "{digits}", "message": "{text}"}',
    "sms_success": "status=OK",
    "dev_inbox": False,
}


@pytest.fixture
async def thief(core: RunningCore, owner: Owner) -> AsyncIterator[Owner]:
    """Somebody in another session of the owner's, who has asked for a number of their own."""
    async with httpx.AsyncClient(base_url=core.url, timeout=20) as client:
        session = await confirm(client, owner.phone)
        client.headers["Authorization"] = f"Bearer {session['access_token']}"
        thief = Owner(client, owner.user_id, owner.tenant_id, owner.phone)
        assert (await changing(thief, unique_phone())).status_code == 200
        yield thief


async def _session_of(client: httpx.AsyncClient) -> str:
    items = (await client.get(f"{API}/me/sessions")).json()["items"]
    return str(next(item["id"] for item in items if item["current"]))


async def _pass(database: ScratchDatabase, owner: Owner, hours: int) -> None:
    """Let so much time pass for the change that is pending."""
    query = """
        UPDATE phone_changes SET due_at = due_at - $2::interval, notice_at = notice_at - $2::interval
        WHERE user_id = $1 AND closed_at IS NULL
    """
    await look(database, query, owner.user_id, timedelta(hours=hours))


async def _trail(owner: Owner, action: str) -> list[dict[str, Any]]:
    items = (await owner.client.get(f"{API}/me/audit")).json()["items"]
    return [entry for entry in items if entry["action"] == action]


@pytest.mark.parametrize("way", ["that session", "all others", "a password", "none any more"])
async def test_it_ends_with_the_session_in_which_it_was_asked_for(
    core: RunningCore, owner: Owner, thief: Owner, core_database: ScratchDatabase, way: str
) -> None:
    """Whoever throws a stranger out is rid of the stranger's number, too."""
    if way == "that session":
        got = await owner.client.delete(f"{API}/me/sessions/{await _session_of(thief.client)}")
    elif way == "all others":
        got = await owner.client.delete(f"{API}/me/sessions")
    else:
        got = await set_password(owner.client)
        if way == "none any more":
            assert (await changing(owner, unique_phone())).status_code == 200
            got = await owner.client.delete(f"{API}/me/password")
    assert got.status_code == 204, got.text
    assert refusal(await thief.client.get(f"{API}/me")) == (401, "accounts.unauthenticated")
    pending = (await owner.client.get(f"{API}/me")).json()["phone_change"]
    assert (pending is None) == (way != "none any more")  # one's own is not lost
    stopped = await _trail(owner, "phone.change_cancelled")
    assert len(stopped) == 1
    asked = await _trail(owner, "phone.change_requested")
    (asked_in,) = [e["session_id"] for e in asked if e["subject_id"] == stopped[0]["subject_id"]]
    assert [entry["subject_id"] for entry in await _trail(owner, "session.ended")] == [asked_in]


async def test_it_ends_when_the_token_of_its_session_turns_out_to_be_stolen(
    core: RunningCore, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    first = await native_session(client)
    client.headers["Authorization"] = f"Bearer {first['access_token']}"
    phone = first["user"]["phone"]
    person = Owner(client, first["user"]["id"], first["tenant_id"], phone)
    assert (await changing(person, unique_phone())).status_code == 200
    second = (await refresh(client, first["refresh_token"])).json()
    await age_session(core_database, first["refresh_token"], "rotated_at", timedelta(minutes=1))
    assert refusal(await refresh(client, first["refresh_token"])) == (401, "accounts.session_revoked")
    assert second["refresh_token"]
    (row,) = await look(
        core_database, "SELECT outcome FROM phone_changes WHERE user_id = $1::text::uuid", person.user_id
    )
    assert row["outcome"] == "cancelled"


async def test_signing_out_oneself_stops_nothing_and_saves_no_stranger(
    core: RunningCore, owner: Owner, thief: Owner
) -> None:
    assert (await thief.client.post(f"{API}/auth/logout")).status_code == 204
    assert (await owner.client.get(f"{API}/me")).json()["phone_change"] is not None
    assert (await owner.client.delete(f"{API}/me/sessions")).status_code == 204
    assert (await owner.client.get(f"{API}/me")).json()["phone_change"] is None


@dataclass
class Scene:
    """Somebody whose change of number is proven, where messages go out as SMS."""

    core: RunningCore
    sms: FakeSms
    owner: Owner
    new: str

    async def phone(self) -> str:
        """The number that signs the owner in after one more look of the worker."""
        await tasks.change_phones(self.core.jobs)
        return str((await self.owner.client.get(f"{API}/me")).json()["phone"])

    def notices(self) -> int:
        """How often the provider was asked to tell the old number."""
        return sum("номером для входа" in one["message"] for one in self.sms.sent)


@pytest.fixture
async def scene(start_core: StartCore) -> AsyncIterator[Scene]:
    """See above."""
    sms, old, new = FakeSms(), unique_phone(), unique_phone()
    async with (
        serving(sms.app) as url,
        start_core(**SMS, sms_url=f"{url}/send") as core,
        httpx.AsyncClient(base_url=core.url, timeout=20) as client,
    ):
        got = await ask(client, old)
        body = (await answer(client, got.json()["challenge_id"], _code(sms))).json()
        client.headers["Authorization"] = f"Bearer {body['access_token']}"
        asked = await client.post(f"{API}/me/phone-changes", json={"phone": new, "channel": "max"})
        path = f"{API}/me/phone-changes/{asked.json()['challenge_id']}/confirm"
        assert (await client.post(path, json={"code": _code(sms)})).status_code == 200
        yield Scene(core, sms, Owner(client, UUID(body["user"]["id"]), UUID(body["tenant_id"]), old), new)


def _code(sms: FakeSms) -> str:
    return sms.sent[-1]["message"].partition(": ")[2][:6]


async def test_it_does_not_happen_before_the_old_number_was_told(
    scene: Scene, core_database: ScratchDatabase
) -> None:
    scene.sms.status = "NO ROUTE"
    for hours in (1, 71, 1):
        before = scene.notices()
        assert await scene.phone() == scene.owner.phone
        assert scene.notices() > before  # it is told again and again
        await _pass(core_database, scene.owner, hours)
    scene.sms.status = "OK"
    assert await scene.phone() == scene.owner.phone
    told = scene.notices()
    await _pass(core_database, scene.owner, 71)
    assert (await scene.phone(), scene.notices()) == (scene.owner.phone, told)
    await _pass(core_database, scene.owner, 2)
    assert (await scene.phone(), scene.notices()) == (scene.new, told)


async def test_where_nobody_can_be_told_it_takes_twice_as_long(
    scene: Scene, core_database: ScratchDatabase
) -> None:
    scene.sms.status = "NO ROUTE"
    await _pass(core_database, scene.owner, 142)
    assert await scene.phone() == scene.owner.phone
    await _pass(core_database, scene.owner, 3)
    assert await scene.phone() == scene.new


async def test_a_message_whose_fate_is_unknown_is_not_sent_again_and_the_change_waits_longer(
    scene: Scene, core_database: ScratchDatabase
) -> None:
    scene.sms.faults.append(500)
    assert await scene.phone() == scene.owner.phone
    assert scene.notices() == 1
    await _pass(core_database, scene.owner, 142)
    assert (await scene.phone(), scene.notices()) == (scene.owner.phone, 1)
    await _pass(core_database, scene.owner, 3)
    assert (await scene.phone(), scene.notices()) == (scene.new, 1)


async def test_a_message_to_the_old_number_is_paid_for_from_the_budget(
    start_core: StartCore, scene: Scene, core_database: ScratchDatabase
) -> None:
    async with start_core(quotas={"budgets": {"RU": 0}}, **SMS, sms_url="http://127.0.0.1:9/send") as poor:
        await tasks.change_phones(poor.jobs)
    query = "SELECT 1 FROM phone_changes WHERE user_id = $1 AND notice_at IS NOT NULL"
    assert len(await look(core_database, query, scene.owner.user_id)) == 1
    before = await spent(scene.core, "RU")
    await _pass(core_database, scene.owner, 1)
    await scene.phone()
    assert scene.notices() == 1
    assert await spent(scene.core, "RU") == before + 1
