"""Queries on addresses. Those that precede any scope go through functions that say no more than they must."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

REFUSAL = "SELECT host_refusal($1, NULL)"
RESOLVE = "SELECT tenant_id, installation_id, module_id, base_url, status, access FROM resolve_host($1)"
OPEN = """
    UPDATE domains SET status = 'live', live_at = coalesce(live_at, now())
    WHERE tenant_id = $1 AND installation_id = $2 AND status = 'reserved'
"""
# Only a host that was once live has visitors to protect.
RELEASE = """
    WITH released AS (
      DELETE FROM domains WHERE tenant_id = $1 AND installation_id = $2 RETURNING tenant_id, host, live_at
    )
    INSERT INTO quarantined_hosts (tenant_id, host, free_at)
    SELECT tenant_id, host, now() + $3::interval FROM released WHERE live_at IS NOT NULL
    ON CONFLICT (tenant_id, host) DO UPDATE SET released_at = now(), free_at = excluded.free_at
"""


async def find_refusal(connection: Connection, host: str) -> str | None:
    """Why a stranger cannot have the host: taken, quarantined, or None."""
    reason: str | None = await connection.fetchval(REFUSAL, host)
    return reason


async def resolve(connection: Connection, host: str) -> Any:
    """The installation at a host, whoever's it is."""
    return await connection.fetchrow(RESOLVE, host)


async def open_hosts(connection: Connection, tenant_id: UUID, installation_id: UUID) -> None:
    """Mark the installation's hosts live."""
    await connection.execute(OPEN, tenant_id, installation_id)


async def release(
    connection: Connection, tenant_id: UUID, installation_id: UUID, quarantine: timedelta
) -> None:
    """Let go of the installation's hosts."""
    await connection.execute(RELEASE, tenant_id, installation_id, quarantine)
