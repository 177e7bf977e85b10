"""Who reads the trail, who adds to it, and that nobody changes it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from core_kit.codes import look, refusal, statements
from core_kit.members import enrol
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from tochka_core.audit.public import Actor, record
from tochka_sdk.db import Scope
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


def _path(owner: Owner) -> str:
    return f"{API}/tenants/{owner.tenant_id}/audit"


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("admin", 200), ("staff", 403)])
async def test_managers_read_the_trail_of_their_tenant(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase, role: str, status: int
) -> None:
    await enrol(core_database, owner, stranger, role)
    got = await stranger.client.get(_path(owner))
    assert got.status_code == status
    if status == 200:
        assert got.json() == (await owner.client.get(_path(owner))).json()
    else:
        assert refusal(got) == (403, "tenants.role_required")


async def test_a_stranger_reads_nothing_of_it(
    owner: Owner, stranger: Owner, client: httpx.AsyncClient
) -> None:
    for tenant_id in (owner.tenant_id, uuid4()):
        path = f"{API}/tenants/{tenant_id}/audit"
        assert refusal(await stranger.client.get(path)) == (403, "tenants.access_denied")
        assert refusal(await client.get(path)) == (401, "accounts.unauthenticated")
    assert refusal(await client.get(f"{API}/me/audit")) == (401, "accounts.unauthenticated")
    assert refusal(await owner.client.get(f"{API}/tenants/x/audit")) == (422, "tenants.malformed_id")
    mine = {entry["id"] for entry in (await stranger.client.get(f"{API}/me/audit")).json()["items"]}
    theirs = {entry["id"] for entry in (await owner.client.get(f"{API}/me/audit")).json()["items"]}
    assert mine
    assert mine.isdisjoint(theirs)


async def _rename(owner: Owner, times: int) -> None:
    for number in range(times):
        await owner.client.patch(f"{API}/tenants/{owner.tenant_id}", json={"name": f"№ {number}"})


async def test_pages_hold_everything_once_newest_first(owner: Owner, stranger: Owner) -> None:
    await _rename(owner, 3)
    whole = (await owner.client.get(_path(owner))).json()["items"]
    assert [entry["id"] for entry in whole] == sorted((entry["id"] for entry in whole), reverse=True)
    seen: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await owner.client.get(_path(owner), params=query)).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(seen) == 5
    assert seen == whole
    # somebody else's cursor is only a position
    foreign = await stranger.client.get(f"{API}/tenants/{stranger.tenant_id}/audit", params=query)
    assert not {entry["id"] for entry in foreign.json()["items"]} & {entry["id"] for entry in whole}
    assert refusal(await owner.client.get(_path(owner), params={"cursor": "x"}))[0] == 422


@pytest.mark.parametrize("path", ["/tenants/{tenant}/audit", "/me/audit"])
async def test_the_number_of_statements_does_not_grow_with_the_entries(owner: Owner, path: str) -> None:
    counted = []
    for entries in (1, 20):
        await _rename(owner, entries - 1)
        with statements() as seen:
            address = f"{API}{path.format(tenant=owner.tenant_id)}"
            got = await owner.client.get(address, params={"limit": entries})
        assert len(got.json()["items"]) == entries
        counted.append(len(seen))
    assert 0 < counted[0] == counted[1]


ONLY_TRIGGER = "INSERT INTO audit_waiting VALUES (gen_random_uuid())"
ONLY_SOME = {
    "tochka_app": (
        "SELECT FROM audit_seals",
        "INSERT INTO audit_seals DEFAULT VALUES",
        "SELECT FROM audit_waiting",
        "DELETE FROM audit_waiting",
        ONLY_TRIGGER,
    ),
    "tochka_jobs": (ONLY_TRIGGER,),
}
"""What the sealer may, and nobody who serves requests; and what the owner of the tables may."""


@pytest.mark.parametrize("role", ["tochka_app", "tochka_jobs", "tochka_owner"])
async def test_no_role_of_the_core_may_change_or_remove_what_was_recorded_and_sealed(
    owner: Owner, core_database: ScratchDatabase, role: str
) -> None:
    connection = await asyncpg.connect(core_database.dsn(role))
    try:
        for statement in (
            "UPDATE audit_entries SET action = 'x'",
            "DELETE FROM audit_entries",
            "TRUNCATE audit_entries",
            "UPDATE audit_seals SET position = position",
            "DELETE FROM audit_seals",
            "TRUNCATE audit_seals",
            "UPDATE audit_waiting SET id = id",
            "TRUNCATE audit_waiting",
            *ONLY_SOME.get(role, ()),
        ):
            async with connection.transaction():
                await connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(owner.tenant_id))
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                    async with connection.transaction():
                        await connection.execute(statement)
    finally:
        await connection.close()


async def _is_added(core: RunningCore, scope: Scope | None, tenant_id: UUID | None, by: Actor) -> bool:
    connections = core.resources.connections
    door = connections.transaction(scope) if scope else connections.system("adds an entry in no scope")
    try:
        async with door as connection:
            await record(connection, "tenant.renamed", tenant_id=tenant_id, by=by)
    except asyncpg.InsufficientPrivilegeError:
        return False
    return True


async def test_an_entry_can_be_added_only_by_those_whom_it_names(
    core: RunningCore, owner: Owner, stranger: Owner, core_database: ScratchDatabase
) -> None:
    tenant, person = Scope(tenant_id=owner.tenant_id), Scope(user_id=owner.user_id)
    me, another, nobody = Actor(owner.user_id), Actor(stranger.user_id), Actor()
    mine, theirs = owner.tenant_id, stranger.tenant_id
    cases: Sequence[tuple[Scope | None, UUID | None, Actor, bool]] = (
        (tenant, mine, me, True),
        (tenant, mine, nobody, True),
        (tenant, theirs, me, False),
        (tenant, None, me, False),
        (person, None, me, True),
        (person, mine, me, True),
        (person, theirs, me, False),
        (person, mine, another, False),
        (person, mine, nobody, False),
        (person, None, another, False),
        (Scope(module_id="shop"), mine, me, False),
        (None, mine, nobody, False),
        (None, None, me, False),
        (None, None, nobody, True),
    )
    count = "SELECT count(*) AS n FROM audit_entries"
    for scope, tenant_id, by, is_allowed in cases:
        before = (await look(core_database, count))[0]["n"]
        assert await _is_added(core, scope, tenant_id, by) is is_allowed, (scope, tenant_id, by)
        assert (await look(core_database, count))[0]["n"] - before == is_allowed
