"""Tenants: found one, see one's own, change them by role; nobody else's, in no way."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from core_kit.codes import look, refusal, statements
from core_kit.people import API, Owner
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _join(database: ScratchDatabase, person: Owner, tenant_id: UUID, role: str) -> None:
    """Make somebody a member, whatever the role."""
    query = "INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, $3)"
    await look(database, query, tenant_id, person.user_id, role)


async def test_a_person_founds_one_more_tenant_and_owns_it(
    owner: Owner, core_database: ScratchDatabase
) -> None:
    got = await owner.client.post(f"{API}/tenants", json={"name": "  Вторая лавка ", "locale": "en"})
    assert got.status_code == 201
    body = got.json()
    assert body.keys() == {"id", "name", "locale", "role", "created_at"}
    assert (body["name"], body["locale"], body["role"]) == ("Вторая лавка", "en", "owner")
    assert (await owner.client.get(f"{API}/tenants/{body['id']}")).json() == body
    listed = (await owner.client.get(f"{API}/tenants")).json()
    assert [item["id"] for item in listed["items"]] == [str(owner.tenant_id), body["id"]]
    events = await look(core_database, "SELECT type FROM events WHERE tenant_id = $1", UUID(body["id"]))
    assert [event["type"] for event in events] == ["tenant.created"]


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "  "}, {"name": "x" * 121}, {"name": "a\x00"}, {"name": "a", "locale": "de"}],
)
async def test_a_tenant_without_a_proper_name_is_refused(owner: Owner, body: dict[str, str]) -> None:
    assert refusal(await owner.client.post(f"{API}/tenants", json=body)) == (422, "request.invalid")
    assert len((await owner.client.get(f"{API}/tenants")).json()["items"]) == 1


async def test_ones_tenants_come_in_pages(owner: Owner, stranger: Owner) -> None:
    made = [str(owner.tenant_id)]
    for number in range(4):
        made.append((await owner.client.post(f"{API}/tenants", json={"name": f"№ {number}"})).json()["id"])
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await owner.client.get(f"{API}/tenants", params=query)).json()
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == made
    # somebody else's cursor is only a position: it shows nothing of theirs
    foreign = await stranger.client.get(f"{API}/tenants", params={"cursor": query["cursor"]})
    assert not {item["id"] for item in foreign.json()["items"]} & set(made)


async def test_a_change_is_told_to_modules_when_it_is_the_name(
    owner: Owner, core_database: ScratchDatabase
) -> None:
    path = f"{API}/tenants/{owner.tenant_id}"
    got = await owner.client.patch(path, json={"name": "Новое имя"})
    assert (got.status_code, got.json()["name"], got.json()["locale"]) == (200, "Новое имя", "ru")
    assert (await owner.client.patch(path, json={"locale": "en"})).json()["name"] == "Новое имя"
    assert (await owner.client.patch(path, json={})).json()["locale"] == "en"
    events = await look(
        core_database,
        "SELECT data FROM events WHERE tenant_id = $1 AND type = 'tenant.updated'",
        owner.tenant_id,
    )
    assert len(events) == 1
    assert "Новое имя" in events[0]["data"]


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("admin", 200), ("staff", 403)])
async def test_the_role_decides_who_may_change_a_tenant(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase, role: str, status: int
) -> None:
    await _join(core_database, stranger, owner.tenant_id, role)
    path = f"{API}/tenants/{owner.tenant_id}"
    assert (await stranger.client.get(path)).json()["role"] == role
    got = await stranger.client.patch(path, json={"name": "Чужое"})
    assert got.status_code == status
    if status == 403:
        assert refusal(got) == (403, "tenants.role_required")
        assert (await owner.client.get(path)).json()["name"] != "Чужое"


async def test_members_are_seen_by_members_and_phones_by_managers(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase
) -> None:
    await _join(core_database, stranger, owner.tenant_id, "staff")
    path = f"{API}/tenants/{owner.tenant_id}/members"
    seen = (await owner.client.get(path)).json()["items"]
    assert {(item["user_id"], item["role"], item["phone"]) for item in seen} == {
        (str(owner.user_id), "owner", owner.phone),
        (str(stranger.user_id), "staff", stranger.phone),
    }
    masked = (await stranger.client.get(path)).json()["items"]
    assert owner.phone not in {item["phone"] for item in masked}
    assert all(
        item["phone"].endswith(owner.phone[-4:]) or item["user_id"] != str(owner.user_id) for item in masked
    )
    first = (await owner.client.get(path, params={"limit": 1})).json()
    second = (await owner.client.get(path, params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [*first["items"], *second["items"]] == seen
    assert second["next_cursor"] is None


CALLS = [("GET", ""), ("PATCH", ""), ("GET", "/members")]


@pytest.mark.parametrize(("method", "rest"), CALLS)
async def test_a_stranger_gets_nowhere_and_changes_nothing(
    owner: Owner, stranger: Owner, client: httpx.AsyncClient, method: str, rest: str
) -> None:
    before = (await owner.client.get(f"{API}/tenants/{owner.tenant_id}")).json()
    for tenant_id in (owner.tenant_id, uuid4()):
        path = f"{API}/tenants/{tenant_id}{rest}"
        body = {"name": "Захват"} if method == "PATCH" else None
        got = await stranger.client.request(method, path, json=body)
        assert refusal(got) == (403, "tenants.access_denied")
        assert refusal(await client.request(method, path, json=body)) == (401, "accounts.unauthenticated")
    assert (await owner.client.get(f"{API}/tenants/{owner.tenant_id}")).json() == before


MALFORMED = [
    "1", "x", "00000000-0000-0000-0000-00000000000g", "{1b4e28ba-2fa1-11d2-883f-0016d3cca427}",
    "1b4e28ba2fa111d2883f0016d3cca427", "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427", "%00", "..%2f",
]  # fmt: skip


@pytest.mark.parametrize("wrong", MALFORMED)
async def test_a_malformed_tenant_id_is_refused_in_path_and_header(owner: Owner, wrong: str) -> None:
    got = await owner.client.get(f"{API}/tenants/{wrong}/members")
    assert got.status_code in (404, 422)
    if "%2f" not in wrong:
        assert refusal(got) == (422, "tenants.malformed_id")
    path = f"{API}/tenants/{owner.tenant_id}"
    in_header = await owner.client.get(path, headers={"X-Tenant-ID": wrong})
    assert refusal(in_header) == (422, "tenants.malformed_id")


async def test_path_and_header_must_agree(owner: Owner, stranger: Owner) -> None:
    path = f"{API}/tenants/{owner.tenant_id}"
    agreeing = await owner.client.get(path, headers={"X-Tenant-ID": str(owner.tenant_id).upper()})
    assert agreeing.status_code == 200
    second = (await owner.client.post(f"{API}/tenants", json={"name": "Вторая"})).json()["id"]
    for other in (second, str(stranger.tenant_id), str(uuid4())):
        got = await owner.client.get(path, headers={"X-Tenant-ID": other})
        assert refusal(got) == (422, "tenants.contradiction")
    twice = [("X-Tenant-ID", str(owner.tenant_id)), ("X-Tenant-ID", second)]
    headers = [("Authorization", owner.client.headers["Authorization"]), *twice]
    got = await owner.client.get(path, headers=headers)
    assert refusal(got) == (422, "tenants.contradiction")


async def test_the_number_of_statements_does_not_grow_with_the_members(
    owner: Owner, core_database: ScratchDatabase
) -> None:
    counted = []
    for people in (1, 20):
        have = len((await owner.client.get(f"{API}/tenants/{owner.tenant_id}/members")).json()["items"])
        for _ in range(people - have):
            person = uuid4()
            phone = f"+7998{person.int % 10_000_000:07d}"
            await look(core_database, "INSERT INTO users (id, phone) VALUES ($1, $2)", person, phone)
            query = "INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, 'staff')"
            await look(core_database, query, owner.tenant_id, person)
        with statements() as seen:
            got = await owner.client.get(f"{API}/tenants/{owner.tenant_id}/members")
        assert len(got.json()["items"]) == people
        counted.append(len(seen))
    assert 0 < counted[0] == counted[1]
