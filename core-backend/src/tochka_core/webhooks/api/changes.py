"""HTTP for owners: changing an endpoint, and with it what becomes of what waits for it."""

from uuid import UUID

from fastapi import APIRouter

from tochka_core.endpoints.schemas import WebhookEndpointRead, WebhookEndpointUpdate
from tochka_core.resources import ResourcesDep
from tochka_core.tenants.public import AdminConnection
from tochka_core.webhooks.service import changes

router = APIRouter(prefix="/webhook-endpoints", tags=["webhooks"])


@router.patch("/{endpoint_id}", operation_id="update_webhook_endpoint")
async def update_endpoint(
    door: AdminConnection, resources: ResourcesDep, endpoint_id: UUID, change: WebhookEndpointUpdate
) -> WebhookEndpointRead:
    """Change an endpoint, disable it, or enable it again. At a new address, or enabled, it is asked at once,
    however long it has not answered.
    """
    policy = resources.outbound_policy
    return await changes.update(door.connection, policy, door.member, endpoint_id, change)
