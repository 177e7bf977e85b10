"""What modules report on their own, and what happens when they do not in time."""

from dataclasses import dataclass
from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.installations import public as installations
from tochka_core.webhooks.repository import outcomes as repository
from tochka_core.webhooks.schemas import FailureReport

LATE = FailureReport(
    code="installations.deadline", detail="The module did not get ready in time. The address is free again."
)


@dataclass(frozen=True, slots=True)
class Overdue:
    """A command that nobody has answered in time."""

    tenant_id: UUID
    delivery_id: UUID
    installation_id: UUID


async def list_overdue(connection: Connection, limit: int) -> list[Overdue]:
    """Commands whose deadline has passed."""
    rows = await repository.list_overdue(connection, limit)
    return [Overdue(row["tenant_id"], row["id"], row["installation_id"]) for row in rows]


async def expire(connection: Connection, late: Overdue) -> bool:
    """Undo an activation whose deadline has passed, in the tenant's scope; whether there was one to undo."""
    undone = await installations.undo(
        connection, late.tenant_id, late.installation_id, code=LATE.code, detail=LATE.detail
    )
    status = "expired" if undone else "cancelled"
    await repository.settle_one(connection, late.tenant_id, late.delivery_id, status)
    return undone


async def report_ready(connection: Connection, tenant_id: UUID, installation_id: UUID) -> None:
    """A module says that an installation is ready."""
    await installations.report_ready(connection, tenant_id, installation_id)
    await repository.settle_requested(connection, tenant_id, installation_id, "delivered")


async def report_failed(
    connection: Connection, tenant_id: UUID, installation_id: UUID, report: FailureReport
) -> None:
    """A module says that it cannot make an installation."""
    await installations.report_failed(
        connection, tenant_id, installation_id, code=report.code, detail=report.detail
    )
    await repository.settle_requested(connection, tenant_id, installation_id, "refused")
