"""Events on their way into the table."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that its slice writes in a statement of its own, together with the change."""

    id: UUID
    schema_version: int
    data: dict[str, Any]
