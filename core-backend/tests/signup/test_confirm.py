"""A right code makes user, tenant, membership, session and event together, or signs a known person in."""

import asyncio
import json
from collections import Counter
from typing import Any
from uuid import UUID

import httpx
import pytest
from core_kit.codes import StartCore, answer, challenge, look, refusal
from core_kit.people import API, Owner, confirm, unique_phone
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

TRACES = """
SELECT (SELECT count(*) FROM users u WHERE u.phone = $1) AS users,
  (SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.phone = $1) AS sessions,
  (SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.phone = $1) AS memberships,
  (SELECT count(*) FROM confirmed_challenges c JOIN users u ON u.id = c.user_id
   WHERE u.phone = $1) AS confirmed,
  (SELECT count(*) FROM events e JOIN memberships m USING (tenant_id) JOIN users u ON u.id = m.user_id
   WHERE u.phone = $1 AND e.type = 'tenant.created') AS events
"""


async def _traces(database: ScratchDatabase, phone: str) -> dict[str, int]:
    (row,) = await look(database, TRACES, phone)
    return row


async def test_a_new_phone_becomes_a_person_with_a_business(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    challenge_id, phone, code = await challenge(client)
    got = await answer(client, challenge_id, code, name=" Анна ", tenant_name=" Пекарня ")
    assert got.status_code == 200
    assert got.headers["cache-control"] == "no-store"
    body = got.json()
    assert body.keys() == {
        "access_token", "token_type", "expires_in", "refresh_token",
        "tenant_id", "is_new_user", "user", "tenants",
    }  # fmt: skip
    assert (body["token_type"], body["expires_in"], body["is_new_user"]) == ("Bearer", 600, True)
    assert body["refresh_token"] is None
    assert body["user"]["phone"] == phone
    assert body["user"]["name"] == "Анна"
    (tenant,) = body["tenants"]
    assert tenant == {"id": body["tenant_id"], "name": "Пекарня", "role": "owner"}
    assert await _traces(core_database, phone) == {
        "users": 1, "sessions": 1, "memberships": 1, "confirmed": 1, "events": 1,
    }  # fmt: skip
    assert body["user"]["locale"] == "ru"
    (event,) = await look(
        core_database, "SELECT type, data FROM events WHERE tenant_id = $1", UUID(tenant["id"])
    )
    assert event["type"] == "tenant.created"
    assert json.loads(event["data"])["name"] == "Пекарня"


@pytest.mark.parametrize(
    ("names", "tenant"),
    [
        ({}, "Мой бизнес"),
        ({"name": "Олег"}, "Олег"),
        ({"name": "", "tenant_name": " "}, "Мой бизнес"),
        ({"name": None, "tenant_name": None}, "Мой бизнес"),
        ({"tenant_name": "Дом"}, "Дом"),
        ({"locale": "en"}, "My business"),
    ],
)
async def test_a_business_has_a_name_from_the_start(
    client: httpx.AsyncClient, names: dict[str, Any], tenant: str
) -> None:
    challenge_id, _, code = await challenge(client)
    body = (await answer(client, challenge_id, code, **names)).json()
    assert body["tenants"][0]["name"] == tenant


@pytest.mark.parametrize(
    "names", [{"name": "a\x00"}, {"name": "\ud800"}, {"tenant_name": "я" * 121}, {"tenant_name": 1}]
)
async def test_a_name_that_cannot_be_kept_costs_no_code(
    client: httpx.AsyncClient, core_database: ScratchDatabase, names: dict[str, Any]
) -> None:
    challenge_id, phone, code = await challenge(client)
    path = f"{API}/auth/challenges/{challenge_id}/confirm"
    headers = {"Content-Type": "application/json"}
    got = await client.post(path, content=json.dumps({"code": code, **names}), headers=headers)
    assert refusal(got) == (422, "request.invalid")
    assert (await _traces(core_database, phone))["users"] == 0
    assert (await answer(client, challenge_id, code)).status_code == 200


async def test_a_known_phone_signs_in_and_nothing_is_made_again(
    client: httpx.AsyncClient, core_database: ScratchDatabase, owner: Owner
) -> None:
    body = await confirm(client, owner.phone, name="Другое имя", tenant_name="Другой бизнес")
    assert body["is_new_user"] is False
    assert (body["user"]["id"], body["user"]["name"]) == (str(owner.user_id), "")
    assert [tenant["id"] for tenant in body["tenants"]] == [str(owner.tenant_id)]
    assert body["tenant_id"] == str(owner.tenant_id)
    assert await _traces(core_database, owner.phone) == {
        "users": 1, "sessions": 2, "memberships": 1, "confirmed": 2, "events": 1,
    }  # fmt: skip


async def test_two_codes_of_one_new_phone_at_once_make_one_person(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    for _ in range(5):
        phone = unique_phone()
        codes = [await challenge(client, phone) for _ in range(4)]
        answers = await asyncio.gather(
            *(answer(client, challenge_id, code) for challenge_id, _, code in codes)
        )
        bodies = [got.json() for got in answers]
        assert [got.status_code for got in answers] == [200] * 4
        assert Counter(body["is_new_user"] for body in bodies) == {True: 1, False: 3}
        assert len({body["user"]["id"] for body in bodies}) == 1
        assert len({body["tenants"][0]["id"] for body in bodies}) == 1
        assert await _traces(core_database, phone) == {
            "users": 1, "sessions": 4, "memberships": 1, "confirmed": 4, "events": 1,
        }  # fmt: skip


async def test_a_challenge_that_redis_forgot_was_used_is_refused_by_the_database(
    core: RunningCore, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    challenge_id, phone, code = await challenge(client)
    redis = core.resources.redis
    (key,) = [key async for key in redis.scan_iter(f"code:*{challenge_id}")]
    before: dict[Any, Any] = await redis.hgetall(key)
    assert (await answer(client, challenge_id, code)).status_code == 200
    await redis.hset(key, mapping=before)
    assert refusal(await answer(client, challenge_id, code)) == (410, "accounts.code_used")
    traces = await _traces(core_database, phone)
    assert (traces["sessions"], traces["confirmed"]) == (1, 1)


async def test_the_refresh_token_goes_into_a_cookie_that_no_script_reads(client: httpx.AsyncClient) -> None:
    challenge_id, _, code = await challenge(client)
    cookie = (await answer(client, challenge_id, code)).headers["set-cookie"]
    name, *attributes = cookie.lower().split("; ")
    assert name.startswith("tochka_refresh=")
    assert {"httponly", "samesite=strict", "path=/"} <= set(attributes)
    assert "secure" not in attributes
    assert not [attribute for attribute in attributes if attribute.startswith("domain")]
    (max_age,) = [int(item.partition("=")[2]) for item in attributes if item.startswith("max-age")]
    assert abs(max_age - 30 * 24 * 3600) < 60


async def test_under_https_the_cookie_is_bound_to_the_host(start_core: StartCore) -> None:
    async with (
        start_core(public_url="https://tochka.example") as secure,
        httpx.AsyncClient(base_url=secure.url) as client,
    ):
        challenge_id, _, code = await challenge(client)
        cookie = (await answer(client, challenge_id, code)).headers["set-cookie"]
    name, *attributes = cookie.lower().split("; ")
    assert name.startswith("__host-tochka_refresh=")
    assert {"secure", "httponly", "samesite=strict", "path=/"} <= set(attributes)
    assert not [attribute for attribute in attributes if attribute.startswith("domain")]


async def test_a_native_client_gets_its_refresh_token_in_the_body(client: httpx.AsyncClient) -> None:
    challenge_id, _, code = await challenge(client, token_delivery="body")
    got = await answer(client, challenge_id, code)
    assert len(got.json()["refresh_token"].split(".")) == 4
    assert "set-cookie" not in got.headers
