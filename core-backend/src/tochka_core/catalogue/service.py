"""Rules of the catalogue: what is shown, what can be had, who a module is."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk import manifest as manifests
from tochka_sdk import tokens
from tochka_sdk.db import Connection
from tochka_sdk.manifest import Manifest

from tochka_core.catalogue import repository
from tochka_core.catalogue.errors import KeyInvalid, ModuleUnknown, PlanUnknown
from tochka_core.catalogue.models import Plan
from tochka_core.catalogue.schemas import ModulePage, ModuleRead, PlanRead

_ID = re.compile(manifests.MODULE_ID)
_PLAN = re.compile(r"^[a-z][a-z0-9_]{0,63}$")
FREE = {"code": "free", "name": {"ru": "Бесплатный", "en": "Free"}, "trial_days": 0}


@dataclass(frozen=True, slots=True)
class RegisteredModule:
    """A module as it now stands in the catalogue."""

    id: str
    version: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A module and the plan under which a tenant takes it."""

    module_id: str
    plan: str
    trial_days: int
    entitlements: Mapping[str, Any]


def is_id(text: str) -> bool:
    """Whether a module could have this id at all."""
    return _ID.fullmatch(text) is not None


async def page(session: AsyncSession, after: str | None, limit: int) -> ModulePage:
    """One page of published modules."""
    rows = await repository.list_published(session, after or "", limit + 1)
    shown = rows[:limit]
    plans = await _plans(session, [row.Module.id for row in shown])
    items = [_read(row, plans[row.Module.id]) for row in shown]
    return ModulePage(items=items, next_cursor=items[-1].id if len(rows) > limit else None)


async def get(session: AsyncSession, module_id: str) -> ModuleRead:
    """One published module."""
    row = await repository.find_published(session, module_id) if is_id(module_id) else None
    if row is None:
        raise ModuleUnknown
    return _read(row, (await _plans(session, [module_id]))[module_id])


async def get_offer(connection: Connection, module_id: str, plan: str | None) -> Offer:
    """What a tenant takes who chooses this module and plan; without a plan, the module's first."""
    if not is_id(module_id):
        raise ModuleUnknown
    if plan is not None and _PLAN.fullmatch(plan) is None:
        plan = ""  # no plan has an empty code: whether the module exists still decides which error it is
    row = await repository.find_offer(connection, module_id, plan)
    if row is None:
        raise ModuleUnknown
    if row["code"] is None:
        raise PlanUnknown
    return Offer(row["id"], row["code"], row["trial_days"], row["entitlements"])


async def register(
    connection: Connection, base_url: str, key: dict[str, Any], manifest: Manifest
) -> RegisteredModule:
    """Enter a module, or bring its entry up to date with a newer manifest."""
    module = (manifest.id, base_url, key, manifest.version)
    await repository.upsert(connection, module, manifest.model_dump(mode="json"))
    await repository.replace_plans(connection, manifest.id, _plans_of(manifest))
    return RegisteredModule(manifest.id, manifest.version)


def public_key(document: Mapping[str, Any]) -> dict[str, Any]:
    """The public JWK to store, `kid` included. A private key is refused: it should never have come here."""
    try:
        key = OKPKey.import_key(dict(document))
        if key.is_private or key.curve_name != tokens.CURVE:
            raise KeyInvalid
        return tokens.public_jwk(key)
    except (JoseError, ValueError, TypeError, KeyError):
        raise KeyInvalid from None


def _plans_of(manifest: Manifest) -> list[dict[str, Any]]:
    """The plans that a manifest suggests; a module that suggests none is free."""
    suggested = [plan.model_dump(mode="json") for plan in manifest.suggested_plans] or [FREE]
    return [
        {**plan, "position": position, "entitlements": manifest.entitlements_of(str(plan["code"]))}
        for position, plan in enumerate(suggested)
    ]


async def _plans(session: AsyncSession, module_ids: Sequence[str]) -> Mapping[str, list[PlanRead]]:
    found: defaultdict[str, list[PlanRead]] = defaultdict(list)
    if module_ids:
        for plan in await repository.list_plans(session, module_ids):
            found[plan.module_id].append(_read_plan(plan))
    return found


def _read_plan(plan: Plan) -> PlanRead:
    return PlanRead.model_validate(plan, from_attributes=True)


def _read(row: Row[Any], plans: list[PlanRead]) -> ModuleRead:
    return ModuleRead.model_validate({**row.manifest, "id": row.Module.id, "plans": plans})
