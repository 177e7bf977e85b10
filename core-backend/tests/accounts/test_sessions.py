"""A person's own page: name, language, and where else the person is signed in."""

import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from core_kit.codes import answer, challenge, look, refusal
from core_kit.people import API, Owner, confirm
from core_kit.running import RunningCore
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


async def test_me_is_the_person_of_the_token(owner: Owner) -> None:
    body = (await owner.client.get(f"{API}/me")).json()
    assert body.keys() == {"id", "phone", "name", "locale", "created_at"}
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
