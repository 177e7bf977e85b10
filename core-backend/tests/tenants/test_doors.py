"""The doors that other slices use: which tenant a request is for, and in which scope it then runs."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from core_kit.codes import look, refusal
from core_kit.people import Owner
from core_kit.running import RunningCore, serving
from fastapi import FastAPI
from sqlalchemy import text
from tochka_core.accounts.public import PersonDep, UserConnection
from tochka_core.tenants.public import (
    AdminConnection,
    AdminSession,
    MemberDep,
    TenantConnection,
    TenantSession,
)
from tochka_sdk import problems
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

SCOPE = (
    "SELECT current_setting('app.tenant_id', true) AS tenant, current_setting('app.user_id', true) AS person"
)


def _app(core: RunningCore) -> FastAPI:
    """One route per door."""
    app = FastAPI()
    app.state.resources = core.resources
    problems.install(app)

    @app.get("/orm")
    @app.get("/orm/{tenant_id}")
    async def orm(door: TenantSession) -> dict[str, Any]:
        row = (await door.session.execute(text(SCOPE))).mappings().one()
        return {"role": door.member.role, "name": door.member.tenant.name, **row}

    @app.get("/hot")
    @app.get("/hot/{tenant_id}")
    async def hot(door: TenantConnection) -> dict[str, Any]:
        row = await door.connection.fetchrow(SCOPE)
        return {"role": door.member.role, "name": door.member.tenant.name, **dict(row or {})}

    @app.get("/member")
    @app.get("/member/{tenant_id}")
    async def member(found: MemberDep) -> dict[str, Any]:
        return {"role": found.role, "tenant": str(found.tenant_id), "person": str(found.user_id), "name": ""}

    @app.get("/admin-orm")
    async def admin_orm(door: AdminSession) -> str:
        return door.member.role

    @app.get("/admin-hot")
    async def admin_hot(door: AdminConnection) -> str:
        return door.member.role

    @app.get("/person")
    async def person(found: PersonDep, door: UserConnection) -> dict[str, Any]:
        row = await door.connection.fetchrow(SCOPE)
        return {**dict(row or {}), "token": str(found.tenant_id)}

    return app


@pytest.fixture
async def doors(core: RunningCore) -> AsyncIterator[str]:
    """Where the routes are served."""
    async with serving(_app(core)) as url:
        yield url


async def _get(doors: str, person: Owner, path: str, tenant: object = None) -> httpx.Response:
    headers = {"Authorization": person.client.headers["Authorization"]}
    if tenant is not None:
        headers["X-Tenant-ID"] = str(tenant)
    async with httpx.AsyncClient(base_url=doors) as client:
        return await client.get(path, headers=headers)


DOORS = ("/orm", "/hot", "/member")


@pytest.mark.parametrize("door", DOORS)
async def test_path_then_header_then_token_name_the_tenant(doors: str, owner: Owner, door: str) -> None:
    created = await owner.client.post("/api/v1/tenants", json={"name": "Вторая"})
    second = created.json()["id"]
    for path, header, chosen in (
        (door, None, str(owner.tenant_id)),
        (door, second, second),
        (f"{door}/{second}", None, second),
        (f"{door}/{second}", second, second),
    ):
        got = (await _get(doors, owner, path, header)).json()
        assert (got["tenant"], got["person"], got["role"]) == (chosen, str(owner.user_id), "owner")


@pytest.mark.parametrize("door", DOORS)
async def test_every_door_refuses_strangers_contradictions_and_nonsense(
    doors: str, owner: Owner, stranger: Owner, door: str
) -> None:
    foreign = stranger.tenant_id
    for path, header, expected in (
        (f"{door}/{foreign}", None, (403, "tenants.access_denied")),
        (door, foreign, (403, "tenants.access_denied")),
        (door, uuid4(), (403, "tenants.access_denied")),
        (f"{door}/{owner.tenant_id}", foreign, (422, "tenants.contradiction")),
        (f"{door}/{foreign}", owner.tenant_id, (422, "tenants.contradiction")),
        (f"{door}/1", None, (422, "tenants.malformed_id")),
        (door, "1", (422, "tenants.malformed_id")),
    ):
        assert refusal(await _get(doors, owner, path, header)) == expected, (path, header)


@pytest.mark.parametrize("door", ["/admin-orm", "/admin-hot"])
@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("admin", 200), ("staff", 403)])
async def test_some_doors_ask_for_a_role(
    doors: str,
    owner: Owner,
    stranger: Owner,
    core_database: ScratchDatabase,
    door: str,
    role: str,
    status: int,
) -> None:
    query = "INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, $3)"
    await look(core_database, query, owner.tenant_id, stranger.user_id, role)
    got = await _get(doors, stranger, door, owner.tenant_id)
    assert got.status_code == status
    if status == 403:
        assert refusal(got) == (403, "tenants.role_required")


@pytest.mark.parametrize("door", DOORS)
async def test_a_lost_membership_counts_at_once(
    doors: str, owner: Owner, core_database: ScratchDatabase, door: str
) -> None:
    assert (await _get(doors, owner, door)).status_code == 200
    await look(core_database, "DELETE FROM memberships WHERE user_id = $1", owner.user_id)
    assert refusal(await _get(doors, owner, door)) == (403, "tenants.access_denied")


async def test_a_persons_own_door_has_no_tenant(doors: str, owner: Owner) -> None:
    got = (await _get(doors, owner, "/person")).json()
    assert (got["tenant"] or None, got["person"]) == (None, str(owner.user_id))
    assert UUID(got["token"]) == owner.tenant_id


async def test_without_any_tenant_one_has_to_be_named(
    core: RunningCore, doors: str, owner: Owner, core_database: ScratchDatabase
) -> None:
    await look(core_database, "DELETE FROM memberships WHERE user_id = $1", owner.user_id)
    body = (await owner.client.post("/api/v1/auth/refresh")).json()
    assert (body["tenant_id"], body["tenants"]) == (None, [])
    owner.client.headers["Authorization"] = f"Bearer {body['access_token']}"
    assert refusal(await _get(doors, owner, "/hot")) == (422, "tenants.not_chosen")
