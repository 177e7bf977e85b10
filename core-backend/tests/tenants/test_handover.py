"""Handing a tenant over takes two steps: an owner offers, a member accepts; one owner before and after."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from core_kit.codes import look, refusal
from core_kit.members import enrol, invited, join, roles
from core_kit.people import API, Owner, sign_up, unique_phone
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
UNKNOWN = (404, "tenants.handover_unknown")


def _path(owner: Owner, step: str = "") -> str:
    return f"{API}/tenants/{owner.tenant_id}/handover{step}"


async def _offer(owner: Owner, person: Owner, *, by: Owner | None = None) -> httpx.Response:
    return await (by or owner).client.put(_path(owner), json={"user_id": str(person.user_id)})


async def _accept(owner: Owner, person: Owner) -> httpx.Response:
    return await person.client.post(_path(owner, "/accept"))


async def test_an_offer_that_is_accepted_changes_the_owner(owner: Owner, stranger: Owner) -> None:
    await join(owner, stranger)
    offered = await _offer(owner, stranger)
    assert offered.status_code == 200
    body: dict[str, Any] = offered.json()
    assert (body["from_user_id"], body["to_user_id"]) == (str(owner.user_id), str(stranger.user_id))
    for person in (owner, stranger):
        assert (await person.client.get(_path(owner))).json() == body
    assert await roles(owner) == {str(owner.user_id): "owner", str(stranger.user_id): "staff"}
    await invited(owner, unique_phone(), "owner")
    got = await _accept(owner, stranger)
    assert (got.status_code, got.json()["role"]) == (200, "owner")
    assert await roles(owner) == {str(owner.user_id): "admin", str(stranger.user_id): "owner"}
    for person in (owner, stranger):
        assert refusal(await person.client.get(_path(owner))) == UNKNOWN
    # what the former owner had offered as an owner is offered no more
    assert (await owner.client.get(f"{API}/tenants/{owner.tenant_id}/invitations")).json()["items"] == []
    assert (await owner.client.delete(f"{API}/tenants/{owner.tenant_id}/members/{owner.user_id}")).is_success


async def test_only_the_member_to_whom_it_is_offered_can_answer(
    core: RunningCore, owner: Owner, stranger: Owner
) -> None:
    third = await sign_up(core.url)
    await join(owner, stranger)
    await join(owner, third, "admin")
    await _offer(owner, stranger)
    for person in (owner, third):
        for step in ("/accept", "/decline"):
            assert refusal(await person.client.post(_path(owner, step))) == UNKNOWN
    assert refusal(await third.client.delete(_path(owner))) == (403, "tenants.role_required")
    assert refusal(await _offer(owner, third, by=third)) == (403, "tenants.role_required")
    assert (await owner.client.get(_path(owner))).json()["to_user_id"] == str(stranger.user_id)
    assert (await roles(owner))[str(owner.user_id)] == "owner"
    await third.client.aclose()


@pytest.mark.parametrize("how", ["withdrawn", "declined", "expired", "replaced", "left", "demoted"])
async def test_an_offer_that_does_not_stand_cannot_be_accepted(
    core: RunningCore, owner: Owner, stranger: Owner, core_database: ScratchDatabase, how: str
) -> None:
    third = await sign_up(core.url)
    await join(owner, stranger)
    await join(owner, third, "owner")
    await _offer(owner, stranger)
    members = f"{API}/tenants/{owner.tenant_id}/members/{owner.user_id}"
    if how == "withdrawn":
        assert (await owner.client.delete(_path(owner))).status_code == 204
        assert refusal(await owner.client.delete(_path(owner))) == UNKNOWN
    elif how == "declined":
        assert (await stranger.client.post(_path(owner, "/decline"))).status_code == 204
    elif how == "expired":
        query = "UPDATE handovers SET expires_at = expires_at - interval '72 hours' WHERE tenant_id = $1"
        await look(core_database, query, owner.tenant_id)
    elif how == "replaced":
        await third.client.patch(members, json={"role": "staff"})
        assert (await _offer(owner, owner, by=third)).status_code == 200
    elif how == "left":
        assert (await third.client.delete(members)).status_code == 204
    else:
        assert (await third.client.patch(members, json={"role": "admin"})).status_code == 200
    before = await roles(owner, third)
    assert refusal(await _accept(owner, stranger)) == UNKNOWN
    assert await roles(owner, third) == before
    await third.client.aclose()


async def test_a_tenant_is_offered_to_members_who_do_not_own_it(owner: Owner, stranger: Owner) -> None:
    assert refusal(await _offer(owner, stranger)) == (404, "tenants.member_unknown")
    assert refusal(await _offer(owner, owner)) == (409, "tenants.already_owner")
    got = await owner.client.put(_path(owner), json={"user_id": str(uuid4())})
    assert refusal(got) == (404, "tenants.member_unknown")
    assert refusal(await owner.client.get(_path(owner))) == UNKNOWN


async def test_twenty_acceptances_at_once_change_the_owner_once(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase
) -> None:
    await join(owner, stranger)
    await _offer(owner, stranger)
    answers = await asyncio.gather(*(_accept(owner, stranger) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 19
    assert await roles(owner) == {str(owner.user_id): "admin", str(stranger.user_id): "owner"}


async def test_an_acceptance_and_a_withdrawal_at_once_leave_one_owner(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase
) -> None:
    for number in range(10):
        got = await owner.client.post(f"{API}/tenants", json={"name": f"№ {number}"})
        tenant = Owner(owner.client, owner.user_id, got.json()["id"], owner.phone)
        await enrol(core_database, tenant, stranger, "staff")
        await _offer(tenant, stranger)
        accepted, withdrawn = await asyncio.gather(
            _accept(tenant, stranger), owner.client.delete(_path(tenant))
        )
        found = await roles(tenant)
        assert sorted(found.values()) in (["admin", "owner"], ["owner", "staff"])
        assert accepted.is_success is (found[str(stranger.user_id)] == "owner")
        assert accepted.is_success is not withdrawn.is_success


async def test_the_event_log_tells_what_both_are_now_and_that_nobody_left(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase
) -> None:
    await join(owner, stranger)
    await _offer(owner, stranger)
    await _accept(owner, stranger)
    query = "SELECT type, data FROM events WHERE tenant_id = $1 AND type LIKE 'member.%' ORDER BY id"
    rows = await look(core_database, query, owner.tenant_id)
    assert [(row["type"], json.loads(row["data"])) for row in rows] == [
        ("member.joined", {"user_id": str(stranger.user_id), "role": "staff"}),
        ("member.changed", {"user_id": str(stranger.user_id), "role": "owner"}),
        ("member.changed", {"user_id": str(owner.user_id), "role": "admin"}),
    ]
