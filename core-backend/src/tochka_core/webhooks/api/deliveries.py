"""HTTP for owners: what their endpoints were sent, and what they answered."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from tochka_core.paging import Page, PageRequestDep
from tochka_core.tenants.public import AdminConnection
from tochka_core.webhooks.schemas import (
    AttemptRead,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryRead,
    EventType,
    Moment,
    Status,
)
from tochka_core.webhooks.service import history

router = APIRouter(prefix="/deliveries", tags=["webhooks"])


def _filter(
    endpoint_id: UUID | None = None,
    status: Status | None = None,
    type: EventType | None = None,
    event_id: UUID | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> DeliveryFilter:
    return DeliveryFilter(endpoint_id, status, type, event_id, since, until)


@router.get("", operation_id="list_deliveries")
async def list_deliveries(
    door: AdminConnection, asked: PageRequestDep, wanted: Annotated[DeliveryFilter, Depends(_filter)]
) -> Page[DeliveryRead]:
    """Deliveries to the tenant's own endpoints, newest first."""
    return await history.page(door.connection, door.member.tenant_id, asked, wanted)


@router.get("/{delivery_id}", operation_id="get_delivery")
async def get_delivery(door: AdminConnection, delivery_id: UUID) -> DeliveryDetail:
    """One delivery, with the body that was, or will be, sent."""
    return await history.get_delivery(door.connection, door.member.tenant_id, delivery_id)


@router.get("/{delivery_id}/attempts", operation_id="list_attempts")
async def list_attempts(door: AdminConnection, delivery_id: UUID, asked: PageRequestDep) -> Page[AttemptRead]:
    """The requests that were made for a delivery and what came back, newest first."""
    return await history.page_of_attempts(door.connection, door.member.tenant_id, delivery_id, asked)
