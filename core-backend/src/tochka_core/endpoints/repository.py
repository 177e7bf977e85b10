"""Queries on webhook endpoints."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.endpoints.schemas import NewEndpoint, Patience, WebhookEndpointUpdate

LIST = """
    SELECT id, url, description, event_types, schema_version, status, disabled_at, disabled_reason, ordered,
           rate_per_second, concurrency, failing_since, warned_percent, created_at,
           CASE WHEN previous_until > now() THEN previous_until END AS previous_secret_until
    FROM webhook_endpoints WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""
FIND = """
    SELECT id, url, description, event_types, schema_version, status, disabled_at, disabled_reason, ordered,
           rate_per_second, concurrency, failing_since, warned_percent, created_at,
           CASE WHEN previous_until > now() THEN previous_until END AS previous_secret_until
    FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2
"""
# Two that add at once come one after the other: the second sees what the first has left.
LOCK_TENANT = "SELECT id FROM tenants WHERE id = $1 FOR NO KEY UPDATE"
COUNT = "SELECT count(*) FROM webhook_endpoints WHERE tenant_id = $1"
ADD = """
    INSERT INTO webhook_endpoints (tenant_id, id, url, description, event_types, schema_version, ordered,
                                   rate_per_second, concurrency, secret)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
# An endpoint that its owner enables begins anew: what it failed before counts no more.
UPDATE = """
    UPDATE webhook_endpoints SET
      url = coalesce($3, url), description = coalesce($4, description),
      event_types = coalesce($5, event_types), schema_version = coalesce($6, schema_version),
      status = coalesce($7, status), ordered = coalesce($8, ordered),
      rate_per_second = coalesce($9, rate_per_second), concurrency = coalesce($10, concurrency),
      disabled_at = CASE $7::text WHEN 'enabled' THEN NULL
        WHEN 'disabled' THEN coalesce(disabled_at, now()) ELSE disabled_at END,
      disabled_reason = CASE $7::text WHEN 'enabled' THEN NULL
        WHEN 'disabled' THEN coalesce(disabled_reason, 'owner') ELSE disabled_reason END,
      failing_since = CASE WHEN $7 = 'enabled' AND status = 'disabled' THEN NULL ELSE failing_since END,
      failures = CASE WHEN $7 = 'enabled' AND status = 'disabled' THEN 0 ELSE failures END,
      warned_percent = CASE WHEN $7 = 'enabled' AND status = 'disabled' THEN 0 ELSE warned_percent END,
      updated_at = now()
    WHERE tenant_id = $1 AND id = $2 RETURNING id
"""
DELETE = "DELETE FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2 RETURNING url"
ROTATE = """
    UPDATE webhook_endpoints SET previous_secret = CASE WHEN $4 > interval '0' THEN secret END,
      previous_until = CASE WHEN $4 > interval '0' THEN now() + $4 END, secret = $3, updated_at = now()
    WHERE tenant_id = $1 AND id = $2 RETURNING id
"""
RECEIVERS = """
    SELECT tenant_id, id, event_types, ordered FROM webhook_endpoints WHERE tenant_id = ANY($1::uuid[])
    ORDER BY tenant_id, id
"""
DELIVERED = """
    WITH held AS (
      SELECT w.tenant_id, w.id FROM webhook_endpoints w
      JOIN unnest($1::uuid[], $2::uuid[]) AS r(tenant_id, id) ON w.tenant_id = r.tenant_id AND w.id = r.id
      WHERE w.failing_since IS NOT NULL ORDER BY w.tenant_id, w.id FOR NO KEY UPDATE OF w
    )
    UPDATE webhook_endpoints w SET failing_since = NULL, failures = 0, warned_percent = 0 FROM held
    WHERE w.tenant_id = held.tenant_id AND w.id = held.id
"""
# Written only while it tells something new: one of the first failures, or one more step on the way to being
# disabled, whose last takes both the time and the number of failures.
FAILED = """
    WITH held AS (
      SELECT w.tenant_id, w.id, w.warned_percent AS told, least(w.failures + r.failures, $5) AS failures, (
        SELECT coalesce(max(step), 0) FROM unnest($6::smallint[]) AS step
        WHERE now() - w.failing_since >= $4::interval * step / 100
          AND (step < 100 OR w.failures + r.failures >= $5)
      ) AS reached
      FROM webhook_endpoints w
      JOIN unnest($1::uuid[], $2::uuid[], $3::integer[]) AS r(tenant_id, id, failures)
        ON w.tenant_id = r.tenant_id AND w.id = r.id
      WHERE w.status = 'enabled' ORDER BY w.tenant_id, w.id FOR NO KEY UPDATE OF w
    )
    UPDATE webhook_endpoints w SET failing_since = coalesce(w.failing_since, now()),
      failures = held.failures, warned_percent = greatest(held.reached, held.told),
      status = CASE WHEN held.reached >= 100 THEN 'disabled' ELSE w.status END,
      disabled_at = CASE WHEN held.reached >= 100 THEN now() END,
      disabled_reason = CASE WHEN held.reached >= 100 THEN 'failing' END
    FROM held
    WHERE w.tenant_id = held.tenant_id AND w.id = held.id
      AND (w.failures < held.failures OR held.reached > held.told)
    RETURNING w.tenant_id, w.id, w.warned_percent, held.reached > held.told AS is_news
"""
GONE = """
    WITH held AS (
      SELECT w.tenant_id, w.id FROM webhook_endpoints w
      JOIN unnest($1::uuid[], $2::uuid[]) AS r(tenant_id, id) ON w.tenant_id = r.tenant_id AND w.id = r.id
      WHERE w.status = 'enabled' ORDER BY w.tenant_id, w.id FOR NO KEY UPDATE OF w
    )
    UPDATE webhook_endpoints w SET status = 'disabled', disabled_at = now(), disabled_reason = 'gone'
    FROM held WHERE w.tenant_id = held.tenant_id AND w.id = held.id RETURNING w.tenant_id, w.id
"""
Key = tuple[UUID, UUID]
"""`tenant_id, endpoint_id`."""


async def list_endpoints(
    connection: Connection, tenant_id: UUID, after: UUID | None, limit: int
) -> Sequence[Any]:
    """A tenant's endpoints below the id `after`, newest first."""
    return await connection.fetch(LIST, tenant_id, after, limit)


async def find(connection: Connection, tenant_id: UUID, endpoint_id: UUID) -> Any:
    """One endpoint."""
    return await connection.fetchrow(FIND, tenant_id, endpoint_id)


async def count_held(connection: Connection, tenant_id: UUID) -> int:
    """How many endpoints a tenant has; until the transaction ends, nobody else adds one."""
    await connection.fetchval(LOCK_TENANT, tenant_id)
    return int(await connection.fetchval(COUNT, tenant_id))


async def add(connection: Connection, new: NewEndpoint) -> None:
    """Insert an endpoint."""
    await connection.execute(ADD, *(getattr(new, name) for name in NewEndpoint.__slots__))


async def update(
    connection: Connection, tenant_id: UUID, endpoint_id: UUID, change: WebhookEndpointUpdate
) -> bool:
    """Change what is named; whether there is such an endpoint."""
    values = (getattr(change, name) for name in WebhookEndpointUpdate.model_fields)
    return bool(await connection.fetchval(UPDATE, tenant_id, endpoint_id, *values))


async def delete(connection: Connection, tenant_id: UUID, endpoint_id: UUID) -> str | None:
    """Delete an endpoint and its replays; its address, None when there is none."""
    url: str | None = await connection.fetchval(DELETE, tenant_id, endpoint_id)
    return url


async def rotate(
    connection: Connection, tenant_id: UUID, endpoint_id: UUID, secret: bytes, grace: timedelta
) -> bool:
    """Put a new secret in place; whether there is such an endpoint."""
    return bool(await connection.fetchval(ROTATE, tenant_id, endpoint_id, secret, grace))


async def list_receivers(connection: Connection, tenant_ids: Sequence[UUID]) -> Sequence[Any]:
    """The endpoints of several tenants, disabled ones too, oldest first."""
    return await connection.fetch(RECEIVERS, tenant_ids)


async def note_delivered(connection: Connection, keys: Sequence[Key]) -> None:
    """These endpoints took something."""
    await connection.execute(DELIVERED, *_columns(keys))


async def note_failed(connection: Connection, failures: Mapping[Key, int], rule: Patience) -> Sequence[Any]:
    """These endpoints took nothing, so many times each; those that came one step further, and how far."""
    keys = sorted(failures)
    counts = [failures[key] for key in keys]
    rows = await connection.fetch(FAILED, *_columns(keys), counts, rule.time, rule.failures, rule.steps)
    return [row for row in rows if row["is_news"]]


async def note_gone(connection: Connection, keys: Sequence[Key]) -> Sequence[Any]:
    """Disable endpoints that say that they are gone; those that were enabled."""
    return await connection.fetch(GONE, *_columns(keys))


def _columns(keys: Sequence[Key]) -> tuple[list[UUID], list[UUID]]:
    return [key[0] for key in keys], [key[1] for key in keys]
