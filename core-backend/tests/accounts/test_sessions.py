"""A person's own page: name, language, and where else the person is signed in."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from core_kit.codes import answer, challenge, look, refusal
from core_kit.people import API, Owner, confirm
from core_kit.running import RunningCore
from tochka_core.accounts.refresh_tokens import MOST_SESSIONS
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _again(core: RunningCore, owner: Owner) -> httpx.AsyncClient:
    """The same person on one more device; the caller closes it."""
    device = httpx.AsyncClient(base_url=core.url, headers={"User-Agent": "x" * 900})
    session = await confirm(device, owner.phone)
    device.headers["Authorization"] = f"Bearer {session['access_token']}"
    return device


async def _sessions(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    return list((await client.get(f"{API}/me/sessions", params=query)).json()["items"])


async def _ended(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The ends of sessions that the person reads in the trail."""
    entries = (await client.get(f"{API}/me/audit", params={"limit": 100})).json()["items"]
    return [entry for entry in entries if entry["action"] == "session.ended"]


async def test_me_is_the_person_of_the_token(owner: Owner) -> None:
    body = (await owner.client.get(f"{API}/me")).json()
    assert body.keys() == {"id", "phone", "name", "locale", "created_at", "has_password", "phone_change"}
    assert (body["id"], body["phone"], body["locale"]) == (str(owner.user_id), owner.phone, "ru")


async def test_a_person_changes_what_is_given_and_nothing_else(owner: Owner, stranger: Owner) -> None:
    changed = await owner.client.patch(f"{API}/me", json={"name": "  Анна  "})
    assert (changed.status_code, changed.json()["name"], changed.json()["locale"]) == (200, "Анна", "ru")
    changed = await owner.client.patch(f"{API}/me", json={"locale": "en"})
    assert (changed.json()["name"], changed.json()["locale"]) == ("Анна", "en")
    ignored = await owner.client.patch(f"{API}/me", json={"phone": "+79990000000", "id": str(uuid4())})
    assert ignored.json() == changed.json()
    assert (await stranger.client.get(f"{API}/me")).json()["name"] == ""


BAD_CHANGES: dict[str, dict[str, object]] = {
    "nul": {"name": "a\x00b"},
    "line break": {"name": "a\nb"},
    "lone surrogate": {"name": "\ud800"},
    "reversed text": {"name": "abc\u202etxt"},
    "too long": {"name": "я" * 121},
    "number": {"name": 5},
    "unknown language": {"locale": "de"},
}


@pytest.mark.parametrize("name", BAD_CHANGES)
async def test_what_cannot_be_a_name_is_refused(owner: Owner, name: str) -> None:
    content = json.dumps(BAD_CHANGES[name])
    headers = {"Content-Type": "application/json"}
    got = await owner.client.patch(f"{API}/me", content=content, headers=headers)
    assert refusal(got) == (422, "request.invalid")
    assert got.json()["errors"][0]["field"] in BAD_CHANGES[name]
    assert (await owner.client.get(f"{API}/me")).json()["name"] == ""


async def test_sessions_are_listed_newest_first_in_pages(core: RunningCore, owner: Owner) -> None:
    devices = [await _again(core, owner) for _ in range(4)]
    listed = await _sessions(owner.client)
    assert [item["current"] for item in listed] == [False] * 4 + [True]
    assert listed[0].keys() == {
        "id", "user_agent", "ip", "created_at", "last_used_at", "expires_at", "current",
    }  # fmt: skip
    assert (listed[0]["ip"], listed[0]["user_agent"]) == ("127.0.0.1", "x" * 400)

    paged: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await owner.client.get(f"{API}/me/sessions", params=query)).json()
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert [item["id"] for item in paged] == [item["id"] for item in listed]
    for device in devices:
        await device.aclose()


@pytest.mark.parametrize(
    "query", [{"cursor": "x"}, {"cursor": "é"}, {"cursor": "A" * 65}, {"limit": 0}, {"limit": 101}]
)
async def test_a_page_that_was_not_offered_is_refused(owner: Owner, query: dict[str, Any]) -> None:
    got = await owner.client.get(f"{API}/me/sessions", params=query)
    status, code = refusal(got)
    assert status == 422
    assert code in ("request.invalid", "request.cursor_invalid")


async def test_an_ended_session_is_over_at_once_everywhere(core: RunningCore, owner: Owner) -> None:
    device = await _again(core, owner)
    (elsewhere,) = [item["id"] for item in await _sessions(owner.client) if not item["current"]]
    assert (await owner.client.delete(f"{API}/me/sessions/{elsewhere}")).status_code == 204
    for path in ("/me", "/tenants", f"/tenants/{owner.tenant_id}"):
        assert refusal(await device.get(f"{API}{path}")) == (401, "accounts.unauthenticated")
    assert refusal(await device.post(f"{API}/auth/refresh")) == (401, "accounts.refresh_invalid")
    assert len(await _sessions(owner.client)) == 1
    assert (await owner.client.delete(f"{API}/me/sessions/{elsewhere}")).status_code == 204
    await device.aclose()


async def test_all_other_sessions_end_in_one_call(core: RunningCore, owner: Owner, stranger: Owner) -> None:
    devices = [await _again(core, owner) for _ in range(3)]
    assert (await owner.client.delete(f"{API}/me/sessions")).status_code == 204
    for device in devices:
        assert refusal(await device.get(f"{API}/me")) == (401, "accounts.unauthenticated")
        assert refusal(await device.post(f"{API}/auth/refresh")) == (401, "accounts.refresh_invalid")
        await device.aclose()
    assert [item["current"] for item in await _sessions(owner.client)] == [True]
    assert len(await _ended(owner.client)) == 3
    assert (await owner.client.post(f"{API}/auth/refresh")).status_code == 200
    assert len(await _sessions(stranger.client)) == 1


async def test_all_sessions_end_in_one_call_with_the_one_that_asks(
    core: RunningCore, owner: Owner, stranger: Owner
) -> None:
    device = await _again(core, owner)
    got = await owner.client.delete(f"{API}/me/sessions", params={"current": "true"})
    assert got.status_code == 204
    assert "tochka_refresh" not in owner.client.cookies
    for client in (owner.client, device):
        assert refusal(await client.get(f"{API}/me")) == (401, "accounts.unauthenticated")
    assert refusal(await owner.client.delete(f"{API}/me/sessions")) == (401, "accounts.unauthenticated")
    assert len(await _sessions(stranger.client)) == 1
    await device.aclose()


async def test_a_misunderstood_wish_to_end_all_sessions_ends_none(core: RunningCore, owner: Owner) -> None:
    device = await _again(core, owner)
    got = await owner.client.delete(f"{API}/me/sessions", params={"current": "perhaps"})
    assert refusal(got) == (422, "request.invalid")
    assert (await device.get(f"{API}/me")).status_code == 200
    await device.aclose()


async def test_the_session_beyond_the_cap_ends_the_one_that_was_unused_for_the_longest_time(
    core: RunningCore, owner: Owner
) -> None:
    devices = [await _again(core, owner) for _ in range(MOST_SESSIONS - 1)]
    assert (await owner.client.post(f"{API}/auth/refresh")).status_code == 200  # now the oldest is in use
    assert len(await _sessions(owner.client)) == MOST_SESSIONS
    devices.append(await _again(core, owner))
    assert len(await _sessions(owner.client)) == MOST_SESSIONS
    standing = [(await device.get(f"{API}/me")).status_code for device in devices]
    assert standing == [401] + [200] * (MOST_SESSIONS - 1)
    assert len(await _ended(owner.client)) == 1
    for device in devices:
        await device.aclose()


async def test_sign_ins_at_the_same_moment_keep_to_the_cap(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    fill = """
        INSERT INTO sessions (user_id, id, idle_expires_at, expires_at, last_used_at)
        SELECT $1, gen_random_uuid(), day, day, day - interval '2 days'
        FROM generate_series(1, $2 - 1), (SELECT now() + interval '1 day') AS tomorrow (day)
    """
    await look(core_database, fill, owner.user_id, MOST_SESSIONS)
    async with httpx.AsyncClient(base_url=core.url, timeout=20) as client:
        codes = [await challenge(client, owner.phone) for _ in range(4)]
        answers = await asyncio.gather(*(answer(client, known, code) for known, _, code in codes))
    assert [got.status_code for got in answers] == [200] * 4
    query = "SELECT count(*) AS n FROM sessions WHERE user_id = $1 AND revoked_at IS NULL"
    assert (await look(core_database, query, owner.user_id))[0]["n"] == MOST_SESSIONS


async def test_a_session_shows_from_where_it_was_used_last(owner: Owner, stranger: Owner) -> None:
    (before,) = await _sessions(owner.client)
    elsewhere = {"X-Forwarded-For": "203.0.113.9", "User-Agent": "Phone/2"}
    assert (await owner.client.post(f"{API}/auth/refresh", headers=elsewhere)).status_code == 200
    (after,) = await _sessions(owner.client)
    assert (after["ip"], after["user_agent"]) == ("203.0.113.9", "Phone/2")
    assert after["last_used_at"] > before["last_used_at"]
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert (await _sessions(stranger.client))[0]["ip"] == "127.0.0.1"


async def test_nobody_ends_the_session_of_another(owner: Owner, stranger: Owner) -> None:
    (session,) = [item["id"] for item in await _sessions(owner.client)]
    for wrong in (session, str(uuid4())):
        got = await stranger.client.delete(f"{API}/me/sessions/{wrong}")
        assert refusal(got) == (404, "accounts.session_unknown")
    malformed = await stranger.client.delete(f"{API}/me/sessions/1")
    assert refusal(malformed) == (422, "request.invalid")
    assert (await owner.client.get(f"{API}/me")).status_code == 200


async def test_signing_out_ends_the_session_and_takes_the_cookie_away(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    assert "tochka_refresh" in owner.client.cookies
    got = await owner.client.post(f"{API}/auth/logout", headers={"Authorization": ""})
    assert got.status_code == 204
    assert "tochka_refresh" not in owner.client.cookies
    assert refusal(await owner.client.get(f"{API}/me")) == (401, "accounts.unauthenticated")
    rows = await look(core_database, "SELECT revoked_at FROM sessions WHERE user_id = $1", owner.user_id)
    assert all(row["revoked_at"] for row in rows)


async def test_a_native_client_signs_out_with_its_token(client: httpx.AsyncClient) -> None:
    challenge_id, _, code = await challenge(client, token_delivery="body")
    session = (await answer(client, challenge_id, code)).json()
    bearer = {"Authorization": f"Bearer {session['access_token']}"}
    assert (await client.get(f"{API}/me", headers=bearer)).status_code == 200
    got = await client.post(f"{API}/auth/logout", json={"refresh_token": session["refresh_token"]})
    assert got.status_code == 204
    assert refusal(await client.get(f"{API}/me", headers=bearer)) == (401, "accounts.unauthenticated")


async def test_signing_out_twice_or_without_a_session_is_fine(client: httpx.AsyncClient) -> None:
    for body in (None, {"refresh_token": "x"}, {"refresh_token": None}):
        assert (await client.post(f"{API}/auth/logout", json=body)).status_code == 204


async def test_another_site_signs_nobody_out(owner: Owner) -> None:
    foreign = {"Origin": "https://evil.example", "Authorization": ""}
    got = await owner.client.post(f"{API}/auth/logout", headers=foreign)
    assert refusal(got) == (403, "accounts.cross_site")
    assert UUID((await owner.client.get(f"{API}/me")).json()["id"]) == owner.user_id
