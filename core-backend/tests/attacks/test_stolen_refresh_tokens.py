"""A refresh token in two hands: whoever comes second ends the session for both; that is on record first."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from core_kit.activation import activate, watch
from core_kit.codes import answer, challenge, look, refusal
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner, confirm
from core_kit.refreshing import age_session, is_signed_in, native_session, refresh, session_row
from core_kit.running import RunningCore
from core_kit.wired import wired_core
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

COOKIE = "tochka_refresh"


async def test_a_token_used_again_later_ends_the_session_for_thief_and_victim(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    session = await native_session(client)
    token = session["refresh_token"]
    fresh = (await refresh(client, token)).json()
    await age_session(core_database, token, "rotated_at", timedelta(seconds=31))
    assert refusal(await refresh(client, token)) == (401, "accounts.session_revoked")
    assert (await session_row(core_database, token))["revoked_at"] is not None
    for other in (fresh["refresh_token"], token):
        assert refusal(await refresh(client, other)) == (401, "accounts.refresh_invalid")
    for access in (session["access_token"], fresh["access_token"]):
        assert not await is_signed_in(client, access)


async def test_an_older_ancestor_ends_the_session_at_once(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    token = (await native_session(client))["refresh_token"]
    second = (await refresh(client, token)).json()["refresh_token"]
    assert (await refresh(client, second)).status_code == 200
    assert refusal(await refresh(client, token)) == (401, "accounts.session_revoked")
    assert (await session_row(core_database, token))["revoked_at"] is not None


async def test_only_the_session_of_the_token_ends(
    client: httpx.AsyncClient, owner: Owner, core_database: ScratchDatabase
) -> None:
    elsewhere = await confirm(client, owner.phone)
    token = owner.client.cookies[COOKIE]
    await owner.client.post(f"{API}/auth/refresh")
    await age_session(core_database, token, "rotated_at", timedelta(seconds=31))
    assert refusal(await refresh(client, token)) == (401, "accounts.session_revoked")
    assert await is_signed_in(client, elsewhere["access_token"])


async def test_a_stolen_token_is_refused_only_after_the_revocation_is_on_record(
    core_database: ScratchDatabase, redis_url: str
) -> None:
    async with (
        wired_core(core_database, redis_url) as wired,
        httpx.AsyncClient(base_url=wired.core.url) as thief,
    ):
        challenge_id, _, code = await challenge(thief, token_delivery="body")
        first = (await answer(thief, challenge_id, code)).json()["refresh_token"]

        async def refresh(token: str) -> httpx.Response:
            return await thief.post(f"{API}/auth/refresh", json={"refresh_token": token})

        second = (await refresh(first)).json()["refresh_token"]
        assert (await refresh(second)).status_code == 200
        stop = wired.wire.stop_at("UPDATE sessions SET revoked_at", at_commit=True)
        asked = asyncio.create_task(refresh(first))
        await asyncio.wait_for(stop.held.wait(), 20)
        assert not asked.done()
        stop.released.set()
        assert refusal(await asked) == (401, "accounts.session_revoked")
        query = "SELECT revoked_at IS NOT NULL AS ended FROM sessions WHERE id = $1"
        assert await look(core_database, query, UUID(first.split(".")[1])) == [{"ended": True}]


async def test_a_revocation_that_could_not_be_recorded_is_not_claimed(
    core_database: ScratchDatabase, redis_url: str
) -> None:
    async with (
        wired_core(core_database, redis_url) as wired,
        httpx.AsyncClient(base_url=wired.core.url) as thief,
    ):
        challenge_id, _, code = await challenge(thief, token_delivery="body")
        token = first = (await answer(thief, challenge_id, code)).json()["refresh_token"]
        for _ in range(2):
            body = {"refresh_token": token}
            token = (await thief.post(f"{API}/auth/refresh", json=body)).json()["refresh_token"]
        stop = wired.wire.stop_at("UPDATE sessions SET revoked_at", at_commit=True)
        asked = asyncio.create_task(thief.post(f"{API}/auth/refresh", json={"refresh_token": first}))
        await asyncio.wait_for(stop.held.wait(), 20)
        stop.cut()
        assert refusal(await asked) == (503, "database.unavailable")
        got = await thief.post(f"{API}/auth/refresh", json={"refresh_token": first})
        assert refusal(got) == (401, "accounts.session_revoked")


async def test_thief_and_victim_at_the_same_moment_leave_one_chain(
    core: RunningCore, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    """Within the grace of tabs both get one successor: whoever then goes on first throws the other out."""
    token = (await native_session(client))["refresh_token"]
    async with httpx.AsyncClient(base_url=core.url) as thief:
        pairs = await asyncio.gather(*(refresh(who, token) for who in (client, thief) for _ in range(10)))
        (shared,) = {got.json()["refresh_token"] for got in pairs}
        ahead = (await refresh(thief, shared)).json()
        assert (await refresh(client, shared)).json()["refresh_token"] == ahead["refresh_token"]
        await age_session(core_database, token, "rotated_at", timedelta(seconds=31))
        assert refusal(await refresh(client, shared)) == (401, "accounts.session_revoked")
        assert refusal(await refresh(thief, ahead["refresh_token"])) == (401, "accounts.refresh_invalid")
        assert not await is_signed_in(thief, ahead["access_token"])
    query = "SELECT action FROM audit_entries WHERE subject_id = $1 OR session_id = $1"
    session_id = UUID(token.split(".")[1])
    actions = Counter(row["action"] for row in await look(core_database, query, session_id))
    assert actions["session.replayed"] == 1


async def test_a_stolen_token_ends_an_open_stream_of_the_thiefs(
    owner: Owner, module: ScriptedModule, core_database: ScratchDatabase
) -> None:
    token = owner.client.cookies[COOKIE]
    body = await activate(owner, module.id)
    begun = asyncio.Event()
    watching = asyncio.create_task(watch(owner, body["id"], begun))
    await asyncio.wait_for(begun.wait(), 20)
    for _ in range(2):
        assert (await owner.client.post(f"{API}/auth/refresh")).status_code == 200
    async with httpx.AsyncClient(base_url=owner.client.base_url) as client:
        assert refusal(await refresh(client, token)) == (401, "accounts.session_revoked")
    told = await asyncio.wait_for(watching, 5)
    assert {event["status"] for event in told} == {"provisioning"}
