"""Sending again, under the same `webhook-id`: requests write jobs down, the worker does them bit by bit.

A request needs no right to touch deliveries that way, and a job goes on wherever a worker was stopped.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection
from tochka_sdk.events import Ping
from tochka_sdk.ids import uuid7

from tochka_core.endpoints import public as endpoints
from tochka_core.outbox import public as outbox
from tochka_core.paging import Page, PageRequest
from tochka_core.webhooks.errors import (
    DeliveryUnknown,
    DeliveryUnsettled,
    EndpointDisabled,
    ReplayFinished,
    ReplayUnknown,
)
from tochka_core.webhooks.repository import history
from tochka_core.webhooks.repository import replays as repository
from tochka_core.webhooks.schemas import (
    NewReplay,
    RecoverRequest,
    Replayable,
    ReplayCount,
    ReplayRead,
    ReplayRequest,
)
from tochka_core.webhooks.service import queue

MISSED: list[Replayable] = ["held", "refused", "expired", "pending"]
STRIDE = 2000
"""How many of an endpoint's history a step of a job looks at."""
SECOND = timedelta(seconds=1)


async def send_test(connection: Connection, tenant_id: UUID, endpoint_id: UUID) -> UUID:
    """Record a `ping` for one endpoint; the event's id."""
    await _ready(connection, tenant_id, endpoint_id)
    return await outbox.record(
        connection, tenant_id=tenant_id, type="ping", data=Ping(), endpoint_id=endpoint_id
    )


async def count(
    connection: Connection, tenant_id: UUID, endpoint_id: UUID, asked: ReplayRequest
) -> ReplayCount:
    """How many deliveries a replay would send again now."""
    await endpoints.get(connection, tenant_id, endpoint_id)
    wanted = _wanted(tenant_id, endpoint_id, asked)
    total, _ = await repository.count_replayable(connection, wanted)
    return ReplayCount(total=total)


async def start(
    connection: Connection, tenant_id: UUID, endpoint_id: UUID, asked: ReplayRequest
) -> ReplayRead:
    """Write a job down. It ends at the last delivery that there is now: what comes later is told anyway."""
    await _require_enabled(connection, tenant_id, endpoint_id)
    wanted = _wanted(tenant_id, endpoint_id, asked)
    # first: it may take long, and holds nothing
    total, until_sequence = await repository.count_replayable(connection, wanted)
    await queue.begin_anew(connection, tenant_id, endpoint_id)
    return _read(await repository.add_replay(connection, uuid7(), wanted, total, until_sequence))


async def recover(
    connection: Connection, tenant_id: UUID, endpoint_id: UUID, asked: RecoverRequest
) -> ReplayRead:
    """Send again all that an endpoint has missed since then, and at once what waits to be tried again."""
    missed = ReplayRequest(since=asked.since, until=asked.until, statuses=MISSED)
    return await start(connection, tenant_id, endpoint_id, missed)


async def send_again(connection: Connection, tenant_id: UUID, delivery_id: UUID) -> ReplayRead:
    """Send one delivery again, whatever became of it; or at once, if it waits to be tried again."""
    row = await history.find_delivery(connection, tenant_id, delivery_id)
    if row is None:
        raise DeliveryUnknown
    await _ready(connection, tenant_id, row["endpoint_id"])
    waits_to_be_tried = row["attempts"] > 0 and row["due_at"] is not None
    if row["status"] == "accepted" or (row["status"] == "pending" and not waits_to_be_tried):
        raise DeliveryUnsettled
    wanted = NewReplay(tenant_id, row["endpoint_id"], None, None, [], [row["status"]], 1, delivery_id)
    return _read(await repository.add_replay(connection, uuid7(), wanted, 1))


async def page(
    connection: Connection, tenant_id: UUID, endpoint_id: UUID, asked: PageRequest
) -> Page[ReplayRead]:
    """A page of an endpoint's jobs, newest first."""
    await endpoints.get(connection, tenant_id, endpoint_id)
    rows = await repository.list_replays(connection, tenant_id, endpoint_id, asked.after, asked.fetch)
    return asked.page(rows, _read, lambda row: row["id"])


async def get(connection: Connection, tenant_id: UUID, replay_id: UUID) -> ReplayRead:
    """One job and how far it is."""
    row = await repository.find_replay(connection, tenant_id, replay_id)
    if row is None:
        raise ReplayUnknown
    return _read(row)


async def cancel(connection: Connection, tenant_id: UUID, replay_id: UUID) -> ReplayRead:
    """Stop a job; what it has made due already is sent."""
    row = await repository.cancel_replay(connection, tenant_id, replay_id)
    if row is None:
        await get(connection, tenant_id, replay_id)
        raise ReplayFinished
    return _read(row)


async def advance(connection: Connection) -> bool:
    """Make the next portion of the job that is due first due; whether there was one (jobs role). What it
    looks through is bounded, and the queue is held only for what it sends.
    """
    replay = await repository.due_replay(connection)
    if replay is None:
        return False
    if replay["delivery_id"] is not None:
        await repository.send_one_again(connection, replay)
        await repository.advance_replay(connection, replay, 1, replay["last_sequence"], SECOND, done=True)
        return True
    found = await repository.look_on(connection, replay, STRIDE)
    sent = await repository.send_again(connection, replay, found["reached"]) if found["fitting"] else 0
    rate, last_sequence = replay["rate_per_second"], found["reached"] or replay["last_sequence"]
    done = found["seen"] < STRIDE and found["fitting"] < rate
    await repository.advance_replay(connection, replay, sent, last_sequence, sent / rate * SECOND, done=done)
    return True


async def _ready(connection: Connection, tenant_id: UUID, endpoint_id: UUID) -> None:
    """It takes something, and is to be asked now: somebody waits to see what comes of it. Holds the queue."""
    await _require_enabled(connection, tenant_id, endpoint_id)
    await queue.begin_anew(connection, tenant_id, endpoint_id)


async def _require_enabled(connection: Connection, tenant_id: UUID, endpoint_id: UUID) -> None:
    endpoint = await endpoints.get(connection, tenant_id, endpoint_id)
    if endpoint.status != "enabled":
        raise EndpointDisabled


def _wanted(tenant_id: UUID, endpoint_id: UUID, asked: ReplayRequest) -> NewReplay:
    return NewReplay(
        tenant_id,
        endpoint_id,
        asked.since,
        asked.until,
        sorted(set(asked.event_types)),
        sorted(set(asked.statuses)),
        asked.rate_per_second,
    )


def _read(row: Any) -> ReplayRead:
    return ReplayRead.model_validate(dict(row))
