"""Events in older versions, for receivers that have pinned one.

A change that a reader would trip over makes a new version: `SCHEMA_VERSION` goes up, and the body as it was
stays here with the way from the version after it. Types that did not change need nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Older:
    """A body as it was, and how to make its data of that of the version after it."""

    body: type[BaseModel]
    convert: Callable[[Data], Data]


OLDER: Mapping[tuple[str, int], Older] = MappingProxyType({})
"""By type and version. Nothing has changed yet."""


def as_version(
    type: str, data: Data, version: int, wanted: int, older: Mapping[tuple[str, int], Older] = OLDER
) -> Data:
    """`data`, which is of `version`, as a receiver of the version `wanted` knows it.

    Raises pydantic's `ValidationError` where a conversion does not give what that version promised.
    """
    while version > wanted:
        version -= 1
        step = older.get((type, version))
        if step is not None:
            data = step.body.model_validate(step.convert(data)).model_dump(mode="json")
    return data
