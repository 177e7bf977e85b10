"""Being asked again: what needs a recent sign-in, and how somebody gets one without losing the session."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from core_kit.codes import answer, challenge, look, other, refusal
from core_kit.members import join
from core_kit.passwords import (
    CHANNEL,
    PASSWORD,
    grow_stale,
    login,
    new_phone_challenge,
    prove_new_phone,
    set_password,
)
from core_kit.people import API, Owner, confirm, read_code, unique_phone
from core_kit.running import RunningCore
from tochka_sdk import tokens
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

NEEDED = (401, "accounts.reauthentication_needed")


@pytest.fixture
async def stale(owner: Owner, core_database: ScratchDatabase) -> Owner:
    """Somebody with a password who was last asked eleven minutes ago."""
    assert (await set_password(owner.client)).status_code == 204
    await grow_stale(core_database, owner)
    return owner


async def _code(person: Owner) -> dict[str, str]:
    """Have a code sent to one's own phone."""
    asked = await person.client.post(f"{API}/me/reauthentication/challenges", json=CHANNEL)
    assert asked.status_code == 202, asked.text
    code = await read_code(person.client, person.phone)
    return {"challenge_id": asked.json()["challenge_id"], "code": code}


async def _again(person: Owner, **body: str) -> httpx.Response:
    return await person.client.post(f"{API}/me/reauthentication", json=body)


def _claims(core: RunningCore, token: str) -> dict[str, Any]:
    issuer = core.resources.addresses.issuer
    keys = core.resources.keyring.access_keys
    return tokens.decode(token, keys, typ="at+jwt", issuer=issuer, audience="tochka")


async def test_the_refusal_is_that_of_rfc_9470(stale: Owner) -> None:
    got = await stale.client.delete(f"{API}/me/password")
    assert refusal(got) == NEEDED
    assert got.json()["max_age"] == 600
    wanted = 'Bearer error="insufficient_user_authentication", max_age="600"'
    assert got.headers["www-authenticate"] == wanted


async def test_everything_that_needs_a_recent_sign_in_asks_for_one(
    stale: Owner, stranger: Owner, core_database: ScratchDatabase
) -> None:
    await join(stale, stranger)
    calls: list[tuple[str, str, dict[str, Any] | None]] = [
        ("PUT", "/me/password", {"password": "another password"}),
        ("DELETE", "/me/password", None),
        ("POST", "/me/phone-changes", {"phone": "+79990000000", **CHANNEL}),
        ("PUT", f"/tenants/{stale.tenant_id}/handover", {"user_id": str(stranger.user_id)}),
        ("POST", f"/tenants/{stale.tenant_id}/invitations", {"phone": unique_phone(), "role": "owner"}),
        ("PATCH", f"/tenants/{stale.tenant_id}/members/{stranger.user_id}", {"role": "admin"}),
        ("DELETE", f"/tenants/{stale.tenant_id}/members/{stranger.user_id}", None),
    ]
    for method, path, body in calls:
        assert refusal(await stale.client.request(method, f"{API}{path}", json=body)) == NEEDED, path
    rows = await look(core_database, "SELECT 1 FROM handovers WHERE tenant_id = $1", stale.tenant_id)
    assert rows == []
    fresh = (await _again(stale, password=PASSWORD)).json()["access_token"]
    stale.client.headers["Authorization"] = f"Bearer {fresh}"
    for method, path, body in calls[:1] + calls[2:]:
        assert (await stale.client.request(method, f"{API}{path}", json=body)).is_success, path


async def test_what_makes_no_owner_and_ends_none_needs_none(stale: Owner, stranger: Owner) -> None:
    wanted = {"phone": unique_phone(), "role": "admin"}
    got = await stale.client.post(f"{API}/tenants/{stale.tenant_id}/invitations", json=wanted)
    assert got.status_code == 201, got.text
    await join(stale, stranger)
    stranger.client.headers["X-Tenant-ID"] = str(stale.tenant_id)
    got = await stranger.client.delete(f"{API}/tenants/{stale.tenant_id}/members/{stranger.user_id}")
    assert got.status_code == 204, got.text


async def test_an_owner_does_not_leave_without_a_recent_sign_in(stale: Owner, stranger: Owner) -> None:
    fresh = stale.client.headers["Authorization"]
    again = (await _again(stale, password=PASSWORD)).json()["access_token"]
    stale.client.headers["Authorization"] = f"Bearer {again}"
    await join(stale, stranger, "owner")
    stale.client.headers["Authorization"] = fresh
    path = f"{API}/tenants/{stale.tenant_id}/members/{stale.user_id}"
    assert refusal(await stale.client.delete(path)) == NEEDED
    stale.client.headers["Authorization"] = f"Bearer {again}"
    assert (await stale.client.delete(path)).status_code == 204


@pytest.mark.parametrize("way", ["otp", "pwd"])
async def test_the_session_goes_on_with_a_fresh_token(core: RunningCore, stale: Owner, way: str) -> None:
    before = _claims(core, stale.client.headers["Authorization"].removeprefix("Bearer "))
    got = await (_again(stale, password=PASSWORD) if way == "pwd" else _again(stale, **await _code(stale)))
    assert got.status_code == 200, got.text
    assert got.headers["cache-control"] == "no-store"
    assert "set-cookie" not in got.headers
    body = got.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "recent_until"}
    left = datetime.fromisoformat(body["recent_until"]) - datetime.now(UTC)
    assert timedelta(minutes=9, seconds=50) < left <= timedelta(minutes=10)
    claims = _claims(core, body["access_token"])
    assert claims["amr"] == [way]
    assert claims["auth_time"] > before["auth_time"] + 600
    assert {name: claims[name] for name in ("sub", "sid", "tid")} == {
        name: before[name] for name in ("sub", "sid", "tid")
    }
    stale.client.headers["Authorization"] = f"Bearer {body['access_token']}"
    assert (await stale.client.delete(f"{API}/me/password")).status_code == 204
    refreshed = await stale.client.post(f"{API}/auth/refresh")
    assert _claims(core, refreshed.json()["access_token"])["auth_time"] == claims["auth_time"]
    trail = (await stale.client.get(f"{API}/me/audit")).json()["items"]
    assert {"method": way} in [e["data"] for e in trail if e["action"] == "person.reauthenticated"]


async def test_refreshing_alone_makes_nobody_recent(core: RunningCore, stale: Owner) -> None:
    for _ in range(2):
        refreshed = await stale.client.post(f"{API}/auth/refresh")
        stale.client.headers["Authorization"] = f"Bearer {refreshed.json()['access_token']}"
        assert refusal(await stale.client.delete(f"{API}/me/password")) == NEEDED


async def test_wrong_codes_and_passwords_make_nobody_recent(stale: Owner) -> None:
    wrong = await _again(stale, password="not my password")
    assert refusal(wrong) == (422, "accounts.password_wrong")
    assert wrong.json()["errors"][0]["field"] == "password"
    asked = await _code(stale)
    wrong = await _again(stale, challenge_id=asked["challenge_id"], code=other(asked["code"]))
    assert refusal(wrong) == (422, "accounts.code_wrong")
    assert refusal(await stale.client.delete(f"{API}/me/password")) == NEEDED
    assert (await _again(stale, **asked)).status_code == 200
    assert refusal(await _again(stale, **asked)) == (410, "accounts.code_used")


async def test_a_code_is_good_for_what_it_was_sent_for_and_for_nobody_else(
    stale: Owner, stranger: Owner, client: httpx.AsyncClient
) -> None:
    unknown = (404, "accounts.challenge_unknown")
    asked = await _code(stale)
    assert refusal(await answer(client, asked["challenge_id"], asked["code"])) == unknown
    assert refusal(await _again(stranger, **asked)) == unknown
    path = f"{API}/me/phone-changes/{asked['challenge_id']}/confirm"
    assert refusal(await stale.client.post(path, json={"code": asked["code"]})) == unknown
    assert (await _again(stale, **asked)).status_code == 200  # none of that has cost a try
    challenge_id, _, code = await challenge(client, stale.phone)
    assert refusal(await _again(stale, challenge_id=challenge_id, code=code)) == unknown
    assert (await answer(client, challenge_id, code)).status_code == 200


async def test_the_message_says_what_the_code_is_for(stale: Owner, client: httpx.AsyncClient) -> None:
    await _code(stale)
    inbox = await client.get(f"{API}/dev/inbox", params={"phone": stale.phone}, headers={"Host": "localhost"})
    assert "для смены номера или другого важного действия" in inbox.json()[0]["text"]
    assert "для входа" not in inbox.json()[0]["text"]


async def test_a_session_that_has_ended_is_not_brought_back(
    core: RunningCore, stale: Owner, core_database: ScratchDatabase
) -> None:
    asked = await _code(stale)
    await look(core_database, "UPDATE sessions SET revoked_at = now() WHERE user_id = $1", stale.user_id)
    for body in ({"password": PASSWORD}, asked):
        assert refusal(await _again(stale, **body)) == (401, "accounts.unauthenticated")
    got = await stale.client.post(f"{API}/me/reauthentication/challenges", json=CHANNEL)
    assert refusal(got) == (401, "accounts.unauthenticated")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": "123456"},
        {"challenge_id": "00000000-0000-7000-8000-000000000000"},
        {"challenge_id": "00000000-0000-7000-8000-000000000000", "code": "123456", "password": PASSWORD},
    ],
)
async def test_half_a_proof_is_refused(owner: Owner, body: dict[str, str]) -> None:
    assert refusal(await _again(owner, **body)) == (422, "request.invalid")


async def test_whoever_is_signed_out_is_not_asked(client: httpx.AsyncClient) -> None:
    signed_out = (401, "accounts.unauthenticated")
    assert refusal(await client.post(f"{API}/me/reauthentication", json={"password": PASSWORD})) == signed_out
    got = await client.post(f"{API}/me/reauthentication/challenges", json=CHANNEL)
    assert refusal(got) == signed_out


async def test_signing_in_by_either_way_is_recent(core: RunningCore, stale: Owner) -> None:
    async with httpx.AsyncClient(base_url=core.url) as client:
        by_code = await confirm(client, stale.phone)
        by_password = (await login(client, stale.phone)).json()
        for session in (by_code, by_password):
            bearer = {"Authorization": f"Bearer {session['access_token']}"}
            body = {"phone": "+79990000000", **CHANNEL}
            got = await client.post(f"{API}/me/phone-changes", json=body, headers=bearer)
            assert got.status_code in {202, 429}  # the number is every run's


async def test_a_press_that_is_repeated_sends_no_second_code(owner: Owner) -> None:
    """To one's own number as everywhere else: one is asked again, and proves the old of two numbers."""
    asked = await new_phone_challenge(owner, new := unique_phone())
    assert (await prove_new_phone(owner, asked, await read_code(owner.client, new))).status_code == 200
    for path in ("/me/reauthentication/challenges", f"/me/phone-changes/{asked}/old-phone"):
        key = {"Idempotency-Key": "press"}
        first, second = [await owner.client.post(f"{API}{path}", json=CHANNEL, headers=key) for _ in range(2)]
        assert [got.status_code for got in (first, second)] == [202, 202], second.text
        assert first.json()["challenge_id"] == second.json()["challenge_id"]
        told = [got.headers.get("idempotency-replayed") for got in (first, second)]
        assert told == [None, "true"]
