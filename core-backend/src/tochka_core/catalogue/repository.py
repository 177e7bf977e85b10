"""Queries on modules and plans."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection

from tochka_core.catalogue.models import Module, ModuleVersion, Plan

UPSERT_MODULE = """
    INSERT INTO modules (id, base_url, public_key, version) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE
    SET base_url = excluded.base_url, public_key = excluded.public_key, version = excluded.version,
        updated_at = now()
"""
UPSERT_VERSION = """
    INSERT INTO module_versions (module_id, version, manifest) VALUES ($1, $2, $3)
    ON CONFLICT (module_id, version) DO UPDATE SET manifest = excluded.manifest, fetched_at = now()
"""
# The price is the platform's: a manifest never touches it.
UPSERT_PLANS = """
    INSERT INTO plans (module_id, code, position, name, trial_days, entitlements)
    SELECT $1, code, position, name, trial_days, entitlements
    FROM jsonb_to_recordset($2::jsonb)
      AS p(code text, position smallint, name jsonb, trial_days smallint, entitlements jsonb)
    ON CONFLICT (module_id, code) DO UPDATE
    SET position = excluded.position, name = excluded.name, trial_days = excluded.trial_days,
        entitlements = excluded.entitlements, offered = true
"""
RETIRE_PLANS = "UPDATE plans SET offered = false WHERE module_id = $1 AND code <> ALL($2::text[]) AND offered"
FIND_OFFER = """
    SELECT m.id, p.code, p.trial_days, p.entitlements
    FROM modules m
    LEFT JOIN LATERAL (
      SELECT code, trial_days, entitlements FROM plans
      WHERE module_id = m.id AND offered AND ($2::text IS NULL OR code = $2) ORDER BY position, code LIMIT 1
    ) p ON true
    WHERE m.id = $1 AND m.status = 'published'
"""
FIND_KEY = "SELECT public_key FROM modules WHERE id = $1"


def _with_manifest() -> Any:
    return select(Module, ModuleVersion.manifest).join(
        ModuleVersion, and_(ModuleVersion.module_id == Module.id, ModuleVersion.version == Module.version)
    )


async def list_published(session: AsyncSession, after: str, limit: int) -> Sequence[Row[Any]]:
    """Up to `limit` published modules with their current manifests, by id."""
    statement = _with_manifest().where(Module.status == "published", Module.id > after)
    return (await session.execute(statement.order_by(Module.id).limit(limit))).all()


async def find_published(session: AsyncSession, module_id: str) -> Row[Any] | None:
    """A published module with its current manifest."""
    statement = _with_manifest().where(Module.status == "published", Module.id == module_id)
    return (await session.execute(statement)).one_or_none()


async def list_plans(session: AsyncSession, module_ids: Sequence[str]) -> Sequence[Plan]:
    """The offered plans of several modules, in the order in which they are shown."""
    statement = select(Plan).where(Plan.module_id.in_(module_ids), Plan.offered)
    return (await session.scalars(statement.order_by(Plan.module_id, Plan.position, Plan.code))).all()


async def upsert(
    connection: Connection, module: tuple[str, str, dict[str, Any], str], manifest: dict[str, Any]
) -> None:
    """Write a module (`id, base_url, public_key, version`) and its manifest."""
    await connection.execute(UPSERT_MODULE, *module)
    await connection.execute(UPSERT_VERSION, module[0], module[3], manifest)


async def replace_plans(connection: Connection, module_id: str, plans: list[dict[str, Any]]) -> None:
    """Offer exactly these plans; prices stay, and plans that left stay with those who have them."""
    await connection.execute(UPSERT_PLANS, module_id, plans)
    await connection.execute(RETIRE_PLANS, module_id, [plan["code"] for plan in plans])


async def find_offer(connection: Connection, module_id: str, plan: str | None) -> Any:
    """A published module with the plan asked for, or its first; `code` is NULL when there is no such plan."""
    return await connection.fetchrow(FIND_OFFER, module_id, plan)


async def find_key(connection: Connection, module_id: str) -> dict[str, Any] | None:
    """The public JWK of a module, whatever its status: a withdrawn module still has tenants."""
    key: dict[str, Any] | None = await connection.fetchval(FIND_KEY, module_id)
    return key
