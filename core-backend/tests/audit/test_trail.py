"""The trail: each deed is written down once, with its transaction, and shown to those whom it concerns."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from core_kit.activation import activate, ask, outcome, unique_label
from core_kit.codes import answer, challenge, look, other, refusal
from core_kit.members import join
from core_kit.modules import REQUESTED, ScriptedModule, answers
from core_kit.passwords import login
from core_kit.people import API, Owner, confirm
from core_kit.running import RunningCore
from tochka_core.audit.public import Actor, record
from tochka_core.audit.schemas import Detail
from tochka_sdk.db import Scope
from tochka_sdk.ids import uuid7
from tochka_sdk.logs import mask_phone
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
HERE = "127.0.0.1"


async def _trail(owner: Owner) -> list[Json]:
    """The owner's tenant's, newest first."""
    got = await owner.client.get(f"{API}/tenants/{owner.tenant_id}/audit")
    assert got.status_code == 200, got.text
    return list(got.json()["items"])


async def _own(client: httpx.AsyncClient) -> list[Json]:
    """The person's own, newest first."""
    return list((await client.get(f"{API}/me/audit")).json()["items"])


def _actions(entries: list[Json]) -> list[str]:
    return [entry["action"] for entry in entries]


async def _current_session(client: httpx.AsyncClient) -> str:
    sessions = (await client.get(f"{API}/me/sessions")).json()["items"]
    return str(next(item["id"] for item in sessions if item["current"]))


async def test_signing_up_is_written_down_with_the_tenant_that_it_founds(owner: Owner) -> None:
    signed_up, created = entries = await _trail(owner)
    assert _actions(entries) == ["person.signed_up", "tenant.created"]
    assert signed_up.keys() == {
        "id", "action", "occurred_at", "user_id", "session_id", "subject_id", "address", "request_id", "data",
    }  # fmt: skip
    session_id = await _current_session(owner.client)
    assert (signed_up["user_id"], signed_up["session_id"]) == (str(owner.user_id), session_id)
    assert (signed_up["address"], signed_up["data"]) == (HERE, {"method": "otp"})
    assert created["address"] == HERE
    assert signed_up["request_id"] == created["request_id"] is not None
    assert created["subject_id"] == str(owner.tenant_id)
    assert await _own(owner.client) == entries


async def test_signing_in_and_out_and_ending_a_session_are_written_down_once(
    core: RunningCore, owner: Owner
) -> None:
    async with httpx.AsyncClient(base_url=core.url) as device, httpx.AsyncClient(base_url=core.url) as third:
        for client in (device, third):
            session = await confirm(client, owner.phone)
            client.headers["Authorization"] = f"Bearer {session['access_token']}"
        left, ended = await _current_session(device), await _current_session(third)
        for _ in range(2):
            assert (await device.post(f"{API}/auth/logout")).status_code == 204
            assert (await owner.client.delete(f"{API}/me/sessions/{ended}")).status_code == 204
    foreign = await owner.client.delete(f"{API}/me/sessions/{uuid7()}")
    assert refusal(foreign) == (404, "accounts.session_unknown")
    told = [(entry["action"], entry["session_id"]) for entry in await _own(owner.client)]
    here = await _current_session(owner.client)
    assert told[:4] == [
        ("session.ended", here),
        ("person.signed_out", left),
        ("person.signed_in", ended),
        ("person.signed_in", left),
    ]
    assert len(told) == 6
    assert (await _own(owner.client))[0]["subject_id"] == ended
    # who came in concerns the tenant, too; leaving is the person's own matter
    assert _actions(await _trail(owner))[:2] == ["person.signed_in"] * 2


async def test_every_tenant_of_a_person_hears_of_a_sign_in_and_the_person_once(
    core: RunningCore, owner: Owner, stranger: Owner
) -> None:
    """The session opens all of them, whichever the first token is for."""
    await join(owner, stranger)
    before = [len(await _trail(tenant)) for tenant in (owner, stranger)]
    own = len(await _own(stranger.client))
    async with httpx.AsyncClient(base_url=core.url) as device:
        await confirm(device, stranger.phone)
    for tenant, count in zip((owner, stranger), before, strict=True):
        entries = await _trail(tenant)
        assert len(entries) == count + 1
        assert (entries[0]["action"], entries[0]["user_id"]) == ("person.signed_in", str(stranger.user_id))
    assert len(await _own(stranger.client)) == own + 1


async def test_a_replayed_refresh_token_is_written_down_although_it_is_refused(
    owner: Owner, core_database: ScratchDatabase
) -> None:
    session_id = await _current_session(owner.client)
    stolen = owner.client.cookies["tochka_refresh"]
    assert (await owner.client.post(f"{API}/auth/refresh")).status_code == 200
    aged = "UPDATE sessions SET rotated_at = rotated_at - $2::interval WHERE id = $1"
    await look(core_database, aged, UUID(session_id), timedelta(seconds=31))

    async def replay() -> httpx.Response:
        return await owner.client.post(f"{API}/auth/refresh", json={"refresh_token": stolen})

    refused = await asyncio.gather(*(replay() for _ in range(5)))
    assert {got.status_code for got in refused} == {401}
    assert "accounts.session_revoked" in {got.json()["code"] for got in refused}
    session = await confirm(owner.client, owner.phone)
    owner.client.headers["Authorization"] = f"Bearer {session['access_token']}"
    entries = await _own(owner.client)
    assert _actions(entries)[:2] == ["person.signed_in", "session.replayed"]
    assert _actions(entries).count("session.replayed") == 1
    assert (entries[1]["session_id"], entries[1]["address"]) == (session_id, HERE)


async def test_guessing_past_the_limit_is_written_down_once_for_the_platform(
    client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    challenge_id, phone, code = await challenge(client)
    for _ in range(5):
        assert (await answer(client, challenge_id, other(code))).status_code == 422
    assert await _refusals(core_database, challenge_id) == []
    refused = await asyncio.gather(*(answer(client, challenge_id, code) for _ in range(5)))
    assert {refusal(got) for got in refused} == {(429, "accounts.too_many_tries")}
    (entry,) = await _refusals(core_database, challenge_id)
    assert (entry["tenant_id"], entry["user_id"], str(entry["address"])) == (None, None, HERE)
    assert f'"{mask_phone(phone)}"' in entry["data"]
    assert phone not in entry["data"]
    assert code not in entry["data"]


async def test_an_owner_reads_that_somebody_guesses_at_the_number(
    owner: Owner, client: httpx.AsyncClient
) -> None:
    challenge_id, phone, code = await challenge(client, owner.phone)
    for _ in range(5):
        assert (await answer(client, challenge_id, other(code))).status_code == 422
    assert "codes.refused" not in _actions(await _trail(owner))
    for _ in range(3):
        assert (await answer(client, challenge_id, code)).status_code == 429
    for _ in range(10):
        assert (await login(client, phone, "not the password")).status_code == 401
    for _ in range(3):
        assert (await login(client, phone, "not the password")).status_code == 429
    entries = (await _trail(owner))[:-2]
    assert _actions(entries) == ["password.refused", "codes.refused"]
    for entry in entries:
        assert (entry["user_id"], entry["session_id"], entry["address"]) == (None, None, HERE)
        assert entry["subject_id"] == str(owner.user_id)
        assert entry["data"]["phone"] == mask_phone(phone)


async def _refusals(database: ScratchDatabase, challenge_id: str) -> list[Json]:
    query = "SELECT * FROM audit_entries WHERE action = 'codes.refused' AND subject_id = $1"
    return await look(database, query, UUID(challenge_id))


async def test_what_an_owner_does_with_tenants_and_installations_is_written_down(
    owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    session_id = await _current_session(owner.client)
    await owner.client.patch(f"{API}/tenants/{owner.tenant_id}", json={"name": "Пекарня"})
    await owner.client.patch(f"{API}/tenants/{owner.tenant_id}", json={"locale": "en"})
    label = unique_label()
    for _ in range(2):  # pressed twice, activated once
        body = (await ask(owner, module.id, label, key="pressed")).json()
    await outcome(owner, body["id"])
    path = f"{API}/installations/{body['id']}"
    assert (await owner.client.post(f"{path}/session")).status_code == 200
    for _ in range(2):
        assert (await owner.client.delete(path)).status_code == 204
    entries = (await _trail(owner))[:-2]
    assert _actions(entries) == [
        "installation.removed",
        "installation.entered",
        "installation.activated",
        "tenant.renamed",
    ]
    assert {entry["user_id"] for entry in entries} == {str(owner.user_id)}
    assert {entry["session_id"] for entry in entries} == {session_id}
    assert {entry["subject_id"] for entry in entries[:3]} == {body["id"]}
    assert entries[2]["data"] == {"module": module.id, "host": body["host"]}
    assert entries[3]["data"] == {"name": "Пекарня"}

    second = (await owner.client.post(f"{API}/tenants", json={"name": "Вторая"})).json()["id"]
    (founded,) = (await owner.client.get(f"{API}/tenants/{second}/audit")).json()["items"]
    assert (founded["action"], founded["session_id"]) == ("tenant.created", session_id)


async def test_an_activation_that_fails_is_undone_by_the_platform(
    owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    module.on[REQUESTED] = answers(422)
    body = await activate(owner, module.id)
    assert (await outcome(owner, body["id"]))["status"] == "failed"
    undone = (await _trail(owner))[0]
    assert (undone["action"], undone["subject_id"]) == ("installation.undone", body["id"])
    assert (undone["user_id"], undone["session_id"]) == (None, None)
    assert undone["data"].keys() == {"reason"}


async def test_an_entry_goes_with_its_transaction(core: RunningCore, owner: Owner) -> None:
    before = await _trail(owner)

    async def change_ones_mind() -> None:
        async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as connection:
            await record(connection, "tenant.renamed", tenant_id=owner.tenant_id)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await change_ones_mind()
    assert await _trail(owner) == before


async def test_phones_are_masked_and_secrets_left_out_wherever_they_stand(
    core: RunningCore, owner: Owner
) -> None:
    data: dict[str, Detail] = {
        "phone": owner.phone,
        "note": f"called {owner.phone}",
        "code": "123456",
        "refresh_token": "abc",
        "header": owner.client.headers["Authorization"],
        "count": 3,
        "nothing": None,
    }
    async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as connection:
        by = Actor(address="::ffff:10.0.0.1")
        await record(connection, "tenant.renamed", by=by, tenant_id=owner.tenant_id, data=data)
    entry = (await _trail(owner))[0]
    masked = mask_phone(owner.phone)
    assert entry["data"] == {
        "phone": masked,
        "note": f"called {masked}",
        "code": "[redacted]",
        "refresh_token": "[redacted]",
        "header": "Bearer [redacted]",
        "count": 3,
        "nothing": None,
    }
    assert entry["address"] == "10.0.0.1"
