"""Whoever has pinned a version gets its events as that version has them."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from tochka_core.outbox.versions import Older, as_version


class _First(BaseModel):
    name: str


class _Second(BaseModel):
    first_name: str
    last_name: str


def _to_first(data: dict[str, Any]) -> dict[str, Any]:
    return {"name": f"{data['first_name']} {data['last_name']}"}


def _to_second(data: dict[str, Any]) -> dict[str, Any]:
    first, _, last = data["full"]["name"].partition(" ")
    return {"first_name": first, "last_name": last}


OLDER = {("person.named", 1): Older(_First, _to_first), ("person.named", 2): Older(_Second, _to_second)}
TODAY = {"full": {"name": "Анна Петрова"}}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (3, TODAY),
        (4, TODAY),
        (2, {"first_name": "Анна", "last_name": "Петрова"}),
        (1, {"name": "Анна Петрова"}),
    ],
)
def test_an_event_goes_back_version_by_version(wanted: int, expected: dict[str, Any]) -> None:
    assert as_version("person.named", TODAY, 3, wanted, OLDER) == expected


def test_a_type_that_never_changed_stays_as_it_is() -> None:
    assert as_version("person.left", {"id": 1}, 3, 1, OLDER) == {"id": 1}


def test_what_a_version_did_not_promise_is_not_sent() -> None:
    wrong = {("person.named", 1): Older(_First, lambda data: {"named": data})}
    with pytest.raises(ValidationError):
        as_version("person.named", {}, 2, 1, wrong)
