"""Refresh tokens rotate; tabs that race get the same successor; a stolen one ends the session."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from core_kit.codes import refusal
from core_kit.members import join
from core_kit.people import API, Owner
from core_kit.refreshing import age_session, is_signed_in, native_session, refresh, session_row
from core_kit.running import RunningCore
from tochka_core.accounts.refresh_tokens import RefreshToken
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

COOKIE = "tochka_refresh"


async def test_a_refresh_gives_new_tokens_and_keeps_the_old_access_token_alive(
    client: httpx.AsyncClient,
) -> None:
    session = await native_session(client)
    got = await refresh(client, session["refresh_token"])
    assert got.status_code == 200
    body = got.json()
    assert body.keys() == {
        "access_token", "token_type", "expires_in", "refresh_token", "tenant_id", "user", "tenants",
    }  # fmt: skip
    assert body["refresh_token"] != session["refresh_token"]
    assert (body["user"], body["tenants"]) == (session["user"], session["tenants"])
    assert "set-cookie" not in got.headers
    for access in (session["access_token"], body["access_token"]):
        assert await is_signed_in(client, access)


async def test_a_browser_refreshes_with_its_cookie_alone(owner: Owner) -> None:
    before = owner.client.cookies[COOKIE]
    got = await owner.client.post(f"{API}/auth/refresh", headers={"Authorization": ""})
    assert got.status_code == 200
    assert got.json()["refresh_token"] is None
    assert owner.client.cookies[COOKIE] != before
    assert (await owner.client.post(f"{API}/auth/refresh", json={})).status_code == 200


async def test_twenty_tabs_at_once_get_one_successor(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    token = (await native_session(client))["refresh_token"]
    answers = await asyncio.gather(*(refresh(client, token) for _ in range(20)))
    assert [got.status_code for got in answers] == [200] * 20
    (successor,) = {got.json()["refresh_token"] for got in answers}
    assert (await session_row(core_database, token))["counter"] == 1
    assert (await refresh(client, successor)).status_code == 200


async def test_a_late_tab_gets_the_same_successor_for_half_a_minute(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    token = (await native_session(client))["refresh_token"]
    successor = (await refresh(client, token)).json()["refresh_token"]
    await age_session(core_database, token, "rotated_at", timedelta(seconds=25))
    assert (await refresh(client, token)).json()["refresh_token"] == successor
    assert (await session_row(core_database, token))["counter"] == 1


@pytest.mark.parametrize("column", ["idle_expires_at", "expires_at"])
async def test_a_session_ends_unused_after_a_month_and_used_after_three(
    client: httpx.AsyncClient, core_database: ScratchDatabase, column: str
) -> None:
    session = await native_session(client)
    token = session["refresh_token"]
    row = await session_row(core_database, token)
    assert await is_signed_in(client, session["access_token"])
    assert row["idle_expires_at"] - row["created_at"] == timedelta(days=30)
    assert row["expires_at"] - row["created_at"] == timedelta(days=90)
    await age_session(core_database, token, column, row[column] - row["created_at"] + timedelta(seconds=1))
    assert refusal(await refresh(client, token)) == (401, "accounts.refresh_invalid")
    assert not await is_signed_in(client, session["access_token"])
    tenant = {
        "Authorization": f"Bearer {session['access_token']}",
        "X-Tenant-ID": session["tenants"][0]["id"],
    }
    for path in ("/installations", "/subscriptions"):
        assert refusal(await client.get(f"{API}{path}", headers=tenant)) == (401, "accounts.unauthenticated")


async def test_use_never_prolongs_a_session_beyond_its_end(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    token = (await native_session(client))["refresh_token"]
    await age_session(core_database, token, "expires_at", timedelta(days=80))
    assert (await refresh(client, token)).status_code == 200
    row = await session_row(core_database, token)
    assert row["idle_expires_at"] == row["expires_at"]


async def test_a_refresh_changes_the_tenant_for_its_members_only(
    client: httpx.AsyncClient, owner: Owner, stranger: Owner
) -> None:
    second = (await owner.client.post(f"{API}/tenants", json={"name": "Вторая"})).json()["id"]
    for tenant_id in (second, str(owner.tenant_id)):
        got = await owner.client.post(f"{API}/auth/refresh", json={"tenant_id": tenant_id})
        assert got.json()["tenant_id"] == tenant_id
    assert {tenant["id"] for tenant in got.json()["tenants"]} == {second, str(owner.tenant_id)}

    before = owner.client.cookies[COOKIE]
    for foreign in (str(stranger.tenant_id), str(uuid4())):
        refused = await owner.client.post(f"{API}/auth/refresh", json={"tenant_id": foreign})
        assert refusal(refused) == (403, "tenants.access_denied")
        assert "set-cookie" not in refused.headers
    assert owner.client.cookies[COOKIE] == before
    assert (await owner.client.post(f"{API}/auth/refresh")).status_code == 200
    malformed = await owner.client.post(f"{API}/auth/refresh", json={"tenant_id": "1"})
    assert refusal(malformed) == (422, "request.invalid")


async def test_a_session_stays_in_its_tenant_until_another_one_is_named(
    owner: Owner, stranger: Owner
) -> None:
    """The owner's tenant is older, and the stranger is invited there in the middle of a session."""

    async def refreshed(**named: str) -> str:
        got = await stranger.client.post(f"{API}/auth/refresh", json=named)
        assert got.status_code == 200
        stranger.client.headers["Authorization"] = f"Bearer {got.json()['access_token']}"
        return str(got.json()["tenant_id"])

    own, foreign = str(stranger.tenant_id), str(owner.tenant_id)
    assert foreign < own
    await join(owner, stranger, "staff")
    assert await refreshed() == own
    assert await refreshed(tenant_id=foreign) == foreign
    assert [await refreshed() for _ in range(2)] == [foreign] * 2
    refused = await stranger.client.post(f"{API}/auth/refresh", json={"tenant_id": str(uuid4())})
    assert refusal(refused) == (403, "tenants.access_denied")
    assert await refreshed() == foreign
    left = await stranger.client.delete(f"{API}/tenants/{foreign}/members/{stranger.user_id}")
    assert left.status_code == 204
    assert await refreshed() == own


async def test_what_was_never_given_out_opens_nothing(
    core: RunningCore, client: httpx.AsyncClient, core_database: ScratchDatabase, owner: Owner
) -> None:
    session = await native_session(client)
    token = session["refresh_token"]
    user, sid, _, mac = token.split(".")
    key = core.resources.keyring.session_key
    forgeries = [
        "",
        "...",
        f"{user}.{sid}.1.{mac}",
        f"{user}.{uuid4().hex}.0.{mac}",
        f"{owner.user_id.hex}.{sid}.0.{mac}",
        f"{user}.{sid}.0.{'A' * 43}",
        token.upper(),
        f" {token}",
        f"{token}\n",
        session["access_token"][:256],
        RefreshToken(UUID(user), UUID(sid), 7).render(key),  # a counter that is still to come
        RefreshToken(owner.user_id, UUID(sid), 0).render(key),
        RefreshToken(UUID(user), UUID(sid), 0).render(key + b"x"),
    ]
    for forged in forgeries:
        assert refusal(await refresh(client, forged)) == (401, "accounts.refresh_invalid"), forged
    bearer = {"Authorization": f"Bearer {token}"}
    assert refusal(await client.get(f"{API}/me", headers=bearer)) == (401, "accounts.unauthenticated")
    row = await session_row(core_database, token)
    assert (row["counter"], row["revoked_at"]) == (0, None)


CROSS_SITE: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://shop.localhost:8080"},
    {"Origin": "https://localhost:8080"},
    {"Origin": "http://localhost"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8080"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
]


@pytest.mark.parametrize("headers", CROSS_SITE)
async def test_a_page_of_another_origin_cannot_use_the_cookie(
    owner: Owner, core_database: ScratchDatabase, headers: dict[str, str]
) -> None:
    token = owner.client.cookies[COOKIE]
    got = await owner.client.post(f"{API}/auth/refresh", headers=headers)
    assert refusal(got) == (403, "accounts.cross_site")
    assert "set-cookie" not in got.headers
    assert (await session_row(core_database, token))["counter"] == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:8080"},
        {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"},
        {"Host": "127.0.0.1:8080", "Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"},
        {},
    ],
)
async def test_the_platforms_own_page_can(owner: Owner, headers: dict[str, str]) -> None:
    assert (await owner.client.post(f"{API}/auth/refresh", headers=headers)).status_code == 200


async def test_without_any_token_there_is_nothing_to_refresh(client: httpx.AsyncClient) -> None:
    assert refusal(await client.post(f"{API}/auth/refresh")) == (401, "accounts.refresh_invalid")
