"""Changes of role, removals, leaving: an owner always remains, and whoever left can do nothing, at once."""

import asyncio
import json
from collections import Counter
from uuid import uuid4

import httpx
import pytest
from core_kit.activation import activate
from core_kit.codes import look, refusal
from core_kit.members import TENANT_HEADER, enrol, invited, join, roles
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner, sign_up
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
ROLE_REQUIRED = (403, "tenants.role_required")
LAST_OWNER = (409, "tenants.last_owner")


def _path(owner: Owner, person: Owner) -> str:
    return f"{API}/tenants/{owner.tenant_id}/members/{person.user_id}"


async def _appoint(owner: Owner, person: Owner, role: str, *, by: Owner | None = None) -> httpx.Response:
    return await (by or owner).client.patch(_path(owner, person), json={"role": role})


async def _remove(owner: Owner, person: Owner, *, by: Owner | None = None) -> httpx.Response:
    return await (by or owner).client.delete(_path(owner, person))


async def test_an_owner_changes_what_a_member_is(owner: Owner, stranger: Owner) -> None:
    await join(owner, stranger)
    got = await _appoint(owner, stranger, "admin")
    assert got.status_code == 200
    assert got.json().keys() == {"user_id", "name", "phone", "role", "joined_at"}
    assert (got.json()["user_id"], got.json()["role"]) == (str(stranger.user_id), "admin")
    assert (await _appoint(owner, stranger, "admin")).status_code == 200
    assert (await roles(owner))[str(stranger.user_id)] == "admin"
    assert (await _appoint(owner, stranger, "staff")).json()["role"] == "staff"


async def test_nobody_is_made_an_owner_by_a_change_of_role(owner: Owner, stranger: Owner) -> None:
    await join(owner, stranger)
    assert refusal(await _appoint(owner, stranger, "owner")) == (422, "request.invalid")
    assert (await roles(owner))[str(stranger.user_id)] == "staff"


@pytest.mark.parametrize("own", ["staff", "admin"])
async def test_only_an_owner_changes_roles(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase, own: str
) -> None:
    await enrol(core_database, owner, stranger, own)
    before = await roles(owner)
    for person in (owner, stranger):
        assert refusal(await _appoint(owner, person, "admin", by=stranger)) == ROLE_REQUIRED
    assert await roles(owner) == before


REMOVALS = [
    ("owner", "owner", True), ("owner", "admin", True), ("owner", "staff", True),
    ("admin", "owner", False), ("admin", "admin", False), ("admin", "staff", True),
    ("staff", "owner", False), ("staff", "admin", False), ("staff", "staff", False),
]  # fmt: skip


@pytest.mark.parametrize(("own", "other", "allowed"), REMOVALS)
async def test_one_removes_whoever_is_below(
    core: RunningCore,
    owner: Owner,
    stranger: Owner,
    core_database: ScratchDatabase,
    own: str,
    other: str,
    allowed: bool,
) -> None:
    third = await sign_up(core.url)
    await enrol(core_database, owner, stranger, own)
    await enrol(core_database, owner, third, other)
    got = await _remove(owner, third, by=stranger)
    if allowed:
        assert got.status_code == 204
        query = "SELECT data FROM events WHERE tenant_id = $1 AND type = 'member.left'"
        rows = await look(core_database, query, owner.tenant_id)
        assert [json.loads(row["data"]) for row in rows] == [{"user_id": str(third.user_id)}]
    else:
        assert refusal(got) == ROLE_REQUIRED
    assert (str(third.user_id) in await roles(owner)) is not allowed
    await third.client.aclose()


@pytest.mark.parametrize("role", ["staff", "admin", "owner"])
async def test_anyone_leaves_whom_another_owner_remains_after(
    owner: Owner, stranger: Owner, role: str
) -> None:
    await join(owner, stranger, role)
    assert (await _remove(owner, stranger, by=stranger)).status_code == 204
    assert await roles(owner) == {str(owner.user_id): "owner"}
    assert refusal(await _remove(owner, stranger, by=stranger)) == (403, "tenants.access_denied")


async def test_the_last_owner_neither_leaves_nor_becomes_less(owner: Owner, stranger: Owner) -> None:
    await join(owner, stranger, "admin")
    assert refusal(await _remove(owner, owner)) == LAST_OWNER
    for role in ("admin", "staff"):
        assert refusal(await _appoint(owner, owner, role)) == LAST_OWNER
    assert await roles(owner) == {str(owner.user_id): "owner", str(stranger.user_id): "admin"}


async def test_owners_who_leave_or_step_down_at_once_leave_one_behind(
    core: RunningCore, core_database: ScratchDatabase
) -> None:
    people = [await sign_up(core.url) for _ in range(4)]
    for number in range(10):
        first = people[0]
        got = await first.client.post(f"{API}/tenants", json={"name": f"№ {number}"})
        tenant = Owner(first.client, first.user_id, got.json()["id"], first.phone)
        for person in people[1:]:
            await enrol(core_database, tenant, person, "owner")
        leave = [_remove(tenant, person, by=person) for person in people[::2]]
        step_down = [_appoint(tenant, person, "staff", by=person) for person in people[1::2]]
        answers = await asyncio.gather(*leave, *step_down)
        assert sorted(answer.status_code for answer in answers)[-1] == 409
        assert [refusal(answer) for answer in answers if answer.status_code == 409] == [LAST_OWNER]
        query = "SELECT count(*) AS n FROM memberships WHERE tenant_id = $1 AND role = 'owner'"
        assert await look(core_database, query, tenant.tenant_id) == [{"n": 1}]
    for person in people:
        await person.client.aclose()


async def test_two_owners_who_remove_each_other_at_once_leave_one(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase
) -> None:
    for number in range(10):
        got = await owner.client.post(f"{API}/tenants", json={"name": f"№ {number}"})
        tenant = Owner(owner.client, owner.user_id, got.json()["id"], owner.phone)
        await enrol(core_database, tenant, stranger, "owner")
        answers = await asyncio.gather(
            _remove(tenant, stranger, by=owner), _appoint(tenant, owner, "staff", by=stranger)
        )
        assert Counter(answer.is_success for answer in answers) == {True: 1, False: 1}
        assert next(answer for answer in answers if not answer.is_success).status_code == 403
        query = "SELECT count(*) AS n FROM memberships WHERE tenant_id = $1 AND role = 'owner'"
        assert await look(core_database, query, tenant.tenant_id) == [{"n": 1}]


async def test_whoever_is_no_member_cannot_be_changed_or_removed(owner: Owner, stranger: Owner) -> None:
    for path in (_path(owner, stranger), f"{API}/tenants/{owner.tenant_id}/members/{uuid4()}"):
        unknown = (404, "tenants.member_unknown")
        assert refusal(await owner.client.patch(path, json={"role": "staff"})) == unknown
        assert refusal(await owner.client.delete(path)) == unknown
    assert await roles(stranger) == {str(stranger.user_id): "owner"}


async def test_whoever_was_removed_can_do_nothing_with_a_token_that_lives_on(
    owner: Owner, stranger: Owner, module: ScriptedModule
) -> None:
    await join(owner, stranger, "admin")
    body = await activate(owner, module.id)
    fresh = await stranger.client.post(f"{API}/auth/refresh", json={"tenant_id": str(owner.tenant_id)})
    bearer = {"Authorization": f"Bearer {fresh.json()['access_token']}"}
    watched: list[str] = []
    begun = asyncio.Event()

    async def watch() -> None:
        path = f"{API}/installations/{body['id']}/progress"
        async with stranger.client.stream("GET", path, headers=bearer) as answer:
            async for line in answer.aiter_lines():
                watched.append(line)
                begun.set()

    watching = asyncio.create_task(watch())
    await asyncio.wait_for(begun.wait(), 20)
    assert (await stranger.client.get(f"{API}/installations", headers=bearer)).status_code == 200
    assert (await _remove(owner, stranger)).status_code == 204
    denied = (403, "tenants.access_denied")
    tenant = f"{API}/tenants/{owner.tenant_id}"
    for method, path in (
        ("GET", f"{API}/installations"),
        ("POST", f"{API}/installations/{body['id']}/session"),
        ("GET", f"{API}/installations/{body['id']}/progress"),
        ("GET", f"{API}/subscriptions/{body['subscription']['id']}"),
        ("GET", tenant),
        ("GET", f"{tenant}/members"),
        ("GET", f"{tenant}/invitations"),
        ("DELETE", f"{tenant}/members/{owner.user_id}"),
    ):
        assert refusal(await stranger.client.request(method, path, headers=bearer)) == denied, path
    await asyncio.wait_for(watching, 20)  # the stream ends, although the activation has not
    assert not any('"live"' in line for line in watched)
    refused = await stranger.client.post(f"{API}/auth/refresh", json={"tenant_id": str(owner.tenant_id)})
    assert refusal(refused) == denied
    own = await stranger.client.post(f"{API}/auth/refresh", json={"tenant_id": str(stranger.tenant_id)})
    assert own.status_code == 200


async def test_a_role_that_was_lost_counts_at_once(owner: Owner, stranger: Owner) -> None:
    await join(owner, stranger, "admin")
    acting = {TENANT_HEADER: str(owner.tenant_id)}
    path = f"{API}/tenants/{owner.tenant_id}/invitations"
    assert (await stranger.client.get(path, headers=acting)).status_code == 200
    await _appoint(owner, stranger, "staff")
    assert refusal(await stranger.client.get(path, headers=acting)) == ROLE_REQUIRED


async def test_a_person_of_more_tenants_than_are_listed_switches_to_any(
    owner: Owner, core_database: ScratchDatabase
) -> None:
    fill = """
        WITH made AS (
          INSERT INTO tenants (id, name)
          SELECT gen_random_uuid(), 'n' FROM generate_series(1, 120) RETURNING id
        )
        INSERT INTO memberships (tenant_id, user_id, role) SELECT id, $1, 'staff' FROM made
        RETURNING tenant_id
    """
    rows = await look(core_database, fill, owner.user_id)
    for row in sorted(rows, key=lambda row: row["tenant_id"])[::40]:
        wanted = {"tenant_id": str(row["tenant_id"])}
        got = await owner.client.post(f"{API}/auth/refresh", json=wanted)
        assert (got.status_code, got.json()["tenant_id"]) == (200, wanted["tenant_id"])


async def test_members_who_were_invited_by_an_owner_can_become_owners(owner: Owner, stranger: Owner) -> None:
    made = await invited(owner, stranger.phone, "owner")
    assert str(stranger.user_id) not in await roles(owner)  # only the acceptance makes one an owner
    got = await stranger.client.post(f"{API}/me/invitations/{made['id']}/accept")
    assert got.json()["role"] == "owner"
