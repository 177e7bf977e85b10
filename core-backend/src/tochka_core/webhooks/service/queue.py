"""Taking deliveries under leases, keeping them, and giving them back."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.webhooks.repository import queue as repository
from tochka_core.webhooks.schemas import Delivery


async def claim(
    connection: Connection, *, command: bool, share: int, limit: int, without: Sequence[str], lease: timedelta
) -> list[Delivery]:
    """Due deliveries, ours until the lease ends: of every queue whose time has come its share, in turn."""
    return await repository.claim_deliveries(
        connection, command=command, share=share, limit=limit, without=without, lease=lease
    )


async def begin_anew(connection: Connection, tenant_id: UUID, endpoint_id: UUID) -> None:
    """Ask an endpoint at once, whatever its gate knows of it (app role). Before its row is changed: whoever
    concludes deliveries takes the queue first, too.
    """
    await repository.begin_anew(connection, tenant_id, endpoint_id)


async def renew(connection: Connection, deliveries: Sequence[Delivery], lease: timedelta) -> None:
    """A heartbeat: what is still being sent stays ours."""
    await repository.renew(connection, deliveries, lease)


async def give_back(
    connection: Connection, deliveries: Sequence[Delivery], waits: Sequence[timedelta] | None = None
) -> None:
    """Put claimed deliveries back where they stood; their receivers take nothing until `waits` are over."""
    await repository.lower(connection, deliveries, [timedelta()] * len(deliveries), waits)
    await repository.give_back(connection, deliveries)
