"""Signing in with a password: for whom, how often, and what the refusals give away (nothing)."""

import asyncio
import re
from collections import Counter
from typing import Any

import asyncpg
import bcrypt
import httpx
import pytest
from core_kit.codes import StartCore, answer, challenge, hot_statements, look, refusal
from core_kit.passwords import PASSWORD, login, set_password
from core_kit.people import API, Owner, sign_up, unique_phone
from core_kit.running import RunningCore, core_settings, loopback_socket, run_core
from core_kit.waiting import until, waiting_for_lock
from tochka_core.hashing import CHECKS, REFUSALS
from tochka_sdk import tokens
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def known(owner: Owner) -> Owner:
    """Somebody with a password."""
    assert (await set_password(owner.client)).status_code == 204
    return owner


async def _put_hash(database: ScratchDatabase, owner: Owner, hash: str) -> None:
    query = """
        INSERT INTO passwords (user_id, hash) VALUES ($1, $2)
        ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash
    """
    await look(database, query, owner.user_id, hash)


async def _hash(database: ScratchDatabase, owner: Owner) -> str:
    (row,) = await look(database, "SELECT hash FROM passwords WHERE user_id = $1", owner.user_id)
    return str(row["hash"])


async def test_the_answer_is_that_of_a_code(client: httpx.AsyncClient, known: Owner) -> None:
    challenge_id, _, code = await challenge(client, known.phone)
    by_code = await answer(client, challenge_id, code)
    got = await login(client, f"8{known.phone[2:]}")
    assert got.status_code == 200
    assert got.headers["cache-control"] == "no-store"
    assert got.json().keys() == by_code.json().keys()
    body = got.json()
    assert (body["is_new_user"], body["refresh_token"]) == (False, None)
    assert body["user"] == by_code.json()["user"]
    assert body["tenants"] == by_code.json()["tenants"]
    assert "tochka_refresh" in got.headers["set-cookie"]
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await client.get(f"{API}/me", headers=bearer)).json()["id"] == str(known.user_id)
    assert (await client.post(f"{API}/auth/refresh")).status_code == 200


async def test_tokens_and_the_trail_tell_how(
    core: RunningCore, client: httpx.AsyncClient, known: Owner
) -> None:
    got = await login(client, known.phone, token_delivery="body")
    assert "set-cookie" not in got.headers
    refreshed = await client.post(f"{API}/auth/refresh", json={"refresh_token": got.json()["refresh_token"]})
    for token in (got.json()["access_token"], refreshed.json()["access_token"]):
        claims = tokens.decode(
            token,
            core.resources.keyring.access_keys,
            typ="at+jwt",
            issuer=core.resources.addresses.issuer,
            audience="tochka",
        )
        assert claims["amr"] == ["pwd"]
    trail = (await known.client.get(f"{API}/me/audit")).json()["items"]
    signed_in = [entry["data"] for entry in trail if entry["action"] == "person.signed_in"]
    assert signed_in == [{"method": "pwd"}]


async def _work(core: RunningCore, client: httpx.AsyncClient, phone: str, password: str) -> dict[str, Any]:
    """What an answer looks like, and what was done for it: in Redis, in PostgreSQL, in hashing."""
    commands = await core.resources.redis.info("commandstats")
    checks = CHECKS._value.get()
    with hot_statements(core) as asked:
        got = await login(client, phone, password)
    after = await core.resources.redis.info("commandstats")
    passing = ("date", "x-request-id", "ratelimit")
    body = {name: value for name, value in got.json().items() if name != "request_id"}
    redis = {
        name: numbers["calls"] - commands.get(name, {"calls": 0})["calls"]
        for name, numbers in after.items()
        if "ping" not in name
    }
    return {
        "status": got.status_code,
        "headers": {name: value for name, value in got.headers.items() if name not in passing},
        "body": body,
        "redis": redis,
        "statements": [re.sub("'[^']*'", "'…'", statement) for statement in asked],
        "checks": CHECKS._value.get() - checks,
    }


async def test_unknown_phone_no_password_and_wrong_password_are_one_answer_for_one_work(
    core: RunningCore, client: httpx.AsyncClient, known: Owner, stranger: Owner
) -> None:
    await login(client, unique_phone())  # scripts are loaded by now
    cases = {"wrong": known.phone, "none": stranger.phone, "unknown": unique_phone()}
    told = {name: await _work(core, client, phone, "not the password") for name, phone in cases.items()}
    assert (told["wrong"]["status"], told["wrong"]["body"]["code"]) == (401, "accounts.credentials_wrong")
    assert told["wrong"]["checks"] == 1
    assert len(told["wrong"]["statements"]) == 4  # whose phone it is, and a transaction of one query
    assert told["wrong"] == told["none"] == told["unknown"]


async def test_a_refused_login_leaves_nothing(
    client: httpx.AsyncClient, known: Owner, core_database: ScratchDatabase
) -> None:
    count = "SELECT count(*) AS n FROM sessions WHERE user_id = $1"
    before = await look(core_database, count, known.user_id)
    got = await login(client, known.phone, "not the password")
    assert "set-cookie" not in got.headers
    assert await look(core_database, count, known.user_id) == before


async def test_guesses_of_one_phone_end_and_the_way_by_code_stays_open(
    client: httpx.AsyncClient, known: Owner, core_database: ScratchDatabase
) -> None:
    for _ in range(10):
        assert refusal(await login(client, known.phone, "not the password"))[0] == 401
    for _ in range(3):
        got = await login(client, known.phone)
        assert refusal(got) == (429, "accounts.too_many_passwords")
        assert 3500 < int(got.headers["retry-after"]) <= 3600
    challenge_id, _, code = await challenge(client, known.phone)
    assert (await answer(client, challenge_id, code)).status_code == 200
    masked = f"{known.phone[:2]}******{known.phone[-4:]}"
    told = "SELECT tenant_id FROM audit_entries WHERE action = 'password.refused' AND data->>'phone' = $1"
    rows = await look(core_database, told, masked)
    assert {row["tenant_id"] for row in rows} == {None, known.tenant_id}
    assert len(rows) == 2


async def test_an_unknown_phone_has_the_same_limit(client: httpx.AsyncClient) -> None:
    phone = unique_phone()
    answers = [(await login(client, phone, f"guess number {number}")).status_code for number in range(11)]
    assert answers == [401] * 10 + [429]


async def test_signing_in_again_and_again_is_not_held_up(client: httpx.AsyncClient, known: Owner) -> None:
    assert {(await login(client, known.phone)).status_code for _ in range(15)} == {200}


async def test_the_limit_of_a_day_outlives_the_hour(
    core: RunningCore, client: httpx.AsyncClient, known: Owner
) -> None:
    for _ in range(3):
        for _ in range(10):
            assert (await login(client, known.phone, "not the password")).status_code == 401
        async for key in core.resources.redis.scan_iter("passwords-hour:*"):
            await core.resources.redis.delete(key)
    got = await login(client, known.phone)
    assert refusal(got) == (429, "accounts.too_many_passwords")
    assert int(got.headers["retry-after"]) > 80_000


async def test_an_address_has_a_limit_and_the_next_network_its_own(start_core: StartCore) -> None:
    quotas = {"passwords": "3/1h"}
    async with (
        start_core(limits="strict", quotas=quotas) as core,
        httpx.AsyncClient(base_url=core.url) as client,
    ):

        async def statuses(address: str, count: int) -> list[int]:
            client.headers["X-Forwarded-For"] = address
            answers = [await login(client, unique_phone(), "not the password") for _ in range(count)]
            return [got.status_code for got in answers]

        assert await statuses("2001:db8:7:1::1", 2) == [401, 401]
        assert await statuses("2001:db8:7:1:ffff::2", 2) == [401, 429]
        assert await statuses("2001:db8:7:2::1", 1) == [401]


async def test_without_redis_nobody_signs_in_uncounted(core_database: ScratchDatabase, known: Owner) -> None:
    with loopback_socket() as nobody_listens:
        url = f"redis://127.0.0.1:{nobody_listens.getsockname()[1]}/0"
        async with (
            run_core(core_settings(core_database, url)) as core,
            httpx.AsyncClient(base_url=core.url) as client,
        ):
            assert (await login(client, known.phone)).status_code == 503


async def test_a_bcrypt_hash_is_taken_once(
    client: httpx.AsyncClient, owner: Owner, core_database: ScratchDatabase
) -> None:
    password = "an old one"
    old = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4, b"2b")).decode()
    await _put_hash(core_database, owner, old)
    assert refusal(await login(client, owner.phone, "not the password"))[0] == 401
    assert await _hash(core_database, owner) == old
    assert (await login(client, owner.phone, password)).status_code == 200
    fresh = await _hash(core_database, owner)
    assert fresh.startswith("$argon2id$")
    assert (await login(client, owner.phone, password)).status_code == 200
    assert await _hash(core_database, owner) == fresh


async def test_parallel_logins_against_one_bcrypt_hash_all_come_in(
    client: httpx.AsyncClient, owner: Owner, core_database: ScratchDatabase
) -> None:
    """One of them replaces the hash under the others."""
    password = "an old one"
    await _put_hash(core_database, owner, bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode())
    answers = await asyncio.gather(*(login(client, owner.phone, password) for _ in range(3)))
    assert [got.status_code for got in answers] == [200] * 3
    assert (await _hash(core_database, owner)).startswith("$argon2id$")


async def test_a_password_that_changes_meanwhile_opens_nothing(
    client: httpx.AsyncClient, known: Owner, core_database: ScratchDatabase
) -> None:
    """The person's row is held while the right old password is looked at, and the password changed."""
    holder = await asyncpg.connect(core_database.superuser_dsn)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("SELECT 1 FROM users WHERE id = $1 FOR UPDATE", known.user_id)
    coming = asyncio.create_task(login(client, known.phone))
    await waiting_for_lock(core_database)
    other = bcrypt.hashpw(b"another password", bcrypt.gensalt(4)).decode()
    await holder.execute("UPDATE passwords SET hash = $2 WHERE user_id = $1", known.user_id, other)
    await transaction.commit()
    await holder.close()
    assert refusal(await coming) == (401, "accounts.credentials_wrong")


@pytest.mark.proof
async def test_fifty_at_once_all_come_in_and_others_are_served_meanwhile(start_core: StartCore) -> None:
    """No more than two passwords are looked at at once, the rest stands in line, and the loop stays free: a
    health check that is asked for after all of them is answered before the last of them.
    """
    async with start_core() as core, httpx.AsyncClient(base_url=core.url, timeout=60) as client:
        people = [await sign_up(core.url) for _ in range(50)]
        for person in people:
            assert (await set_password(person.client)).status_code == 204
            await person.client.aclose()
        order: list[str] = []

        async def come_in(person: Owner) -> int:
            got = await login(client, person.phone)
            order.append("login")
            return got.status_code

        async def look_at_health() -> None:
            async with httpx.AsyncClient(base_url=core.private_url) as private:
                assert (await private.get("/health/live")).status_code == 200
            order.append("health")

        logins = [asyncio.create_task(come_in(person)) for person in people]
        before = CHECKS._value.get()

        async def are_being_looked_at() -> bool:
            return bool(CHECKS._value.get() > before)

        await until(are_being_looked_at)
        await look_at_health()
        assert Counter(await asyncio.gather(*logins)) == {200: 50}
        assert order.index("health") < len(order) - 10


async def test_beyond_the_line_nobody_waits(start_core: StartCore, known: Owner) -> None:
    costs = {"workers": 1, "waiting": 2}
    async with start_core(passwords=costs) as core, httpx.AsyncClient(base_url=core.url) as client:
        refused = REFUSALS._value.get()
        coming = [login(client, unique_phone(), "not the password") for _ in range(20)]
        answers = await asyncio.gather(*coming)
        busy = [got for got in answers if got.status_code == 503]
        assert {refusal(got) for got in busy} == {(503, "accounts.passwords_busy")}
        assert {got.headers["retry-after"] for got in busy} == {"2"}
        assert REFUSALS._value.get() - refused == len(busy) > 0
        assert {got.status_code for got in answers} == {401, 503}
        assert (await login(client, known.phone)).status_code == 200


BAD: dict[str, dict[str, Any]] = {
    "no password": {"phone": "+79991234567"},
    "no phone": {"password": PASSWORD},
    "an empty password": {"phone": "+79991234567", "password": ""},
    "a long password": {"phone": "+79991234567", "password": "x" * 129},
    "a number": {"phone": "+79991234567", "password": 12345678},
    "an odd delivery": {"phone": "+79991234567", "password": PASSWORD, "token_delivery": "x"},
}


@pytest.mark.parametrize("name", BAD)
async def test_a_malformed_body_is_refused_without_repeating_it(client: httpx.AsyncClient, name: str) -> None:
    got = await client.post(f"{API}/auth/login", json=BAD[name])
    assert refusal(got) == (422, "request.invalid")
    assert PASSWORD not in got.text


async def test_what_is_no_mobile_number_is_told_so(client: httpx.AsyncClient) -> None:
    assert refusal(await login(client, "112")) == (422, "accounts.phone_invalid")
