"""What is signed and sent: the event as its receiver is to see it."""

from typing import Any

from tochka_sdk.events import Envelope

from tochka_core.outbox import public as outbox
from tochka_core.outbox.errors import EventMisshapen
from tochka_core.webhooks.schemas import Delivery


def payload(delivery: Delivery) -> bytes:
    """The body of every attempt, in the version that its receiver wants. It names its receiver, so that a
    copy is good for nobody else. Raises `EventMisshapen` for what must not be sent.
    """
    version, data = outbox.told(
        delivery.type, delivery.data, recorded=delivery.schema_version, wanted=delivery.wanted_version
    )
    return Envelope(
        id=str(delivery.event_id),
        type=delivery.type,
        timestamp=delivery.occurred_at,
        sequence=delivery.sequence,
        schema_version=version,
        tenant_id=delivery.tenant_id,
        installation_id=delivery.installation_id,
        receiver=delivery.receiver,
        data=data,
    ).to_bytes()


def envelope(row: Any, receiver: str) -> Envelope:
    """An event as it was recorded, of a row with its columns and the delivery's `sequence`."""
    return _envelope(row, receiver, row["schema_version"], row["data"])


def shown(row: Any) -> Envelope:
    """What an endpoint was or will be sent; what is sent to nobody is shown as it was recorded."""
    recorded, wanted = row["schema_version"], row["wanted_version"]
    try:
        version, data = outbox.told(row["type"], row["data"], recorded=recorded, wanted=wanted)
    except EventMisshapen:
        return envelope(row, row["receiver"])
    return _envelope(row, row["receiver"], version, data)


def _envelope(row: Any, receiver: str, version: int, data: dict[str, Any]) -> Envelope:
    return Envelope(
        id=str(row["event_id"]),
        type=row["type"],
        timestamp=row["occurred_at"],
        sequence=row["sequence"],
        schema_version=version,
        tenant_id=row["tenant_id"],
        installation_id=row["installation_id"],
        receiver=receiver,
        data=data,
    )
