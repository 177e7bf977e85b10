"""HTTP for modules: their side door, each call with a token that the module signs with its own key."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from tochka_sdk.db import Connection, Scope

from tochka_core.catalogue.public import CallingModule, CallingModuleDep
from tochka_core.installations import public as installations
from tochka_core.installations.errors import InstallationUnknown
from tochka_core.resources import ResourcesDep
from tochka_core.subscriptions import public as subscriptions
from tochka_core.webhooks.schemas import FailureReport, Feed, InstallationState, LicenseRead
from tochka_core.webhooks.service import feed, reports

POSITION = "^[0-9]{1,18}$"  # told to clients; what decides is whether it can be read

router = APIRouter(prefix="/module", tags=["modules"])


@dataclass(frozen=True, slots=True)
class _AsModule:
    """A transaction in the scope of the module that calls."""

    module: CallingModule
    connection: Connection


async def _as_module(resources: ResourcesDep, module: CallingModuleDep) -> AsyncIterator[_AsModule]:
    async with resources.connections.transaction(Scope(module_id=module.id)) as connection:
        yield _AsModule(module, connection)


ModuleConnection = Annotated[_AsModule, Depends(_as_module, scope="function")]


@dataclass(frozen=True, slots=True)
class _About:
    """A transaction in the scope of the tenant whose installation the module reports on."""

    tenant_id: UUID
    installation_id: UUID
    connection: Connection


async def _about(
    resources: ResourcesDep, module: CallingModuleDep, installation_id: UUID
) -> AsyncIterator[_About]:
    """Whose installation it is, asked as the module, comes before the scope in which it is written."""
    async with resources.connections.transaction(Scope(module_id=module.id)) as connection:
        tenant_id = await installations.find_tenant(connection, module.id, installation_id)
    scope = Scope(tenant_id=tenant_id, module_id=module.id)
    async with resources.connections.transaction(scope) as connection:
        yield _About(tenant_id, installation_id, connection)


AboutInstallation = Annotated[_About, Depends(_about, scope="function")]


@router.post("/installations/{installation_id}/ready", operation_id="report_ready")
async def report_ready(door: AboutInstallation) -> InstallationState:
    """The installation that was answered with 202 is ready. 409 when nobody waits for it any more."""
    await reports.report_ready(door.connection, door.tenant_id, door.installation_id)
    return InstallationState(status="live")


@router.post("/installations/{installation_id}/failed", operation_id="report_failed")
async def report_failed(door: AboutInstallation, report: FailureReport) -> InstallationState:
    """The installation that was answered with 202 cannot be made: the activation is undone."""
    await reports.report_failed(door.connection, door.tenant_id, door.installation_id, report)
    return InstallationState(status="failed")


@router.get("/licenses/{installation_id}", operation_id="get_license")
async def get_license(door: ModuleConnection, resources: ResourcesDep, installation_id: UUID) -> LicenseRead:
    """The license of an installation as it stands now, signed afresh."""
    terms = await subscriptions.find_terms(door.connection, door.module.id, installation_id)
    if terms is None:
        raise InstallationUnknown
    return LicenseRead(license=subscriptions.sign(resources, terms))


@router.get("/events", operation_id="list_module_events")
async def list_events(
    door: ModuleConnection,
    after: Annotated[str, Query(max_length=32, json_schema_extra={"pattern": POSITION})] = "0",
    tenant_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> Feed:
    """The module's own events in order: all of them, or one tenant's, for whom `after` is a sequence."""
    return await feed.read(door.connection, door.module.id, tenant_id, after, limit)
