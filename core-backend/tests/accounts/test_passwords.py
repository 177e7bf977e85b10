"""Setting, changing and removing a password: which are taken, from whom, and what ends with it."""

import unicodedata
from typing import Any

import httpx
import pytest
from core_kit.codes import look, refusal
from core_kit.passwords import PASSWORD, grow_stale, login, set_password
from core_kit.people import API, Owner, confirm
from core_kit.running import RunningCore
from tochka_core.accounts.passwords import _commonest
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _stored(database: ScratchDatabase, owner: Owner) -> list[str]:
    rows = await look(database, "SELECT hash FROM passwords WHERE user_id = $1", owner.user_id)
    return [row["hash"] for row in rows]


async def _trail(owner: Owner) -> list[str]:
    answer = await owner.client.get(f"{API}/me/audit")
    return [entry["action"] for entry in answer.json()["items"]]


async def test_a_password_is_set_soon_after_signing_in(owner: Owner, core_database: ScratchDatabase) -> None:
    assert (await owner.client.get(f"{API}/me")).json()["has_password"] is False
    assert (await set_password(owner.client)).status_code == 204
    assert (await owner.client.get(f"{API}/me")).json()["has_password"] is True
    (hash,) = await _stored(core_database, owner)
    assert hash.startswith("$argon2id$")
    assert "password.set" in await _trail(owner)


async def test_no_answer_and_no_entry_holds_a_password_or_its_hash(
    owner: Owner, core_database: ScratchDatabase, capfd: pytest.CaptureFixture[str]
) -> None:
    got = [
        await set_password(owner.client),
        await set_password(owner.client, "короток"),
        await set_password(owner.client, "another password", "not my password"),
        await owner.client.get(f"{API}/me"),
        await owner.client.get(f"{API}/me/audit"),
        await login(owner.client, owner.phone),
    ]
    (hash,) = await _stored(core_database, owner)
    logged = "".join(capfd.readouterr())
    entries = await look(
        core_database, "SELECT data::text FROM audit_entries WHERE user_id = $1", owner.user_id
    )
    told = [*(answer.text for answer in got), logged, str(entries)]
    for secret in (PASSWORD, "короток", "another password", "not my password", hash):
        assert all(secret not in text for text in told)


async def test_later_it_takes_the_current_password(owner: Owner, core_database: ScratchDatabase) -> None:
    await set_password(owner.client)
    await grow_stale(core_database, owner)
    before = await _stored(core_database, owner)
    needed = await set_password(owner.client, "another password")
    assert refusal(needed) == (401, "accounts.reauthentication_needed")
    wrong = await set_password(owner.client, "another password", "not my password")
    assert refusal(wrong) == (422, "accounts.password_wrong")
    assert wrong.json()["errors"][0]["field"] == "current_password"
    assert await _stored(core_database, owner) == before
    assert (await set_password(owner.client, "another password", PASSWORD)).status_code == 204
    assert refusal(await login(owner.client, owner.phone)) == (401, "accounts.credentials_wrong")
    assert (await login(owner.client, owner.phone, "another password")).status_code == 200


async def test_whoever_has_none_needs_a_recent_sign_in(owner: Owner, core_database: ScratchDatabase) -> None:
    await grow_stale(core_database, owner)
    assert refusal(await set_password(owner.client))[0] == 401
    wrong = await set_password(owner.client, current="a password of nobody")
    assert refusal(wrong) == (422, "accounts.password_wrong")
    assert await _stored(core_database, owner) == []


async def test_guessing_the_current_password_ends(owner: Owner) -> None:
    await set_password(owner.client)
    for _ in range(10):
        wrong = await set_password(owner.client, "another password", "not my password")
        assert refusal(wrong) == (422, "accounts.password_wrong")
    got = await set_password(owner.client, "another password", PASSWORD)
    assert refusal(got) == (429, "accounts.too_many_passwords")


@pytest.mark.parametrize("verb", ["set", "change", "remove"])
async def test_other_sessions_end_with_it(core: RunningCore, owner: Owner, verb: str) -> None:
    if verb != "set":
        await set_password(owner.client)
    async with httpx.AsyncClient(base_url=core.url) as elsewhere:
        session = await confirm(elsewhere, owner.phone)
        bearer = {"Authorization": f"Bearer {session['access_token']}"}
        assert (await elsewhere.get(f"{API}/me", headers=bearer)).status_code == 200
        if verb == "remove":
            assert (await owner.client.delete(f"{API}/me/password")).status_code == 204
        else:
            assert (await set_password(owner.client, "another password")).status_code == 204
        assert refusal(await elsewhere.get(f"{API}/me", headers=bearer)) == (401, "accounts.unauthenticated")
        assert (await elsewhere.post(f"{API}/auth/refresh")).status_code == 401
    assert (await owner.client.get(f"{API}/me")).status_code == 200
    assert (await owner.client.post(f"{API}/auth/refresh")).status_code == 200


async def test_a_removed_password_opens_nothing(owner: Owner, core_database: ScratchDatabase) -> None:
    await set_password(owner.client)
    assert (await owner.client.delete(f"{API}/me/password")).status_code == 204
    assert (await owner.client.delete(f"{API}/me/password")).status_code == 204
    assert await _stored(core_database, owner) == []
    assert refusal(await login(owner.client, owner.phone)) == (401, "accounts.credentials_wrong")
    assert (await _trail(owner)).count("password.removed") == 1


async def test_removing_it_needs_a_recent_sign_in(owner: Owner, core_database: ScratchDatabase) -> None:
    await set_password(owner.client)
    await grow_stale(core_database, owner)
    got = await owner.client.delete(f"{API}/me/password")
    assert refusal(got) == (401, "accounts.reauthentication_needed")
    assert len(await _stored(core_database, owner)) == 1


async def test_whoever_is_signed_out_sets_and_removes_nothing(client: httpx.AsyncClient) -> None:
    assert refusal(await set_password(client)) == (401, "accounts.unauthenticated")
    assert refusal(await client.delete(f"{API}/me/password")) == (401, "accounts.unauthenticated")


async def test_a_session_that_has_ended_sets_nothing(owner: Owner, core_database: ScratchDatabase) -> None:
    token = owner.client.headers["Authorization"]
    await owner.client.delete(f"{API}/me/sessions", params={"current": True})
    owner.client.headers["Authorization"] = token
    assert refusal(await set_password(owner.client)) == (401, "accounts.unauthenticated")
    assert await _stored(core_database, owner) == []


REFUSED = {
    "password123": "password_common",
    "PassWord123": "password_common",
    "йцукенгшщ": "password_common",
    "12345678": "password_common",
    "aaaaaaaaaaaa": "password_common",
    "abababababab": "password_common",
    "{phone}": "password_has_phone",
    "{phone}!!": "password_has_phone",
    "8{short}": "password_has_phone",
    "a phone of mine: {phone}, and a word": "password_has_phone",
    "зфыыцщкв": "password_common",
    "9{spaced}": "password_has_phone",
    "Tochka Rosta": "password_has_product",
    "точкароста24": "password_has_product",
    "Точка-Роста!": "password_has_product",
    "моя точка роста над рекой": "password_has_product",
    "rosta-123": "password_has_product",
    "ｔｏｃｈｋａｒｏｓｔａ": "password_has_product",
}


@pytest.mark.parametrize(("password", "reason"), REFUSED.items())
async def test_what_others_guess_first_is_refused(
    owner: Owner, core_database: ScratchDatabase, password: str, reason: str
) -> None:
    short = owner.phone[2:]
    spaced = f"{short[1:3]} {short[3:6]}-{short[6:8]}-{short[8:]}"
    got = await set_password(owner.client, password.format(phone=owner.phone, short=short, spaced=spaced))
    assert refusal(got) == (422, "accounts.password_refused")
    assert [(error["field"], error["code"]) for error in got.json()["errors"]] == [("password", reason)]
    assert await _stored(core_database, owner) == []


BAD: dict[str, Any] = {
    "too short": "s" * 7,
    "too long": "s" * 129,
    "a number": 12345678,
    "none": None,
    "nul": "a password\0",
    "line break": "a pass\nword",
}


@pytest.mark.parametrize("name", BAD)
async def test_a_malformed_password_is_refused(owner: Owner, name: str) -> None:
    got = await owner.client.put(f"{API}/me/password", json={"password": BAD[name]})
    assert refusal(got) == (422, "request.invalid")
    assert got.json()["errors"][0]["field"] == "password"


TAKEN = ["ab cd ef", "🐈🐕🐟🦊🐸🐙🦉🐝", "x1 " * 42 + "yz", "соль и перец", "точка кипения воды"]


@pytest.mark.parametrize("password", TAKEN)
async def test_anything_else_is_taken_as_it_is(owner: Owner, password: str) -> None:
    assert (await set_password(owner.client, password)).status_code == 204
    assert (await login(owner.client, owner.phone, password)).status_code == 200
    assert (await login(owner.client, owner.phone, f"{password[:-1]}?")).status_code == 401


async def test_what_looks_the_same_is_the_same(owner: Owner) -> None:
    composed, decomposed = (unicodedata.normalize(form, "зелёный чайник") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert (await set_password(owner.client, composed)).status_code == 204
    assert (await login(owner.client, owner.phone, decomposed)).status_code == 200


async def test_the_list_holds_thousands_that_could_be_typed_here() -> None:
    assert sum(len(password) >= 8 for password in _commonest()) > 3000
