"""The line of queues: claims under leases, heartbeats, and giving back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

from tochka_core.webhooks.repository.columns import CLAIM, QUEUE, columns, keys
from tochka_core.webhooks.schemas import Delivery

# The owner wants the receiver to be asked anew: what a gate said before counts no more.
BEGIN_ANEW = """
    UPDATE delivery_queues SET epoch = epoch + 1, blocked_until = NULL
    WHERE tenant_id = $1 AND receiver = $2 AND command = false
"""
# Whoever makes a delivery due earlier lowers its queue in the same transaction, and takes the rows of queues
# before those of deliveries, sorted. A claim waits for nobody.
LOWER_QUEUES = """
    WITH held AS MATERIALIZED (
      SELECT q.tenant_id, q.receiver, q.command, r.epoch, r.due_at, r.blocked_until
      FROM delivery_queues q JOIN (
        SELECT tenant_id, receiver, command, min(epoch) AS epoch, clock_timestamp() + min(delay) AS due_at,
               clock_timestamp() + max(wait) AS blocked_until
        FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::integer[], $5::interval[], $6::interval[])
          AS r(tenant_id, receiver, command, epoch, delay, wait)
        GROUP BY tenant_id, receiver, command
      ) r USING (tenant_id, receiver, command)
      ORDER BY q.tenant_id, q.receiver, q.command FOR NO KEY UPDATE OF q
    )
    UPDATE delivery_queues q
    SET due_at = least(q.due_at, held.due_at), blocked_until = CASE WHEN q.epoch = held.epoch
        THEN greatest(q.blocked_until, held.blocked_until) ELSE q.blocked_until END
    FROM held WHERE (q.tenant_id, q.receiver, q.command) = (held.tenant_id, held.receiver, held.command)
"""
# A module that is not in the catalogue has no address: its queues wait until it is.
HOLD_QUEUES = """
    SELECT q.tenant_id, q.receiver, q.command, q.epoch,
           CASE WHEN q.endpoint_id IS NULL THEN 'enabled' ELSE coalesce(e.status, 'deleted') END AS status
    FROM delivery_queues q
    LEFT JOIN modules m ON m.id = q.receiver
    LEFT JOIN webhook_endpoints e ON e.tenant_id = q.tenant_id AND e.id = q.endpoint_id
    WHERE q.command = $1 AND q.ready_at <= now() AND q.receiver <> ALL($3::text[])
      AND (m.id IS NOT NULL OR q.endpoint_id IS NOT NULL)
    ORDER BY q.ready_at LIMIT $2 FOR NO KEY UPDATE OF q SKIP LOCKED
"""
# A statement of its own: what was committed before the queues were held must be seen, or it would be
# forgotten. A lease is the next due time: a dispatcher that dies gives its deliveries back by doing nothing.
# A queue that has more of what is due goes to the end of the line; one whose turn did not come stays. The
# counter ends where its column does: one delivery's must not fail the claim of all.
CLAIM_DELIVERIES = """
    WITH held AS MATERIALIZED (
      SELECT * FROM unnest($1::uuid[], $2::text[], $7::integer[])
        WITH ORDINALITY AS q(tenant_id, receiver, epoch, place)
    ), due AS MATERIALIZED (
      SELECT d.tenant_id, d.id, d.due_at, q.place, q.epoch FROM held q CROSS JOIN LATERAL (
        SELECT tenant_id, id, due_at FROM deliveries
        WHERE tenant_id = q.tenant_id AND receiver = q.receiver AND command = $3 AND status = 'pending'
          AND due_at <= now()
        ORDER BY due_at LIMIT $5 FOR NO KEY UPDATE SKIP LOCKED
      ) d
      LIMIT $4
    ), leased AS (
      UPDATE deliveries d
      SET due_at = now() + $6::interval, leased_until = now() + $6::interval,
        attempts = least(attempts, 32766) + 1
      FROM due WHERE d.tenant_id = due.tenant_id AND d.id = due.id
      RETURNING d.tenant_id, d.id, d.event_id, d.receiver, d.endpoint_id, d.installation_id, d.type,
                d.command, d.sequence, d.attempts, d.deadline_at, d.resource, d.replays, due.due_at,
                due.epoch
    ), stand AS (
      SELECT q.tenant_id, q.receiver, taken.count, (
        SELECT d.due_at FROM deliveries d
        WHERE d.tenant_id = q.tenant_id AND d.receiver = q.receiver AND d.command = $3
          AND d.status = 'pending' AND d.id <> ALL(taken.ids)
        ORDER BY d.due_at LIMIT 1
      ) AS next
      FROM held q CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(array_agg(due.id), '{}') AS ids FROM due WHERE due.place = q.place
      ) taken
    ), moved AS (
      UPDATE delivery_queues q
      SET due_at = CASE WHEN stand.next <= now() THEN CASE WHEN stand.count > 0 THEN now() ELSE q.due_at END
                        ELSE least(stand.next, CASE WHEN stand.count > 0 THEN now() + $6::interval END) END
      FROM stand
      WHERE q.tenant_id = stand.tenant_id AND q.receiver = stand.receiver AND q.command = $3
    )
    SELECT l.*, m.base_url, w.url, w.secret, w.previous_secret, w.previous_until, w.rate_per_second,
           w.concurrency, coalesce(w.schema_version, e.schema_version) AS wanted_version,
           e.data, e.occurred_at, e.schema_version
    FROM leased l JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
    LEFT JOIN modules m ON m.id = l.receiver
    LEFT JOIN webhook_endpoints w ON w.tenant_id = l.tenant_id AND w.id = l.endpoint_id
"""
# What its sender holds stays with it: its answer counts. A thousand at a time, so that it takes no long; the
# last first, so that where order matters, what is left still has its first, who is due.
PUT_ASIDE = """
    WITH aside AS MATERIALIZED (
      SELECT d.tenant_id, d.id, q.status
      FROM unnest($1::uuid[], $2::text[], $3::text[]) AS q(tenant_id, receiver, status)
      CROSS JOIN LATERAL (
        SELECT tenant_id, id FROM deliveries
        WHERE tenant_id = q.tenant_id AND receiver = q.receiver AND command = $4 AND status = 'pending'
          AND (leased_until IS NULL OR leased_until <= now())
        ORDER BY due_at DESC LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
      ) d
      LIMIT 10000
    )
    UPDATE deliveries d SET status = aside.status, leased_until = NULL,
      finished_at = CASE WHEN aside.status = 'held' THEN NULL ELSE now() END
    FROM aside WHERE d.tenant_id = aside.tenant_id AND d.id = aside.id
"""
# At once, if there is more to put aside.
LOOK_AGAIN = """
    UPDATE delivery_queues q SET due_at = coalesce((
      SELECT now() FROM deliveries d
      WHERE d.tenant_id = q.tenant_id AND d.receiver = q.receiver AND d.command = q.command
        AND d.status = 'pending' AND (d.leased_until IS NULL OR d.leased_until <= now())
      LIMIT 1
    ), (
      SELECT d.due_at FROM deliveries d
      WHERE d.tenant_id = q.tenant_id AND d.receiver = q.receiver AND d.command = q.command
        AND d.status = 'pending'
      ORDER BY d.due_at LIMIT 1
    ))
    FROM unnest($1::uuid[], $2::text[]) AS r(tenant_id, receiver)
    WHERE q.tenant_id = r.tenant_id AND q.receiver = r.receiver AND q.command = $3
"""
# A heartbeat waits for nobody: whoever holds a row just writes what became of it.
RENEW = """
    WITH kept AS MATERIALIZED (
      SELECT d.tenant_id, d.id
      FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::smallint[])
        AS r(tenant_id, id, replays, attempts)
      JOIN deliveries d ON d.tenant_id = r.tenant_id AND d.id = r.id
      WHERE d.status = 'pending' AND (d.replays, d.attempts) = (r.replays, r.attempts)
        AND d.leased_until IS NOT NULL
      FOR NO KEY UPDATE OF d SKIP LOCKED
    )
    UPDATE deliveries d SET due_at = now() + $5::interval, leased_until = now() + $5::interval
    FROM kept WHERE d.tenant_id = kept.tenant_id AND d.id = kept.id
"""
# no attempt was made: none is counted
GIVE_BACK = """
    UPDATE deliveries d SET due_at = r.due_at, leased_until = NULL, attempts = d.attempts - 1,
      deferrals = d.deferrals + 1
    FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::smallint[], $5::timestamptz[])
      AS r(tenant_id, id, replays, attempts, due_at)
    WHERE d.tenant_id = r.tenant_id AND d.id = r.id AND d.status = 'pending'
      AND (d.replays, d.attempts) = (r.replays, r.attempts) AND d.leased_until IS NOT NULL
"""
RETRY = """
    UPDATE deliveries d SET due_at = clock_timestamp() + r.delay, leased_until = NULL
    FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::smallint[], $5::interval[])
      AS r(tenant_id, id, replays, attempts, delay)
    WHERE d.tenant_id = r.tenant_id AND d.id = r.id AND d.status = 'pending'
      AND (d.replays, d.attempts) = (r.replays, r.attempts) AND d.leased_until IS NOT NULL
"""
ASIDE = {"disabled": "held", "deleted": "cancelled"}
"""What becomes of deliveries to an endpoint that takes none."""


async def claim_deliveries(
    connection: Connection, *, command: bool, share: int, limit: int, without: Sequence[str], lease: timedelta
) -> list[Delivery]:
    """Up to `limit` due deliveries, at most `share` of one queue, none for the receivers `without`; ours
    until the lease ends.
    """
    held = await connection.fetch(HOLD_QUEUES, command, limit, without)
    if aside := [row for row in held if row["status"] in ASIDE]:
        await _put_aside(connection, aside, command=command)
    claimed = [row for row in held if row["status"] not in ASIDE]
    if not claimed:
        return []
    epochs = [row["epoch"] for row in claimed]
    rows = await connection.fetch(CLAIM_DELIVERIES, *keys(claimed), command, limit, share, lease, epochs)
    return [Delivery(**row) for row in rows]


async def _put_aside(connection: Connection, held: Sequence[Any], *, command: bool) -> None:
    """Keep what is meant for a disabled endpoint; forget what is meant for one that is gone."""
    closed = keys(held)
    await connection.execute(PUT_ASIDE, *closed, [ASIDE[row["status"]] for row in held], command)
    await connection.execute(LOOK_AGAIN, *closed, command)


async def lower(
    connection: Connection,
    deliveries: Sequence[Delivery],
    delays: Sequence[timedelta],
    waits: Sequence[timedelta | None] | None = None,
) -> None:
    """Let queues be looked at when one of these deliveries is due, and not before their receivers' `waits`
    are over. Holds the queues.
    """
    none = [None] * len(deliveries)
    await connection.execute(LOWER_QUEUES, *columns(deliveries, (*QUEUE, "epoch")), delays, waits or none)


async def begin_anew(connection: Connection, tenant_id: UUID, endpoint_id: UUID) -> None:
    """Forget for how long an endpoint takes nothing. Holds the queue."""
    await connection.execute(BEGIN_ANEW, tenant_id, str(endpoint_id))


async def renew(connection: Connection, deliveries: Sequence[Delivery], lease: timedelta) -> None:
    """Hold on to what is being sent: the lease begins anew."""
    await connection.execute(RENEW, *columns(deliveries, CLAIM), lease)


async def give_back(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Put claimed deliveries back where they stood, as if nobody had taken them. Holds no queue: `lower`."""
    await connection.execute(
        GIVE_BACK, *columns(deliveries, CLAIM), [delivery.due_at for delivery in deliveries]
    )


async def retry(connection: Connection, deliveries: Sequence[Delivery], delays: Sequence[timedelta]) -> None:
    """Make deliveries due again after a delay, if they are still ours. Holds no queue: `lower`."""
    await connection.execute(RETRY, *columns(deliveries, CLAIM), delays)
