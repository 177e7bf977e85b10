"""Listening to what is said to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event
from tochka_shop.tables import Model

TABLES = frozenset(Model.metadata.tables)


@dataclass
class Heard:
    """Statements with their parameters, in order."""

    said: list[tuple[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        """How many were about tables of the shop; the SDK's background work is not counted."""
        return len([statement for statement, _ in self.said if any(table in statement for table in TABLES)])


@contextmanager
def listening() -> Iterator[Heard]:
    """Everything that any engine says within the block."""
    heard = Heard()

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        heard.said.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
