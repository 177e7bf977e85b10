"""Queries on changes of phones that are pending."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tochka_sdk.db import Connection

ADD_CHANGE = """
INSERT INTO phone_changes (user_id, id, phone, asked_in, created_at, due_at, notice_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
FIND_CHANGE = """
SELECT id, phone, asked_in, due_at, notice_at FROM phone_changes
WHERE user_id = $1 AND id = $2 AND closed_at IS NULL FOR NO KEY UPDATE
"""
CLOSE_CHANGE = """
UPDATE phone_changes SET closed_at = $3, outcome = $4, notice_at = NULL
WHERE user_id = $1 AND id = $2 AND closed_at IS NULL RETURNING phone, asked_in
"""
CLOSE_CHANGES = """
UPDATE phone_changes SET closed_at = $2, outcome = $3, notice_at = NULL
WHERE user_id = $1 AND closed_at IS NULL
"""
CLOSE_ASKED_IN = """
UPDATE phone_changes SET closed_at = $3, outcome = 'cancelled', notice_at = NULL
WHERE user_id = $1 AND closed_at IS NULL AND asked_in = $2 RETURNING id, phone
"""
CLOSE_ASKED_ELSEWHERE = """
UPDATE phone_changes SET closed_at = $3, outcome = 'cancelled', notice_at = NULL
WHERE user_id = $1 AND closed_at IS NULL AND asked_in IS DISTINCT FROM $2 RETURNING id, phone
"""
# Of which nobody could be told, those that have waited twice as long.
DUE_CHANGES = """
SELECT user_id, id FROM phone_changes
WHERE closed_at IS NULL AND due_at <= $1 AND (notice_at IS NULL OR due_at <= $1::timestamptz - $2::interval)
ORDER BY due_at LIMIT 50
"""
# A lease: whoever dies while telling leaves it to somebody else, later.
CLAIM_NOTICES = """
WITH due AS (
  SELECT user_id, id FROM phone_changes WHERE notice_at <= $1 ORDER BY notice_at LIMIT 50
  FOR UPDATE SKIP LOCKED)
UPDATE phone_changes c SET notice_at = $1::timestamptz + $2::interval FROM due
WHERE c.user_id = due.user_id AND c.id = due.id
RETURNING c.user_id, c.id, c.phone
"""
NOTICED = """
UPDATE phone_changes SET notice_at = NULL, due_at = $3
WHERE user_id = $1 AND id = $2 AND notice_at IS NOT NULL
"""


async def add_change(
    connection: Connection,
    user_id: UUID,
    change_id: UUID,
    *,
    phone: str,
    asked_in: UUID,
    moment: datetime,
    due_at: datetime,
    notice_at: datetime | None,
) -> None:
    """Insert a pending change of phone."""
    await connection.execute(ADD_CHANGE, user_id, change_id, phone, asked_in, moment, due_at, notice_at)


async def find_change(connection: Connection, user_id: UUID, change_id: UUID) -> Any:
    """A pending change of the person's phone."""
    return await connection.fetchrow(FIND_CHANGE, user_id, change_id)


async def close_change(
    connection: Connection, user_id: UUID, change_id: UUID, moment: datetime, outcome: str
) -> Any:
    """Close a pending change; what it was, or None when it was closed before."""
    return await connection.fetchrow(CLOSE_CHANGE, user_id, change_id, moment, outcome)


async def close_changes(connection: Connection, user_id: UUID, moment: datetime, outcome: str) -> None:
    """Close whatever change is pending."""
    await connection.execute(CLOSE_CHANGES, user_id, moment, outcome)


async def close_asked_in(
    connection: Connection, user_id: UUID, session_id: UUID, moment: datetime
) -> Sequence[Any]:
    """Stop what was asked for in this session; what it was."""
    return await connection.fetch(CLOSE_ASKED_IN, user_id, session_id, moment)


async def close_asked_elsewhere(
    connection: Connection, user_id: UUID, session_id: UUID | None, moment: datetime
) -> Sequence[Any]:
    """Stop what was asked for in any other session, open or not; what it was."""
    return await connection.fetch(CLOSE_ASKED_ELSEWHERE, user_id, session_id, moment)


async def list_due_changes(connection: Connection, moment: datetime, hold: timedelta) -> Sequence[Any]:
    """Some of the changes whose time has come (jobs role)."""
    return await connection.fetch(DUE_CHANGES, moment, hold)


async def claim_notices(connection: Connection, moment: datetime, lease: timedelta) -> Sequence[Any]:
    """Some of the changes of which somebody is to be told now, by this caller (jobs role)."""
    return await connection.fetch(CLAIM_NOTICES, moment, lease)


async def note_told(connection: Connection, user_id: UUID, change_id: UUID, due_at: datetime) -> None:
    """Somebody was told of a change that is due then (jobs role)."""
    await connection.execute(NOTICED, user_id, change_id, due_at)
