"""Published events only grow: whoever reads them goes on reading them, old ones that are sent again included.

`published-events.json` is what receivers were promised. It is replaced when a version of the product is
released (`python -m tests.architecture.test_event_compatibility > tests/architecture/published-events.json`),
never to make this test pass: what a receiver would trip over is a new version of its type, with the way back
(ADR 16).
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tochka_core.outbox.versions import CATALOGUE

Json = dict[str, Any]
PUBLISHED = Path(__file__).with_name("published-events.json")
SAYS_NOTHING = {"title", "description", "examples", "required", "properties", "$defs", "$ref"}


def _today() -> Json:
    return {
        event.type: {
            "for": list(event.audiences),
            "versions": {str(version): CATALOGUE.schema(event.type, version) for version in event.versions},
        }
        for event in CATALOGUE.published()
    }


def breaks(old: Json, new: Json) -> Iterator[str]:
    """What a receiver of the old events would trip over in the new ones."""
    for type, was in old.items():
        now = new.get(type)
        if now is None:
            yield f"{type}: gone"
            continue
        yield from (f"{type}: no longer for {who}" for who in was["for"] if who not in now["for"])
        for version, schema in was["versions"].items():
            if version not in now["versions"]:
                yield f"{type} {version}: gone"
            else:
                later = now["versions"][version]
                yield from _schema(f"{type} {version}", (schema, schema), (later, later))


Within = tuple[Json, Json]
"""A schema, and the document that its references lead through."""


def _schema(where: str, old: Within, new: Within) -> Iterator[str]:
    """A field is what it was. One may come, if it need not be there: events from before do not have it."""
    was, now = _followed(old), _followed(new)
    for word in sorted((was.keys() | now.keys()) - SAYS_NOTHING):
        if word in ("anyOf", "oneOf", "items"):
            yield from _parts(f"{where}.{word}", (was.get(word), old[1]), (now.get(word), new[1]))
        elif was.get(word) != now.get(word):
            yield f"{where}: {word} was {was.get(word)!r}, is {now.get(word)!r}"
    before, after = was.get("properties", {}), now.get("properties", {})
    required, was_required = set(now.get("required", ())), set(was.get("required", ()))
    yield from (f"{where}.{name}: no longer certain" for name in sorted(was_required - required))
    yield from (f"{where}.{name}: now required" for name in sorted(required - was_required))
    for name, schema in before.items():
        if name not in after:
            yield f"{where}.{name}: gone"
        else:
            yield from _schema(f"{where}.{name}", (schema, old[1]), (after[name], new[1]))


def _parts(where: str, old: tuple[Any, Json], new: tuple[Any, Json]) -> Iterator[str]:
    """Alternatives one by one, or what a list consists of."""
    was, now = ([part] if isinstance(part, dict) else part or [] for part in (old[0], new[0]))
    if len(was) != len(now):
        yield f"{where}: {len(was)} before, {len(now)} now"
        return
    for one, other in zip(was, now, strict=True):
        yield from _schema(where, (one, old[1]), (other, new[1]))


def _followed(within: Within) -> Json:
    schema, document = within
    while "$ref" in schema:
        schema = document["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def test_the_published_events_only_grow() -> None:
    assert list(breaks(json.loads(PUBLISHED.read_text("utf-8")), _today())) == []


EXAMPLE: Json = {
    "shelf.moved": {
        "for": ["modules", "tenants"],
        "versions": {
            "1": {
                "title": "Moved",
                "type": "object",
                "properties": {
                    "room": {"type": "string", "maxLength": 40},
                    "row": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
                    "kind": {"enum": ["high", "low"], "type": "string"},
                    "books": {"type": "array", "items": {"$ref": "#/$defs/Book"}},
                },
                "required": ["room", "kind", "books"],
                "$defs": {
                    "Book": {
                        "type": "object",
                        "properties": {"name": {"type": "string"}, "year": {"type": "integer", "default": 0}},
                        "required": ["name"],
                    }
                },
            }
        },
    },
    "shelf.burnt": {"for": ["tenants"], "versions": {"1": {"type": "object", "properties": {}}}},
}
Change = Callable[[Json, Json], object]
"""What is done to the schema of `shelf.moved` and to the whole document."""


def _changed(change: Change) -> list[str]:
    new = json.loads(json.dumps(EXAMPLE))
    change(new["shelf.moved"]["versions"]["1"], new)
    return list(breaks(EXAMPLE, new))


def _book(schema: Json) -> Json:
    book: Json = schema["$defs"]["Book"]
    return book


def _rename(schema: Json) -> None:
    schema["properties"]["place"] = schema["properties"].pop("room")
    schema["required"][0] = "place"


BREAKS: dict[str, Change] = {
    "a type is gone": lambda _, all: all.pop("shelf.burnt"),
    "a version is gone": lambda _, all: all["shelf.burnt"]["versions"].pop("1"),
    "a version took another's place": lambda _, all: all["shelf.burnt"].update(versions={"2": {}}),
    "endpoints are no longer told": lambda _, all: all["shelf.moved"].update({"for": ["modules"]}),
    "a field is gone": lambda it, _: it["properties"].pop("row"),
    "a field has another name": lambda it, _: _rename(it),
    "a field that was certain need not come": lambda it, _: it["required"].remove("kind"),
    "a field that need not come is required": lambda it, _: it["required"].append("row"),
    "a new field is required": lambda it, _: (
        it["properties"].update(more={"type": "string"}),
        it["required"].append("more"),
    ),
    "another type": lambda it, _: it["properties"].update(room={"type": "integer"}),
    "a narrower text": lambda it, _: it["properties"]["room"].update(maxLength=20),
    "a wider text": lambda it, _: it["properties"]["room"].pop("maxLength"),
    "a format": lambda it, _: it["properties"]["room"].update(format="uuid"),
    "a word fewer": lambda it, _: it["properties"]["kind"].update(enum=["high"]),
    "a word more": lambda it, _: it["properties"]["kind"].update(enum=["high", "low", "flat"]),
    "no longer perhaps nothing": lambda it, _: it["properties"]["row"]["anyOf"].pop(),
    "now perhaps nothing": lambda it, _: it["properties"].update(
        room={"anyOf": [{"type": "string", "maxLength": 40}, {"type": "null"}]}
    ),
    "another alternative": lambda it, _: it["properties"]["row"]["anyOf"][0].update(type="string"),
    "another meaning of nothing": lambda it, _: it["properties"]["row"].update(default=0),
    "no list any more": lambda it, _: it["properties"].update(books={"$ref": "#/$defs/Book"}),
    "a list of something else": lambda it, _: it["properties"]["books"].update(items={"type": "string"}),
    "a field inside is gone": lambda it, _: _book(it)["properties"].pop("name"),
    "a field inside is another": lambda it, _: _book(it)["properties"].update(year={"type": "string"}),
    "a field inside is required": lambda it, _: _book(it)["required"].append("year"),
    "a constant is another": lambda it, _: it.update(const=1),
}
GROWS: dict[str, Change] = {
    "nothing": lambda _, __: None,
    "a type more": lambda _, all: all.update({"shelf.sold": all["shelf.burnt"]}),
    "a version more": lambda _, all: all["shelf.burnt"]["versions"].update({"2": {"type": "string"}}),
    "modules are told, too": lambda _, all: all["shelf.burnt"]["for"].append("modules"),
    "a field more": lambda it, _: it["properties"].update(more={"type": "string", "default": ""}),
    "a field more inside": lambda it, _: _book(it)["properties"].update(more={"type": "string"}),
    "other words": lambda it, _: it.update(title="Shifted", description="It stands elsewhere."),
    "other words of a field": lambda it, _: it["properties"]["room"].update(description="Where."),
    "a field spelt out": lambda it, _: it["properties"]["books"].update(items=_book(it)),
    "fields in another order": lambda it, _: it.update(
        properties=dict(reversed(it["properties"].items())), required=it["required"][::-1]
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_would_be_noticed(name: str) -> None:
    assert _changed(BREAKS[name]), name


@pytest.mark.parametrize("name", GROWS)
def test_growing_is_no_break(name: str) -> None:
    assert _changed(GROWS[name]) == [], name


if __name__ == "__main__":
    json.dump(_today(), sys.stdout, ensure_ascii=False, indent=1, sort_keys=True)
    sys.stdout.write("\n")
