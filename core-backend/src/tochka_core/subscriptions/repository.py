"""Queries on subscriptions and licenses."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection

from tochka_core.subscriptions.models import Subscription

BRIEFS = """
    SELECT id, status, plan, trial_ends_at FROM subscriptions WHERE tenant_id = $1 AND id = ANY($2::uuid[])
"""
CHANGE = """
    UPDATE subscriptions SET status = $3, ended_at = CASE WHEN $3 IN ('canceled', 'void') THEN now() END
    WHERE tenant_id = $1 AND id = $2 AND status = ANY($4::text[])
    RETURNING id, module_id, plan, status, trial_ends_at
"""
LOCK = """
    SELECT status, trial_ends_at FROM subscriptions WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE
"""
# The version only grows, also when the clock was set back or the row comes from a backup.
RELICENSE = """
    UPDATE licenses SET status = $3, access = $4, version = greatest(version + 1, $5), updated_at = now()
    WHERE tenant_id = $1 AND subscription_id = $2
    RETURNING tenant_id, installation_id, module_id, version, status, access, plan, entitlements
"""
LICENSE_OF = """
    SELECT tenant_id, installation_id, module_id, version, status, access, plan, entitlements
    FROM licenses WHERE module_id = $1 AND installation_id = $2
"""


async def list_subscriptions(
    session: AsyncSession, tenant_id: UUID, before: UUID | None, limit: int
) -> Sequence[Subscription]:
    """The tenant's subscriptions, newest first."""
    statement = select(Subscription).where(Subscription.tenant_id == tenant_id)
    if before is not None:
        statement = statement.where(Subscription.id < before)
    return (await session.scalars(statement.order_by(Subscription.id.desc()).limit(limit))).all()


async def find(session: AsyncSession, tenant_id: UUID, subscription_id: UUID) -> Subscription | None:
    """One subscription of the tenant."""
    return await session.get(Subscription, (tenant_id, subscription_id))


async def list_briefs(connection: Connection, tenant_id: UUID, ids: Sequence[UUID]) -> Sequence[Any]:
    """Several subscriptions of the tenant at once."""
    return await connection.fetch(BRIEFS, tenant_id, ids)


async def change(
    connection: Connection, tenant_id: UUID, subscription_id: UUID, status: str, *, of: Sequence[str]
) -> Any:
    """Set the status if it is one `of` these; the subscription as it is now, None if it was not."""
    return await connection.fetchrow(CHANGE, tenant_id, subscription_id, status, of)


async def lock(connection: Connection, tenant_id: UUID, subscription_id: UUID) -> Any:
    """A subscription's status, held until the transaction ends."""
    return await connection.fetchrow(LOCK, tenant_id, subscription_id)


async def relicense(
    connection: Connection, tenant_id: UUID, subscription_id: UUID, status: str, access: str, version: int
) -> Sequence[Any]:
    """Say anew what the installations under a subscription may do."""
    return await connection.fetch(RELICENSE, tenant_id, subscription_id, status, access, version)


async def find_license(connection: Connection, module_id: str, installation_id: UUID) -> Any:
    """What one installation of a module may do."""
    return await connection.fetchrow(LICENSE_OF, module_id, installation_id)
