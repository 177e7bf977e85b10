"""Rules of the queue: who hears an event, what an answer means, what a module may read."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from tochka_sdk.db import Connection
from tochka_sdk.events import COMMANDS, Envelope
from tochka_sdk.ids import uuid7

from tochka_core.installations import public as installations
from tochka_core.outbox.events import FOR_ALL_MODULES
from tochka_core.webhooks import repository
from tochka_core.webhooks.errors import FeedCursorInvalid
from tochka_core.webhooks.schedules import REMOVED, Answer, Verdict
from tochka_core.webhooks.schemas import Attempt, Delivery, FailureReport, Feed, NewDelivery

CODE = re.compile(r"[a-z][a-z0-9_.\-]{0,99}")
LATE = FailureReport(
    code="installations.deadline", detail="The module did not get ready in time. The address is free again."
)
REFUSED = FailureReport(code="installations.refused", detail="The module refused the installation.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt and what became of the delivery by it."""

    delivery: Delivery
    attempt: Attempt
    answer: Answer
    verdict: Verdict


async def fan_out(connection: Connection, limit: int) -> int:
    """Make deliveries of the oldest events that have none; how many events there were."""
    events = await repository.claim_events(connection, limit)
    if not events:
        return 0
    routed = [(event, receiver) for event in events for receiver in await _receivers(connection, event)]
    if routed:
        rows = await _counted(connection, routed)
        await repository.queue_up(connection, rows)
        await repository.add_deliveries(connection, rows)
    removed = [(e["tenant_id"], e["installation_id"]) for e in events if e["type"] == REMOVED]
    if removed:
        await repository.cancel_requested(connection, removed)
    await repository.mark_fanned_out(connection, [(event["tenant_id"], event["id"]) for event in events])
    return len(events)


async def _receivers(connection: Connection, event: Any) -> Sequence[str]:
    """The modules that hear the event; news for tenants' own endpoints are heard by none."""
    if event["module_id"] is not None:
        return [event["module_id"]]
    if event["type"] in FOR_ALL_MODULES:
        return await repository.receivers_of(connection, event["tenant_id"])
    return []


async def _counted(connection: Connection, routed: Sequence[tuple[Any, str]]) -> list[NewDelivery]:
    """Deliveries with their numbers: one after the other from where each receiver stands."""
    receivers = [receiver for _, receiver in routed]
    tenants = [event["tenant_id"] for event, _ in routed]
    keys = list(zip(tenants, receivers, strict=True))
    last_position = await repository.take_positions(connection, receivers)
    last_sequence = await repository.take_sequences(connection, tenants, receivers)
    positions, sequences = Counter(receivers), Counter(keys)
    rows = []
    for (event, receiver), key in zip(routed, keys, strict=True):
        positions[receiver] -= 1
        sequences[key] -= 1
        rows.append(
            NewDelivery(
                tenant_id=event["tenant_id"],
                id=uuid7(),
                event_id=event["id"],
                receiver=receiver,
                position=last_position[receiver] - positions[receiver],
                sequence=last_sequence[key] - sequences[key],
                installation_id=event["installation_id"],
                type=event["type"],
                command=event["type"] in COMMANDS,
                deadline_at=event["deadline_at"],
            )
        )
    return rows


async def claim(
    connection: Connection, *, command: bool, share: int, limit: int, without: Sequence[str], lease: timedelta
) -> list[Delivery]:
    """Due deliveries, ours until the lease ends: of every queue whose time has come its share, in turn."""
    return await repository.claim_deliveries(
        connection, command=command, share=share, limit=limit, without=without, lease=lease
    )


async def release(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Give claimed deliveries back."""
    await repository.release(connection, deliveries)


def payload(delivery: Delivery) -> bytes:
    """What is signed and sent."""
    return Envelope(
        id=str(delivery.event_id),
        type=delivery.type,
        timestamp=delivery.occurred_at,
        sequence=delivery.sequence,
        schema_version=delivery.schema_version,
        tenant_id=delivery.tenant_id,
        installation_id=delivery.installation_id,
        receiver=delivery.receiver,
        data=delivery.data,
    ).to_bytes()


def attempt_of(delivery: Delivery, answer: Answer, started_at: datetime, duration: float) -> Attempt:
    """The line of the log for one try."""
    text = answer.body.decode("utf-8", "replace").replace("\x00", "")
    return Attempt(
        tenant_id=delivery.tenant_id,
        id=uuid7(),
        delivery_id=delivery.id,
        number=delivery.attempts,
        started_at=started_at,
        duration_ms=round(duration * 1000),
        response_status=answer.status,
        error=answer.error,
        response_body=text.encode()[:16384].decode("utf-8", "ignore") or None,
    )


async def conclude(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Write what became of several deliveries, and the attempts behind it."""
    settled = [(o.delivery, o.verdict.status) for o in outcomes if o.verdict.delay is None]
    retried = [(o.delivery, o.verdict.delay) for o in outcomes if o.verdict.delay is not None]
    if retried:  # first: it holds queues
        await repository.retry(connection, retried)
    if settled:
        await repository.settle(connection, settled)
    await repository.add_attempts(connection, [o.attempt for o in outcomes])


async def conclude_requested(connection: Connection, outcome: Outcome) -> None:
    """What the answer to `installation.requested` means for the installation, in the same transaction.

    Runs in the tenant's scope. An answer that comes after the deadline changes nothing: the delivery stays
    for whoever undoes the activation.
    """
    tenant_id, installation_id = _subject(outcome.delivery)
    match outcome.verdict.status:
        case "delivered":
            if not await installations.mark_live(connection, tenant_id, installation_id):
                await repository.add_attempts(connection, [outcome.attempt])
                return
        case "accepted":
            await installations.note_step(connection, tenant_id, installation_id, "accepted")
        case "pending":
            await installations.note_step(connection, tenant_id, installation_id, "retrying")
        case "refused":
            why = reason_of(outcome.answer)
            await installations.undo(connection, tenant_id, installation_id, code=why.code, detail=why.detail)
    await conclude(connection, [outcome])


def reason_of(answer: Answer) -> FailureReport:
    """Why a module refused, in its own words if they are words: `code` and `detail` of a problem document."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return REFUSED
    if not isinstance(body, dict):
        return REFUSED
    code, detail = body.get("code"), body.get("detail")
    return FailureReport(
        code=code if isinstance(code, str) and CODE.fullmatch(code) else REFUSED.code,
        detail=detail[:500] if isinstance(detail, str) and detail.strip() else REFUSED.detail,
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


async def feed(connection: Connection, receiver: str, tenant_id: UUID | None, after: str, limit: int) -> Feed:
    """What a receiver has been given after a position: nothing that was committed is ever passed over."""
    rows = await repository.list_feed(connection, receiver, tenant_id, _position(after), limit + 1)
    shown = rows[:limit]
    cursor = str(shown[-1]["cursor"]) if shown else after
    items = [_envelope(row, receiver) for row in shown]
    return Feed(items=items, next_cursor=cursor if len(rows) > limit else None, cursor=cursor)


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise FeedCursorInvalid
    return int(text)


def _envelope(row: Any, receiver: str) -> Envelope:
    return Envelope(
        id=str(row["event_id"]),
        type=row["type"],
        timestamp=row["occurred_at"],
        sequence=row["sequence"],
        schema_version=row["schema_version"],
        tenant_id=row["tenant_id"],
        installation_id=row["installation_id"],
        receiver=receiver,
        data=row["data"],
    )


def _subject(delivery: Delivery) -> tuple[UUID, UUID]:
    """Whose installation a command is about."""
    if delivery.installation_id is None:
        raise LookupError(f"{delivery.type} {delivery.event_id} names no installation")
    return delivery.tenant_id, delivery.installation_id
