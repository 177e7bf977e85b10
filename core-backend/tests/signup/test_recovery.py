"""What an operator can do for somebody whose number opens nothing any more."""

import asyncio
import sys
from uuid import uuid4

import httpx
import pytest
from core_kit.codes import answer, challenge, look, refusal
from core_kit.people import API, Owner, confirm, unique_phone
from core_kit.processes import environment
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

LONG_AGO = """
    WITH old AS (UPDATE users SET created_at = created_at - interval '1 year' WHERE phone = $1 RETURNING id)
    UPDATE sessions SET last_used_at = last_used_at - interval '1 year' WHERE user_id IN (SELECT id FROM old)
"""


async def _recover(core: RunningCore, was: str, phone: str, *more: str) -> tuple[int | None, str]:
    """The command, as the operator's `tochka accounts recover` runs it: its exit code and what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tochka_core.main", "recover", "--was", was, "--phone", phone, *more),
        env=environment(core.settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def _begin_anew(client: httpx.AsyncClient, database: ScratchDatabase, phone: str) -> str:
    """Take the number of an account that was not used for long; the new account."""
    await look(database, LONG_AGO, phone)
    challenge_id, _, code = await challenge(client, phone)
    assert refusal(await answer(client, challenge_id, code)) == (409, "accounts.confirmation_needed")
    got = await client.post(f"{API}/auth/challenges/{challenge_id}/recover", json={"way": "anew"})
    assert got.status_code == 200, got.text
    return str(got.json()["user"]["id"])


async def test_an_account_without_a_number_gets_another_one(
    core: RunningCore, client: httpx.AsyncClient, owner: Owner, core_database: ScratchDatabase
) -> None:
    newcomer = await _begin_anew(client, core_database, owner.phone)
    new = unique_phone()
    code, said = await _recover(core, owner.phone, new)
    assert (code, said) == (0, f"✓ {owner.user_id} signs in with {new[:2]}******{new[-4:]} from now on\n")
    assert (await owner.client.get(f"{API}/me")).status_code == 401
    session = await confirm(client, new)
    assert session["user"]["id"] == str(owner.user_id)
    bearer = {"Authorization": f"Bearer {session['access_token']}"}
    trail = (await client.get(f"{API}/me/audit", headers=bearer)).json()["items"]
    assert {"account.recovered", "phone.released"} <= {entry["action"] for entry in trail}
    assert (await confirm(client, owner.phone))["user"]["id"] == newcomer


async def test_after_a_long_time_the_same_number_is_good_again(
    core: RunningCore, client: httpx.AsyncClient, owner: Owner, core_database: ScratchDatabase
) -> None:
    await look(core_database, LONG_AGO, owner.phone)
    code, _ = await _recover(core, owner.phone, owner.phone)
    assert code == 0
    assert (await confirm(client, owner.phone))["user"]["id"] == str(owner.user_id)


async def test_a_number_that_somebody_has_is_taken_only_when_told_so(
    core: RunningCore, client: httpx.AsyncClient, owner: Owner, core_database: ScratchDatabase
) -> None:
    newcomer = await _begin_anew(client, core_database, owner.phone)
    code, said = await _recover(core, owner.phone, owner.phone)
    assert (code, said) == (11, "✗ This number belongs to another account.\n")
    assert (await confirm(client, owner.phone))["user"]["id"] == newcomer
    code, _ = await _recover(core, owner.phone, owner.phone, "--take")
    assert code == 0
    assert (await confirm(client, owner.phone))["user"]["id"] == str(owner.user_id)


async def test_of_several_that_a_number_opened_one_is_chosen(
    core: RunningCore, client: httpx.AsyncClient, owner: Owner, core_database: ScratchDatabase
) -> None:
    second = await _begin_anew(client, core_database, owner.phone)
    await _begin_anew(client, core_database, owner.phone)
    new = unique_phone()
    code, said = await _recover(core, owner.phone, new)
    assert code == 11
    assert {second, str(owner.user_id)} <= set(said.strip(".\n").replace(",", "").split())
    assert (await _recover(core, owner.phone, new, "--user-id", str(uuid4())))[0] == 11
    assert (await _recover(core, owner.phone, new, "--user-id", second))[0] == 0
    assert (await confirm(client, new))["user"]["id"] == second


async def test_a_number_that_opened_nothing_recovers_nothing(core: RunningCore, owner: Owner) -> None:
    assert await _recover(core, unique_phone(), unique_phone()) == (
        11,
        "✗ Which account is meant? Found: none.\n",
    )
    code, said = await _recover(core, owner.phone, "112")
    assert (code, said) == (11, "✗ This is not a phone number.\n")
    assert (await owner.client.get(f"{API}/me")).json()["phone"] == owner.phone
