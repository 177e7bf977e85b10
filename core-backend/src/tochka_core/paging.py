"""Keyset pages `{items, next_cursor}`: the cursor is the last id of a page, opaque to clients."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel
from tochka_sdk.errors import FieldError, Malformed

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
SHAPE = "^[A-Za-z0-9_-]{21}[AQgw]$"  # told to clients; what decides is whether it can be read

Item = TypeVar("Item")
Row = TypeVar("Row")


class CursorInvalid(Malformed):
    """422: the cursor was not handed out by this platform."""

    code = "request.cursor_invalid"

    def __init__(self) -> None:
        wrong = FieldError("cursor", "Not a cursor of this list.", "cursor", "query")
        super().__init__("Take the cursor from `next_cursor` of the page before.", errors=[wrong])


class Page(BaseModel, Generic[Item]):
    """One page; `next_cursor` is null on the last one."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page a client asks for: at most `limit` items beyond the id `after`."""

    limit: int
    after: UUID | None

    @property
    def fetch(self) -> int:
        """How many rows to ask for: one more than is shown tells whether there is a next page."""
        return self.limit + 1

    def page(
        self, rows: Sequence[Row], show: Callable[[Row], Item], key: Callable[[Row], UUID]
    ) -> Page[Item]:
        """The page made of `fetch` rows; `key` names the id that the list is ordered by."""
        shown = rows[: self.limit]
        more = len(rows) > self.limit
        return Page(items=[show(row) for row in shown], next_cursor=_encode(key(shown[-1])) if more else None)


async def _asked(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=64, json_schema_extra={"pattern": SHAPE})] = None,
) -> PageRequest:
    return PageRequest(limit, None if cursor is None else _decode(cursor))


PageRequestDep = Annotated[PageRequest, Depends(_asked)]


def _encode(last: UUID) -> str:
    return urlsafe_b64encode(last.bytes).decode().rstrip("=")


def _decode(cursor: str) -> UUID:
    try:
        last = UUID(bytes=urlsafe_b64decode(cursor.encode("ascii") + b"=="))
    except ValueError:
        raise CursorInvalid from None
    if cursor != _encode(last):  # the decoder passes over whatever is not of its alphabet
        raise CursorInvalid
    return last
