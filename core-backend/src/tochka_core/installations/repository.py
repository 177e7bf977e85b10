"""Queries on installations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.outbox.schemas import NewEvent

# One statement for all that an activation writes: five slices' rows in one round trip. The constraints
# between them are checked at its end. Whoever races for the host waits here for the first to commit, and
# then inserts nothing at all; a host in quarantine fails the statement.
ACTIVATE = """
    WITH reserved AS (
      INSERT INTO domains (tenant_id, id, host, installation_id, status)
      VALUES ($1, $2, $3, $4, 'reserved')
      ON CONFLICT (host) DO NOTHING
      RETURNING tenant_id
    ), subscribed AS (
      INSERT INTO subscriptions (tenant_id, id, module_id, plan, status, trial_ends_at)
      SELECT tenant_id, $5::uuid, $6::text, $7::text, $8::text, $9::timestamptz FROM reserved
    ), installed AS (
      INSERT INTO installations
        (tenant_id, id, module_id, subscription_id, host, status, requested_by, deadline_at)
      SELECT tenant_id, $4::uuid, $6::text, $5::uuid, $3::text, 'provisioning', $10::uuid, $11::timestamptz
      FROM reserved
      RETURNING created_at
    ), licensed AS (
      INSERT INTO licenses
        (tenant_id, installation_id, subscription_id, module_id, version, status, access, plan, entitlements)
      SELECT tenant_id, $4::uuid, $5::uuid, $6::text, $12::bigint, $8::text, 'full', $7::text, $13::jsonb
      FROM reserved
    ), recorded AS (
      INSERT INTO events (tenant_id, id, type, installation_id, module_id, schema_version, data, deadline_at)
      SELECT tenant_id, $14::uuid, 'installation.requested', $4::uuid, $6::text, $15::smallint, $16::jsonb,
             $11::timestamptz
      FROM reserved
      UNION ALL
      SELECT tenant_id, $17, 'subscription.created', $4, NULL, $18, $19, NULL FROM reserved
    )
    SELECT created_at FROM installed
"""
READ = """
    SELECT id, module_id, subscription_id, host, status, step, failure_code, failure_detail, created_at
    FROM installations WHERE tenant_id = $1 AND id = $2
"""
AT_HOST = """
    SELECT i.id, i.module_id, i.subscription_id, i.host, i.status, i.step, i.failure_code, i.failure_detail,
           i.created_at
    FROM domains d JOIN installations i ON i.tenant_id = d.tenant_id AND i.id = d.installation_id
    WHERE d.tenant_id = $1 AND d.host = $2 AND i.module_id = $3 AND i.status IN ('provisioning', 'live')
"""
PAGE = """
    SELECT id, module_id, subscription_id, host, status, step, failure_code, failure_detail, created_at
    FROM installations
    WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) AND status <> 'gone'
    ORDER BY id DESC LIMIT $3
"""
LOCK = """
    SELECT module_id, subscription_id, status, live_at FROM installations
    WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE
"""
# clock_timestamp(), not now(): waiting for the row's lock takes time, and the deadline does not wait.
MARK_LIVE = """
    WITH live AS (
      UPDATE installations SET status = 'live', live_at = now()
      WHERE tenant_id = $1 AND id = $2 AND status = 'provisioning' AND deadline_at > clock_timestamp()
      RETURNING tenant_id, id, module_id, host
    ), recorded AS (
      INSERT INTO events (tenant_id, id, type, installation_id, schema_version, data)
      SELECT tenant_id, $3, 'installation.live', id, $4,
             jsonb_build_object('module', module_id, 'host', host)
      FROM live
    )
    SELECT id FROM live
"""
NOTE_STEP = """
    UPDATE installations SET step = $3
    WHERE tenant_id = $1 AND id = $2 AND status = 'provisioning' AND step <> $3
"""
FAIL = """
    UPDATE installations SET status = 'failed', failure_code = $3, failure_detail = $4, ended_at = now()
    WHERE tenant_id = $1 AND id = $2 AND status = 'provisioning'
    RETURNING module_id, subscription_id
"""
REMOVE = """
    UPDATE installations SET status = 'gone', ended_at = coalesce(ended_at, now())
    WHERE tenant_id = $1 AND id = $2
"""
STATUS = "SELECT status FROM installations WHERE tenant_id = $1 AND id = $2"
TENANT_OF = "SELECT tenant_id FROM installations WHERE module_id = $1 AND id = $2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """All that an activation writes."""

    tenant_id: UUID
    domain_id: UUID
    host: str
    installation_id: UUID
    subscription_id: UUID
    module_id: str
    plan: str
    subscription_status: str
    trial_ends_at: datetime | None
    requested_by: UUID
    deadline_at: datetime
    license_version: int
    entitlements: dict[str, Any]
    requested: NewEvent
    subscribed: NewEvent


async def activate(connection: Connection, new: Activation) -> datetime | None:
    """Write all of an activation; its time, or None when somebody has the host: then nothing is written."""
    created_at: datetime | None = await connection.fetchval(
        ACTIVATE,
        new.tenant_id,
        new.domain_id,
        new.host,
        new.installation_id,
        new.subscription_id,
        new.module_id,
        new.plan,
        new.subscription_status,
        new.trial_ends_at,
        new.requested_by,
        new.deadline_at,
        new.license_version,
        new.entitlements,
        *(new.requested.id, new.requested.schema_version, new.requested.data),
        *(new.subscribed.id, new.subscribed.schema_version, new.subscribed.data),
    )
    return created_at


async def find(connection: Connection, tenant_id: UUID, installation_id: UUID) -> Any:
    """One installation of the tenant."""
    return await connection.fetchrow(READ, tenant_id, installation_id)


async def find_at_host(connection: Connection, tenant_id: UUID, host: str, module_id: str) -> Any:
    """The tenant's own installation of this module at this host, being provisioned or live."""
    return await connection.fetchrow(AT_HOST, tenant_id, host, module_id)


async def list_installations(
    connection: Connection, tenant_id: UUID, before: UUID | None, limit: int
) -> Sequence[Any]:
    """The tenant's installations but for those that are gone, newest first."""
    return await connection.fetch(PAGE, tenant_id, before, limit)


async def lock(connection: Connection, tenant_id: UUID, installation_id: UUID) -> Any:
    """One installation, held until the transaction ends."""
    return await connection.fetchrow(LOCK, tenant_id, installation_id)


async def mark_live(
    connection: Connection, tenant_id: UUID, installation_id: UUID, event_id: UUID, schema_version: int
) -> bool:
    """Whether it was provisioning, in time, and is live now; then the event says so."""
    values = (tenant_id, installation_id, event_id, schema_version)
    return await connection.fetchval(MARK_LIVE, *values) is not None


async def note_step(connection: Connection, tenant_id: UUID, installation_id: UUID, step: str) -> None:
    """Say how far a provisioning installation has come."""
    await connection.execute(NOTE_STEP, tenant_id, installation_id, step)


async def fail(connection: Connection, tenant_id: UUID, installation_id: UUID, code: str, detail: str) -> Any:
    """Make a provisioning installation a failed one; None when it was not provisioning."""
    return await connection.fetchrow(FAIL, tenant_id, installation_id, code, detail)


async def remove(connection: Connection, tenant_id: UUID, installation_id: UUID) -> None:
    """Make an installation one that is gone."""
    await connection.execute(REMOVE, tenant_id, installation_id)


async def get_status(connection: Connection, tenant_id: UUID, installation_id: UUID) -> str | None:
    """The status alone."""
    status: str | None = await connection.fetchval(STATUS, tenant_id, installation_id)
    return status


async def find_tenant(connection: Connection, module_id: str, installation_id: UUID) -> UUID | None:
    """Whose installation it is, asked as the module."""
    tenant_id: UUID | None = await connection.fetchval(TENANT_OF, module_id, installation_id)
    return tenant_id
