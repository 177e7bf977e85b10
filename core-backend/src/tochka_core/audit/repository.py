"""Queries on the trail and on its seals: they add and read, none changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, not_, select
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.db import Connection

from tochka_core.audit.models import AuditEntry
from tochka_core.audit.seals import Head, Seal

# nothing is returned: whoever may add an entry need not be allowed to read it; a trigger lets it wait
RECORD = """
INSERT INTO audit_entries
  (id, tenant_id, user_id, session_id, action, subject_id, address, request_id, data)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
TELL_TENANTS = "SELECT tell_tenants_of_guesses($1, $2, $3, $4, $5, $6)"
RECORD_ONCE = """
INSERT INTO audit_entries (id, action, data) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING
"""

# Of two sealers one would be refused by the key of the position, after all its work: this spares it.
LOCK = "SELECT pg_try_advisory_xact_lock(7310579604951823201)"
HEAD = """
SELECT position, hash, first_number + cardinality(entry_ids) - 1 AS entries, checkpoint
FROM audit_seals ORDER BY position DESC LIMIT 1
"""
BATCH = 500
# The oldest 500 that wait. One whose entry is gone goes on waiting: the verification tells of it. Nothing is
# joined, since a merge would begin with the oldest of all entries.
TAKE = """
WITH oldest AS (
  SELECT w.id FROM audit_waiting w WHERE (SELECT true FROM audit_entries e WHERE e.id = w.id)
  ORDER BY w.id LIMIT 500
), taken AS (
  DELETE FROM audit_waiting w WHERE w.id = ANY (ARRAY(SELECT id FROM oldest)) RETURNING w.id
)
SELECT e.id, e.tenant_id, e.user_id, e.session_id, e.action, e.subject_id, e.address::text AS address,
  e.request_id, e.data, e.occurred_at
FROM audit_entries e WHERE e.id = ANY (ARRAY(SELECT id FROM taken)) ORDER BY e.id
"""
ADD_SEAL = """
INSERT INTO audit_seals
  (position, first_number, entry_ids, leaves, previous_hash, hash, sealed_at, checkpoint)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
SEALS = """
SELECT position, first_number, entry_ids, leaves, previous_hash, hash, sealed_at, checkpoint
FROM audit_seals WHERE position > $1 AND position <= $2 ORDER BY position LIMIT 20
"""
SEALED = """
SELECT e.id, e.tenant_id, e.user_id, e.session_id, e.action, e.subject_id, e.address::text AS address,
  e.request_id, e.data, e.occurred_at
FROM audit_entries e WHERE e.id = ANY ($1::uuid[])
"""
# One statement, one moment: at any of them an entry has one place, in a seal or among those that wait. Places
# are counted, not joined: that is as fast without statistics, and needs no more memory than the server gives.
MISPLACED = """
SELECT id, sum(held) AS held FROM (
  SELECT id, 0 AS held FROM audit_entries
  UNION ALL SELECT unnest(entry_ids), 1 FROM audit_seals
  UNION ALL SELECT id, 1 FROM audit_waiting
) AS places GROUP BY id HAVING sum(held) <> 1 ORDER BY id LIMIT 1000
"""
GONE_WAITING = """
SELECT w.id FROM audit_waiting w WHERE (SELECT true FROM audit_entries e WHERE e.id = w.id) IS NULL
ORDER BY w.id LIMIT 1000
"""
COUNT_WAITING = "SELECT count(*) FROM audit_waiting"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A row of `audit_entries` to be."""

    id: UUID
    tenant_id: UUID | None
    user_id: UUID | None
    session_id: UUID | None
    action: str
    subject_id: UUID | None
    address: str | None
    request_id: str | None
    data: dict[str, Any]


async def add(connection: Connection, new: NewEntry) -> None:
    """Insert an entry in the caller's transaction."""
    await connection.execute(
        RECORD,
        new.id,
        new.tenant_id,
        new.user_id,
        new.session_id,
        new.action,
        new.subject_id,
        new.address,
        new.request_id,
        new.data,
    )


async def tell_tenants(connection: Connection, new: NewEntry, phone: str) -> None:
    """Add a copy of an entry for each tenant of whoever has the phone; the person is its subject there."""
    told = (new.action, new.address, new.request_id, new.data)
    await connection.execute(TELL_TENANTS, new.id, phone, *told)


async def add_once(connection: Connection, entry_id: UUID, action: str, data: dict[str, Any]) -> None:
    """Insert an entry of the platform's that everybody would give the same id; the first does."""
    await connection.execute(RECORD_ONCE, entry_id, action, data)


async def lock(connection: Connection) -> bool:
    """Become the one who seals until the transaction ends; False when another one is."""
    return bool(await connection.fetchval(LOCK))


async def find_end(connection: Connection) -> tuple[Head, str | None]:
    """Where the chain ends, and the checkpoint of its last seal."""
    row = await connection.fetchrow(HEAD)
    if row is None:
        return Head(), None
    return Head(row["position"], row["hash"], row["entries"]), str(row["checkpoint"])


async def find_checkpoint(connection: Connection) -> str | None:
    """The newest checkpoint."""
    return (await find_end(connection))[1]


async def take_waiting(connection: Connection) -> list[dict[str, Any]]:
    """Entries that wait no longer, in the order of their ids: they must be sealed in this transaction."""
    return [dict(row) for row in await connection.fetch(TAKE)]


async def add_seal(connection: Connection, seal: Seal) -> None:
    """Insert a link of the chain; its position can be taken once."""
    await connection.execute(
        ADD_SEAL,
        seal.position,
        seal.first_number,
        seal.entry_ids,
        seal.leaves,
        seal.previous_hash,
        seal.hash,
        seal.sealed_at,
        seal.checkpoint,
    )


async def list_seals(connection: Connection, after: int, last: int) -> list[Seal]:
    """Up to twenty seals behind a position, in their order."""
    return [Seal(**dict(row)) for row in await connection.fetch(SEALS, after, last)]


async def list_sealed(connection: Connection, entry_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """The entries with these ids, as far as they are there."""
    return {row["id"]: dict(row) for row in await connection.fetch(SEALED, entry_ids)}


async def list_misplaced(connection: Connection) -> list[tuple[UUID, int]]:
    """Up to a thousand entries that no seal holds and that do not wait, or several do, with how many do."""
    return [(row["id"], row["held"]) for row in await connection.fetch(MISPLACED)]


async def list_gone(connection: Connection) -> list[UUID]:
    """Up to a thousand entries that wait for a seal and are not there."""
    return [row["id"] for row in await connection.fetch(GONE_WAITING)]


async def count_waiting(connection: Connection) -> int:
    """How many entries wait."""
    return int(await connection.fetchval(COUNT_WAITING) or 0)


async def list_of_tenant(
    session: AsyncSession, tenant_id: UUID, before: UUID | None, limit: int
) -> Sequence[AuditEntry]:
    """A page of a tenant's entries, newest first."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.tenant_id == tenant_id)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return (await session.scalars(query)).all()


async def list_of_person(
    session: AsyncSession, user_id: UUID, before: UUID | None, limit: int
) -> Sequence[AuditEntry]:
    """A page of what a person did, newest first; of a sign-in once, however many tenants were told of it."""
    is_copy = and_(AuditEntry.action == "person.signed_in", AuditEntry.subject_id == user_id)
    query = (
        select(AuditEntry)
        .where(AuditEntry.user_id == user_id, not_(is_copy))
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return (await session.scalars(query)).all()
