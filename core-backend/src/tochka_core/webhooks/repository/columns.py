"""Rows as arrays, for statements that work on many at once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

QUEUE = ("tenant_id", "receiver", "command")
SENDING = ("tenant_id", "id", "replays")
"""What an answer is for: to what was sent before a replay, it says nothing of the replay."""
CLAIM = (*SENDING, "attempts")
"""Whose turn it is: every claim counts attempts up, so whoever has an older count has lost the delivery. A
replay begins to count anew, and is counted itself.
"""


def columns(rows: Sequence[Any], names: Sequence[str]) -> list[list[Any]]:
    """Rows as one array per column, for `unnest`."""
    return [[getattr(row, name) for row in rows] for name in names]


def keys(rows: Sequence[Any]) -> tuple[list[UUID], list[str]]:
    """The tenants and the receivers of rows, side by side."""
    return [row["tenant_id"] for row in rows], [row["receiver"] for row in rows]


def values(row: Any) -> list[Any]:
    """One row's fields, in the order in which its class names them."""
    return [getattr(row, name) for name in row.__slots__]
