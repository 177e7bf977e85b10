"""What the two databases say, read past all policies: nothing in them may be half of an activation."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from tochka_sdk.db import UNPRUNED

from tests.proof.running import CORE, SHOP, Stack
from tests.proof.waiting import until

UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
"""What asking says as long as the engine is on its way up."""
SETTLE_S = 150.0  # the deadline of an activation, a lease, and the steps after which its undoing is told

CORE_FAULTS: Mapping[str, str] = {
    "an address without an installation that holds it": """
        SELECT d.host, i.status FROM domains d LEFT JOIN installations i ON i.id = d.installation_id
        WHERE i.status IS NULL OR i.status NOT IN ('provisioning', 'live')""",
    "a live installation without its address": """
        SELECT i.host FROM installations i WHERE i.status = 'live' AND 1 <> (
          SELECT count(*) FROM domains d
          WHERE d.tenant_id = i.tenant_id AND d.installation_id = i.id AND d.host = i.host
            AND d.status = 'live')""",
    "an installation whose subscription does not say the same": """
        SELECT i.host, i.status, s.status AS subscription
        FROM installations i LEFT JOIN subscriptions s ON s.id = i.subscription_id
        WHERE s.status IS DISTINCT FROM CASE i.status
          WHEN 'failed' THEN 'void' WHEN 'gone' THEN 'canceled' ELSE 'trialing' END""",
    "an installation whose license does not say the same": """
        SELECT i.host, i.status, l.access
        FROM installations i LEFT JOIN licenses l ON l.installation_id = i.id
        WHERE l.access IS DISTINCT FROM CASE
          WHEN i.status IN ('failed', 'gone') THEN 'closed' ELSE 'full' END""",
    "a subscription or a license without an installation": """
        SELECT id FROM subscriptions s
        WHERE NOT EXISTS (SELECT 1 FROM installations i WHERE i.subscription_id = s.id)
        UNION ALL SELECT installation_id FROM licenses l
        WHERE NOT EXISTS (SELECT 1 FROM installations i WHERE i.id = l.installation_id)""",
    "a failure without a stable code": """
        SELECT host, failure_code FROM installations
        WHERE (status = 'failed') <> (coalesce(failure_code, '') ~ '^[a-z]+[.][a-z_]+$')""",
    "an activation that was not told of once": """
        SELECT i.host, i.status FROM installations i WHERE 1 <> (SELECT count(*) FROM events e
          WHERE e.installation_id = i.id AND e.type = 'installation.requested')""",
    "an undoing that was not told of once, or one that never was": """
        SELECT i.host, i.status FROM installations i
        WHERE (i.status IN ('failed', 'gone'))::int <> (SELECT count(*) FROM events e
          WHERE e.installation_id = i.id AND e.type = 'installation.removed')""",
    "an event for a module with other than one delivery": """
        SELECT e.type, e.installation_id FROM events e
        WHERE e.module_id IS NOT NULL AND e.fanned_out_at IS NOT NULL
          AND 1 <> (SELECT count(*) FROM deliveries d WHERE d.event_id = e.id)""",
    "a hole in a receiver's count": """
        SELECT s.tenant_id, s.last_sequence FROM receiver_sequences s
        CROSS JOIN LATERAL (
          SELECT count(*) AS count, max(d.sequence) AS last FROM deliveries d
          WHERE d.tenant_id = s.tenant_id AND d.receiver = s.receiver) given
        WHERE (s.last_sequence, s.last_sequence) IS DISTINCT FROM (given.count, given.last)""",
    "a name that was live and is free for everybody at once": """
        SELECT i.host FROM installations i
        WHERE i.status = 'gone' AND NOT EXISTS (SELECT 1 FROM quarantined_hosts q WHERE q.host = i.host)""",
    "a live installation whose command was not answered with yes": """
        SELECT i.host, d.status FROM installations i JOIN deliveries d ON d.installation_id = i.id
        WHERE i.status = 'live' AND d.type = 'installation.requested' AND d.status <> 'delivered'""",
    "a person with other than one business and one membership of it": """
        SELECT u.phone FROM users u
        WHERE 1 <> (SELECT count(*) FROM memberships m JOIN tenants t ON t.id = m.tenant_id
                    WHERE m.user_id = u.id AND m.role = 'owner')""",
    "a business without an owner": """
        SELECT t.name FROM tenants t
        WHERE NOT EXISTS (SELECT 1 FROM memberships m WHERE m.tenant_id = t.id)""",
}
UNSETTLED = """
    SELECT (SELECT count(*) FROM installations WHERE status = 'provisioning') AS provisioning,
           (SELECT count(*) FROM events WHERE fanned_out_at IS NULL) AS waiting,
           (SELECT count(*) FROM deliveries WHERE status IN ('pending', 'accepted')) AS deliveries
"""
INSTALLATIONS = "SELECT id::text, tenant_id::text, host, status, failure_code FROM installations"
SHOP_ROWS = """
    SELECT installation_id::text AS id, count(*) AS count FROM {table} GROUP BY installation_id
"""
SHOP_TABLES = ("shop_settings", "order_counters", "categories")
SHOP_INSTALLATIONS = """
    SELECT i.installation_id::text AS id, i.status,
           (SELECT array_agg(h.host) FROM tochka_hosts h
            WHERE h.installation_id = i.installation_id AND h.is_active) AS hosts
    FROM tochka_installations i
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """One row of the core's."""

    id: str
    tenant_id: str
    host: str
    status: str
    failure_code: str | None

    @property
    def label(self) -> str:
        """The label of its address."""
        return self.host.partition(".")[0]


@asynccontextmanager
async def administrator(stack: Stack, database: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection that sees everything."""
    connection = await asyncpg.connect(stack.dsn(database), timeout=30, server_settings=UNPRUNED)
    try:
        yield connection
    finally:
        await connection.close()


async def rows(stack: Stack, database: str, query: str) -> list[dict[str, Any]]:
    """The rows of a query."""
    async with administrator(stack, database) as connection:
        return [dict(row) for row in await connection.fetch(query)]


async def installations(stack: Stack) -> list[Installation]:
    """Every installation there is or was."""
    return [Installation(**row) for row in await rows(stack, CORE, INSTALLATIONS)]


async def settled(stack: Stack, seconds: float = SETTLE_S) -> None:
    """Wait until nothing is under way any more: every activation has ended, every command is answered."""
    last: dict[str, Any] = {}

    async def is_settled() -> bool:
        try:
            last.update((await rows(stack, CORE, UNSETTLED))[0])
        except UNREACHABLE:
            return False
        return not any(last.values())

    try:
        await until(is_settled, "everything is settled", seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}; still open: {last}") from None


async def faults_of_core(stack: Stack) -> dict[str, list[dict[str, Any]]]:
    """What is wrong in the core's database; empty when nothing is half."""
    async with administrator(stack, CORE) as connection:
        found = {what: await connection.fetch(query) for what, query in CORE_FAULTS.items()}
    return {what: [dict(row) for row in faults] for what, faults in found.items() if faults}


async def faults_of_shop(stack: Stack) -> list[str]:
    """Where the shop's database says something else than the core's."""
    ours = {one.id: one for one in await installations(stack)}
    wrong = []
    async with administrator(stack, SHOP) as connection:
        for table in SHOP_TABLES:
            found = await connection.fetch(SHOP_ROWS.format(table=table))
            counts = {row["id"]: row["count"] for row in found}
            wrong += [f"{table}: {line}" for line in _counted(ours, counts)]
        known = {row["id"]: row for row in await connection.fetch(SHOP_INSTALLATIONS)}
    for one in ours.values():
        row = known.pop(one.id, None)
        status, hosts = (row["status"], row["hosts"]) if row else (None, None)
        if one.status == "live" and (status, hosts) != ("live", [one.host]):
            wrong.append(f"{one.host} is live, and the shop has it as {status} at {hosts}")
        if one.status in {"failed", "gone"} and status not in (None, "removed"):
            wrong.append(f"{one.host} is {one.status}, and the shop has it as {status}")
    return wrong + [f"the shop has an installation {id} that the core never made" for id in known]


def _counted(ours: Mapping[str, Installation], counts: Mapping[str, int]) -> list[str]:
    """One row for every live installation, none for any other."""
    live = {one.id: one.host for one in ours.values() if one.status == "live"}
    return [
        *(f"{counts.get(id, 0)} rows for live {host}" for id, host in live.items() if counts.get(id) != 1),
        *(f"{counts[id]} rows for {id}, which is not live" for id in counts.keys() - live.keys()),
    ]
