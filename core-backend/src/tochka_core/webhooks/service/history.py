"""What a tenant's own endpoints were sent, and what they answered."""

from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.paging import Page, PageRequest
from tochka_core.webhooks.errors import DeliveryUnknown
from tochka_core.webhooks.repository import history as repository
from tochka_core.webhooks.schemas import AttemptRead, DeliveryDetail, DeliveryFilter, DeliveryRead
from tochka_core.webhooks.service.bodies import shown


async def page(
    connection: Connection, tenant_id: UUID, asked: PageRequest, wanted: DeliveryFilter
) -> Page[DeliveryRead]:
    """A page of the tenant's deliveries to its endpoints, newest first."""
    rows = await repository.list_deliveries(connection, tenant_id, asked.after, asked.fetch, wanted)
    return asked.page(rows, lambda row: DeliveryRead.model_validate(dict(row)), lambda row: row["id"])


async def get_delivery(connection: Connection, tenant_id: UUID, delivery_id: UUID) -> DeliveryDetail:
    """One delivery, with its body."""
    row = await _get(connection, tenant_id, delivery_id)
    return DeliveryDetail.model_validate({**row, "body": shown(row)})


async def page_of_attempts(
    connection: Connection, tenant_id: UUID, delivery_id: UUID, asked: PageRequest
) -> Page[AttemptRead]:
    """A page of a delivery's attempts, newest first."""
    await _get(connection, tenant_id, delivery_id)
    rows = await repository.list_attempts(connection, tenant_id, delivery_id, asked.after, asked.fetch)
    return asked.page(rows, lambda row: AttemptRead.model_validate(dict(row)), lambda row: row["id"])


async def _get(connection: Connection, tenant_id: UUID, delivery_id: UUID) -> Any:
    row = await repository.find_delivery(connection, tenant_id, delivery_id)
    if row is None:
        raise DeliveryUnknown
    return row
