"""Members of a tenant other than its owner, enrolled past the API: invitations are another matter."""

import asyncpg
from tochka_stack.testing import ScratchDatabase

from core_kit.people import Owner

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
