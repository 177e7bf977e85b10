"""What an owner's change to an endpoint means for what waits for it."""

from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.endpoints import public as endpoints
from tochka_core.endpoints.schemas import WebhookEndpointRead, WebhookEndpointUpdate
from tochka_core.outbound.public import Policy
from tochka_core.tenants.schemas import Member
from tochka_core.webhooks.service import queue


async def update(
    connection: Connection, policy: Policy, member: Member, endpoint_id: UUID, change: WebhookEndpointUpdate
) -> WebhookEndpointRead:
    """Change what is named. A breaker knows nothing of a new address, and is not asked of what its owner has
    enabled.
    """
    if change.url is not None or change.status == "enabled":
        await queue.begin_anew(connection, member.tenant_id, endpoint_id)
    return await endpoints.update(connection, policy, member, endpoint_id, change)
