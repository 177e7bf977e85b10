"""Versions of events: what is recorded, what is told to whom, and what is told to nobody."""

from typing import Any

import pytest
from pydantic import BaseModel
from tochka_core.outbox.errors import EventMisshapen
from tochka_core.outbox.events import BODIES, FOR_ALL_MODULES, FOR_MODULES, FOR_TENANTS, SCHEMA_VERSION
from tochka_core.outbox.public import published
from tochka_core.outbox.versions import CATALOGUE, Catalogue
from tochka_sdk.events import EVENTS, Body, InstallationRequested, LicenseUpdated, Ping


class FirstMoved(Body):
    """`shelf.moved`: the shelf stands elsewhere."""

    place: str


class SecondMoved(Body):
    """`shelf.moved`: the shelf stands elsewhere."""

    room: str
    row: int


class ThirdMoved(Body):
    """`shelf.moved`: the shelf stands elsewhere."""

    room: str
    row: int
    by: str


@pytest.fixture
def catalogue() -> Catalogue:
    """A type that stands at 4, and was at 1 and 2 before, beside one that never changed."""
    catalogue = Catalogue({"shelf.moved": ThirdMoved, "ping": Ping})

    @catalogue.downgrade("shelf.moved", 2, to=FirstMoved)
    def _to_first(data: dict[str, Any]) -> dict[str, Any]:
        return {"place": f"{data['room']} {data['row']}"}

    @catalogue.downgrade("shelf.moved", 4, to=SecondMoved)
    def _to_second(data: dict[str, Any]) -> dict[str, Any]:
        return {"room": data["room"], "row": data["row"]}

    return catalogue


THIRD = {"room": "A", "row": 3, "by": "x"}


@pytest.mark.parametrize(
    ("wanted", "version", "body"),
    [
        (1, 1, {"place": "A 3"}),
        (2, 2, {"room": "A", "row": 3}),
        (3, 2, {"room": "A", "row": 3}),
        (4, 4, THIRD),
        (9, 4, THIRD),
    ],
)
def test_a_receiver_is_told_the_newest_version_that_is_not_above_its_own(
    catalogue: Catalogue, wanted: int, version: int, body: dict[str, Any]
) -> None:
    assert catalogue.told("shelf.moved", THIRD, recorded=4, wanted=wanted) == (version, body)


def test_an_event_from_before_a_version_stays_what_it_was(catalogue: Catalogue) -> None:
    old = {"place": "A 3"}
    assert catalogue.told("shelf.moved", old, recorded=1, wanted=4) == (1, old)
    assert catalogue.told("shelf.moved", {"room": "A", "row": 3}, recorded=3, wanted=1) == (1, old)


def test_a_type_that_never_changed_stands_at_one_for_all(catalogue: Catalogue) -> None:
    assert (catalogue.version, catalogue.version_of("shelf.moved"), catalogue.version_of("ping")) == (4, 4, 1)
    assert catalogue.told("ping", {}, recorded=1, wanted=4) == (1, {})


def test_what_is_recorded_is_the_newest_body(catalogue: Catalogue) -> None:
    assert catalogue.written("shelf.moved", ThirdMoved(**THIRD)) == THIRD
    with pytest.raises(EventMisshapen, match="carries ThirdMoved, not SecondMoved"):
        catalogue.written("shelf.moved", SecondMoved(room="A", row=3))


@pytest.mark.parametrize(
    ("type", "data", "why"),
    [
        ("shelf.moved", {"room": "A", "row": "many", "by": "x"}, "shelf.moved 4: wrong data at row"),
        ("shelf.moved", {"room": "A"}, "shelf.moved 4: wrong data at row, by"),
        ("shelf.burnt", {}, "shelf.burnt is not an event of the contract"),
    ],
)
def test_what_is_not_as_published_is_told_to_nobody(
    catalogue: Catalogue, type: str, data: dict[str, Any], why: str
) -> None:
    with pytest.raises(EventMisshapen, match=why):
        catalogue.told(type, data, recorded=4, wanted=4)


def test_a_way_back_that_makes_something_else_is_noticed() -> None:
    catalogue = Catalogue({"shelf.moved": SecondMoved})
    catalogue.downgrade("shelf.moved", 2, to=FirstMoved)(lambda data: data)
    with pytest.raises(EventMisshapen, match=r"shelf\.moved 1: wrong data at place"):
        catalogue.told("shelf.moved", {"room": "A", "row": 3}, recorded=2, wanted=1)


def test_versions_are_added_oldest_first(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="stands at 4 already"):
        catalogue.downgrade("shelf.moved", 4, to=SecondMoved)


def test_endpoints_pin_the_version_that_the_platform_is_at() -> None:
    assert CATALOGUE.version == SCHEMA_VERSION


def test_who_hears_what() -> None:
    """Whatever opens something (a license) is for modules alone, and only what is known is for anybody."""
    assert EVENTS.keys() == FOR_MODULES
    assert BODIES.keys() > FOR_TENANTS
    assert FOR_ALL_MODULES < FOR_MODULES & FOR_TENANTS
    assert not FOR_TENANTS & {"license.updated", "installation.requested", "digest"}
    bodies: set[type[BaseModel]] = {BODIES[type] for type in FOR_TENANTS}
    assert not bodies & {LicenseUpdated, InstallationRequested}
    assert not [model for model in bodies if {"license", "ticket", "phone"} & model.model_fields.keys()]


def test_every_published_type_says_what_it_tells() -> None:
    types = list(published())
    assert {event.type for event in types} == FOR_MODULES | FOR_TENANTS
    for event in types:
        assert event.title.strip()
        assert "`" + event.type not in event.title, "the title begins after the name"
        assert event.description.startswith(event.title)
        assert (BODIES[event.type].__doc__ or "").startswith(f"`{event.type}`: ")
        assert event.schema["properties"]["type"] == {"const": event.type}
        assert (event.version, event.versions) == (1, (1,))
