"""Sending again: one delivery, or many by a job that can be taken up where it was left."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.webhooks.repository.columns import values
from tochka_core.webhooks.schemas import NewReplay

# Of what is pending, only what waits to be tried again: it is tried now, and that is no replay.
# One snapshot: what is counted is all that fits up to the last delivery that there is.
COUNT_REPLAYABLE = """
    SELECT count(*) AS total, (
        SELECT coalesce(max(sequence), 0) FROM deliveries WHERE tenant_id = $1 AND receiver = $2::uuid::text
      ) AS until_sequence
    FROM deliveries d
    WHERE tenant_id = $1 AND endpoint_id = $2 AND ($3::timestamptz IS NULL OR created_at >= $3)
      AND ($4::timestamptz IS NULL OR created_at < $4) AND (cardinality($5::text[]) = 0 OR type = ANY($5))
      AND status = ANY($6::text[])
      AND (d.status <> 'pending' OR (d.attempts > 0 AND d.leased_until IS NULL AND isfinite(d.due_at)))
"""
ADD_REPLAY = """
    INSERT INTO replays
      (tenant_id, id, endpoint_id, since, until, event_types, statuses, rate_per_second, delivery_id, total,
       until_sequence)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    RETURNING *
"""
LIST_REPLAYS = """
    SELECT * FROM replays WHERE tenant_id = $1 AND endpoint_id = $2 AND ($3::uuid IS NULL OR id < $3)
    ORDER BY id DESC LIMIT $4
"""
FIND_REPLAY = "SELECT * FROM replays WHERE tenant_id = $1 AND id = $2"
CANCEL_REPLAY = """
    UPDATE replays SET status = 'cancelled', finished_at = now()
    WHERE tenant_id = $1 AND id = $2 AND status = 'running' RETURNING *
"""
DUE_REPLAY = """
    SELECT r.* FROM replays r JOIN webhook_endpoints w ON w.tenant_id = r.tenant_id AND w.id = r.endpoint_id
    WHERE r.status = 'running' AND r.due_at <= now() AND w.status = 'enabled'
    ORDER BY r.due_at LIMIT 1 FOR NO KEY UPDATE OF r SKIP LOCKED
"""
# A look at so many of an endpoint's history, which locks nothing: `reached` is the last of them, or of as
# many that fit as may be sent.
LOOK_ON = """
    WITH seen AS MATERIALIZED (
      SELECT d.sequence,
        ($3::timestamptz IS NULL OR d.created_at >= $3) AND ($4::timestamptz IS NULL OR d.created_at < $4)
        AND (cardinality($5::text[]) = 0 OR d.type = ANY($5)) AND d.status = ANY($6::text[])
        AND (d.status <> 'pending' OR (d.attempts > 0 AND d.leased_until IS NULL AND isfinite(d.due_at)))
          AS fits
      FROM deliveries d WHERE d.tenant_id = $1 AND d.receiver = $2::uuid::text AND d.sequence > $7
        AND d.sequence <= coalesce($10::bigint, 9223372036854775807)
      ORDER BY d.sequence LIMIT $9
    ), fitting AS (SELECT sequence FROM seen WHERE fits ORDER BY sequence LIMIT $8)
    SELECT (SELECT count(*) FROM seen) AS seen, (SELECT count(*) FROM fitting) AS fitting,
      CASE WHEN (SELECT count(*) FROM fitting) = $8 THEN (SELECT max(sequence) FROM fitting)
           ELSE (SELECT max(sequence) FROM seen) END AS reached
"""
# Holds the queue, like everybody who makes deliveries due.
HOLD_QUEUE = """
    INSERT INTO delivery_queues AS q (tenant_id, receiver, command, endpoint_id, due_at)
    VALUES ($1, $2::uuid::text, false, $2, now())
    ON CONFLICT (tenant_id, receiver, command) DO UPDATE SET due_at = least(q.due_at, now())
"""
SEND_AGAIN = """
    WITH chosen AS MATERIALIZED (
      SELECT d.tenant_id, d.id, d.sequence, d.status = 'pending' AS is_tried FROM deliveries d
      WHERE d.tenant_id = $1 AND d.receiver = $2::uuid::text AND d.sequence > $7 AND d.sequence <= $8
        AND ($3::timestamptz IS NULL OR d.created_at >= $3)
        AND ($4::timestamptz IS NULL OR d.created_at < $4)
        AND (cardinality($5::text[]) = 0 OR d.type = ANY($5)) AND d.status = ANY($6::text[])
        AND (d.status <> 'pending' OR (d.attempts > 0 AND d.leased_until IS NULL AND isfinite(d.due_at)))
      ORDER BY d.sequence FOR NO KEY UPDATE
    ), hastened AS (
      UPDATE deliveries d SET due_at = least(d.due_at, now())
      FROM chosen WHERE d.tenant_id = chosen.tenant_id AND d.id = chosen.id AND chosen.is_tried
    ), sent AS (
      UPDATE deliveries d
      SET status = 'pending', attempts = 0, replays = replays + 1, leased_until = NULL,
        finished_at = NULL, due_at = CASE WHEN d.resource IS NOT NULL AND (
            EXISTS (SELECT 1 FROM deliveries p WHERE p.tenant_id = d.tenant_id AND p.receiver = d.receiver
                      AND p.resource = d.resource AND p.status = 'pending')
            OR EXISTS (SELECT 1 FROM chosen c JOIN deliveries p ON p.tenant_id = c.tenant_id AND p.id = c.id
                       WHERE p.resource = d.resource AND c.sequence < d.sequence)
          ) THEN 'infinity'::timestamptz ELSE now() END
      FROM chosen WHERE d.tenant_id = chosen.tenant_id AND d.id = chosen.id AND NOT chosen.is_tried
    )
    SELECT count(*) FROM chosen
"""
SEND_ONE_AGAIN = """
    UPDATE deliveries d
    SET status = 'pending', attempts = CASE WHEN status = 'pending' THEN attempts ELSE 0 END,
      replays = replays + (status <> 'pending')::integer, leased_until = NULL, finished_at = NULL,
      due_at = now()
    WHERE tenant_id = $1 AND id = $2 AND endpoint_id IS NOT NULL
      AND (d.status <> 'pending' OR (d.attempts > 0 AND d.leased_until IS NULL AND isfinite(d.due_at)))
"""
ADVANCE_REPLAY = """
    UPDATE replays SET done = done + $3, last_sequence = $4, due_at = now() + $5::interval,
      status = CASE WHEN $6 THEN 'done' ELSE status END, finished_at = CASE WHEN $6 THEN now() END
    WHERE tenant_id = $1 AND id = $2
"""


async def count_replayable(connection: Connection, wanted: NewReplay) -> tuple[int, int]:
    """How many deliveries a replay would send again now, and the sequence that it would end at."""
    [row] = await connection.fetch(COUNT_REPLAYABLE, *values(wanted)[:6])
    return row["total"], row["until_sequence"]


async def add_replay(
    connection: Connection, replay_id: UUID, wanted: NewReplay, total: int, until_sequence: int | None = None
) -> Any:
    """Write a job; the row."""
    tenant_id, *rest = values(wanted)
    return await connection.fetchrow(ADD_REPLAY, tenant_id, replay_id, *rest, total, until_sequence)


async def list_replays(
    connection: Connection, tenant_id: UUID, endpoint_id: UUID, after: UUID | None, limit: int
) -> Sequence[Any]:
    """An endpoint's jobs, newest first."""
    return await connection.fetch(LIST_REPLAYS, tenant_id, endpoint_id, after, limit)


async def find_replay(connection: Connection, tenant_id: UUID, replay_id: UUID) -> Any:
    """One job."""
    return await connection.fetchrow(FIND_REPLAY, tenant_id, replay_id)


async def cancel_replay(connection: Connection, tenant_id: UUID, replay_id: UUID) -> Any:
    """Stop a running job; None when it is not running."""
    return await connection.fetchrow(CANCEL_REPLAY, tenant_id, replay_id)


async def due_replay(connection: Connection) -> Any:
    """The job whose next portion has been due the longest, held until the transaction ends; none of disabled
    endpoints. None: no job is due.
    """
    return await connection.fetchrow(DUE_REPLAY)


async def look_on(connection: Connection, replay: Any, limit: int) -> Any:
    """What a job finds of its endpoint's history when it looks at so many more: how many it has `seen`, how
    many are `fitting` and may be sent at once, and the sequence that it has `reached` by them.
    """
    rate, until_sequence = replay["rate_per_second"], replay["until_sequence"]
    return await connection.fetchrow(LOOK_ON, *_wanted(replay), rate, limit, until_sequence)


async def send_again(connection: Connection, replay: Any, reached: int) -> int:
    """Make due what a job asks for up to this sequence; how many. Holds the queue."""
    await connection.execute(HOLD_QUEUE, replay["tenant_id"], replay["endpoint_id"])
    return int(await connection.fetchval(SEND_AGAIN, *_wanted(replay), reached))


async def send_one_again(connection: Connection, replay: Any) -> None:
    """Make the one delivery of a job due. Holds the queue."""
    await connection.execute(HOLD_QUEUE, replay["tenant_id"], replay["endpoint_id"])
    await connection.execute(SEND_ONE_AGAIN, replay["tenant_id"], replay["delivery_id"])


def _wanted(replay: Any) -> list[Any]:
    names = ("tenant_id", "endpoint_id", "since", "until", "event_types", "statuses", "last_sequence")
    return [replay[name] for name in names]


async def advance_replay(
    connection: Connection, replay: Any, count: int, last_sequence: int, pause: timedelta, *, done: bool
) -> None:
    """Write down how far a job is."""
    await connection.execute(
        ADVANCE_REPLAY, replay["tenant_id"], replay["id"], count, last_sequence, pause, done
    )
