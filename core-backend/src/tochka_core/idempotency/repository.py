"""Queries on idempotency keys (user scope)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

# A second claim of a key waits here, on the unique index, until the first transaction has ended. A claim that
# meets a row of its own age takes it over: an expired answer, or one that was never filled in.
CLAIM = """
INSERT INTO idempotency_keys AS k (user_id, key, fingerprint, status, body)
VALUES ($1, $2, $3, 0, 'null')
ON CONFLICT (user_id, key) DO UPDATE SET fingerprint = $3, status = 0, body = 'null', created_at = now()
WHERE k.created_at < now() - $4::interval OR k.status = 0
RETURNING true
"""
READ = "SELECT fingerprint, status, body FROM idempotency_keys WHERE user_id = $1 AND key = $2"
FILL = """
UPDATE idempotency_keys SET fingerprint = $3, status = $4, body = $5 WHERE user_id = $1 AND key = $2
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is stored under a key."""

    fingerprint: str
    status: int
    body: Any


async def claim(connection: Connection, user_id: UUID, key: str, fingerprint: str, ttl: timedelta) -> bool:
    """Whether the key is this transaction's to fill; otherwise somebody's answer stands under it."""
    return bool(await connection.fetchval(CLAIM, user_id, key, fingerprint, ttl))


async def get(connection: Connection, user_id: UUID, key: str) -> Entry:
    """The answer under a key that could not be claimed."""
    row = await connection.fetchrow(READ, user_id, key)
    if row is None:
        raise LookupError("a key that could not be claimed has a row")
    return Entry(row["fingerprint"], row["status"], row["body"])


async def fill(
    connection: Connection, user_id: UUID, key: str, *, fingerprint: str, status: int, body: Any
) -> None:
    """Store the answer under a claimed key."""
    await connection.execute(FILL, user_id, key, fingerprint, status, body)
