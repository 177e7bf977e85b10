"""What is signed and sent: the event as its receiver is to see it."""

from typing import Any

from tochka_sdk.events import Envelope

from tochka_core.outbox.public import as_version
from tochka_core.webhooks.schemas import Delivery


def payload(delivery: Delivery) -> bytes:
    """The body of every attempt. It names its receiver, so that a copy is good for nobody else."""
    wanted = delivery.wanted_version
    return Envelope(
        id=str(delivery.event_id),
        type=delivery.type,
        timestamp=delivery.occurred_at,
        sequence=delivery.sequence,
        schema_version=min(delivery.schema_version, wanted),
        tenant_id=delivery.tenant_id,
        installation_id=delivery.installation_id,
        receiver=delivery.receiver,
        data=as_version(delivery.type, delivery.data, delivery.schema_version, wanted),
    ).to_bytes()


def envelope(row: Any, receiver: str, wanted: int | None = None) -> Envelope:
    """The same, of a row with the columns of the event and the delivery's `sequence`."""
    version = row["schema_version"]
    wanted = wanted or version
    return Envelope(
        id=str(row["event_id"]),
        type=row["type"],
        timestamp=row["occurred_at"],
        sequence=row["sequence"],
        schema_version=min(version, wanted),
        tenant_id=row["tenant_id"],
        installation_id=row["installation_id"],
        receiver=receiver,
        data=as_version(row["type"], row["data"], version, wanted),
    )
