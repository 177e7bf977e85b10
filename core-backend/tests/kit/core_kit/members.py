"""Members of a tenant other than its owner: enrolled past the API where only the role matters, or invited."""

from typing import Any

import asyncpg
import httpx
from tochka_stack.testing import ScratchDatabase

from core_kit.people import API, Owner

TENANT_HEADER = "X-Tenant-ID"


async def enrol(database: ScratchDatabase, owner: Owner, person: Owner, role: str) -> dict[str, str]:
    """Make a person a member of somebody's tenant; the header with which they act for it."""
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        await connection.execute(
            "INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, $3)",
            owner.tenant_id,
            person.user_id,
            role,
        )
    finally:
        await connection.close()
    return {TENANT_HEADER: str(owner.tenant_id)}


async def invite(
    owner: Owner, phone: str, role: str = "staff", *, by: Owner | None = None, key: str | None = None
) -> httpx.Response:
    """Invite a phone to the owner's tenant, as the owner or as another member of it."""
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"phone": phone, "role": role}
    path = f"{API}/tenants/{owner.tenant_id}/invitations"
    return await (by or owner).client.post(path, json=body, headers=headers)


async def invited(
    owner: Owner, phone: str, role: str = "staff", *, by: Owner | None = None
) -> dict[str, Any]:
    """Invite a phone and be understood."""
    answer = await invite(owner, phone, role, by=by)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def accept(person: Owner, invitation_id: str) -> httpx.Response:
    """Press «accept»."""
    return await person.client.post(f"{API}/me/invitations/{invitation_id}/accept")


async def join(owner: Owner, person: Owner, role: str = "staff") -> None:
    """Become a member as people do: invited, and accepted."""
    invitation = await invited(owner, person.phone, role)
    answer = await accept(person, invitation["id"])
    assert answer.status_code == 200, answer.text


async def roles(owner: Owner, viewer: Owner | None = None) -> dict[str, str]:
    """Who is what in the owner's tenant, as one of its members sees it."""
    answer = await (viewer or owner).client.get(f"{API}/tenants/{owner.tenant_id}/members")
    assert answer.status_code == 200, answer.text
    return {item["user_id"]: item["role"] for item in answer.json()["items"]}
