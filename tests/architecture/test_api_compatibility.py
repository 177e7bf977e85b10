"""The published API only grows: what a client was promised stays, and nothing new is asked of it.

`published-api.json` is what clients were promised. It is replaced when a version of the product is released
(`make client` writes the API of today, this file is a copy of it), never to make this test pass.
"""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.architecture.sources import ROOT

Json = dict[str, Any]
METHODS = {"get", "post", "put", "patch", "delete"}
PUBLISHED = Path(__file__).with_name("published-api.json")
TODAY = ROOT / "core-frontend/openapi.json"


class Comparison:
    """Two documents side by side; `breaks` says what a client of the old one would trip over."""

    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str, str]] = set()

    def breaks(self) -> Iterator[str]:
        for path, item in self._old["paths"].items():
            for method in METHODS & item.keys():
                where = f"{method.upper()} {path}"
                operation = self._new["paths"].get(path, {}).get(method)
                if operation is None:
                    yield f"{where}: gone"
                else:
                    yield from self._operation(where, item[method], operation)
        for name, item in self._old.get("webhooks", {}).items():
            yield from self._event(name, item, self._new.get("webhooks", {}).get(name))

    def _event(self, name: str, old: Json, new: Json | None) -> Iterator[str]:
        """An event is told to receivers: what they read must still be there, in a version that they know."""
        after = _content(new["post"]["requestBody"]) if new else {}
        for kind, schema in _content(old["post"]["requestBody"]).items():
            yield from self._schema(f"event {name}", schema, after.get(kind), "told")

    def _operation(self, where: str, old: Json, new: Json) -> Iterator[str]:
        before = {(p["in"], p["name"]): p for p in old.get("parameters", [])}
        after = {(p["in"], p["name"]): p for p in new.get("parameters", [])}
        yield from (f"{where}: parameter {name} gone" for _, name in before.keys() - after.keys())
        for key, parameter in after.items():
            was = before.get(key)
            if parameter.get("required") and not (was and was.get("required")):
                yield f"{where}: parameter {key[1]} now required"
            if was:
                yield from self._schema(f"{where} {key[1]}", was["schema"], parameter["schema"], "asked")
        body = _content(new.get("requestBody"))
        for kind, schema in _content(old.get("requestBody")).items():
            yield from self._schema(f"{where} body", schema, body.get(kind), "asked")
        for status, answer in old["responses"].items():
            if status not in new["responses"]:
                yield f"{where}: no longer answers {status}"
                continue
            contents = _content(_followed(self._new, new["responses"][status]))
            for kind, schema in _content(_followed(self._old, answer)).items():
                yield from self._schema(f"{where} {status}", schema, contents.get(kind), "told")

    def _schema(self, where: str, old: Json, new: Json | None, side: str) -> Iterator[str]:
        """`asked`: what a client sends must still be taken. `told`: what it reads must still be there."""
        if new is None:
            yield f"{where}: gone"
            return
        names = (old.get("$ref", ""), new.get("$ref", ""), side)
        if all(names) and names in self._seen:
            return
        self._seen.add(names)
        before, after = _variants(self._old, old), _variants(self._new, new)
        wide, narrow = (after, before) if side == "asked" else (before, after)
        yield from (f"{where}: {kind} no longer {side}" for kind in narrow.keys() - wide.keys())
        for kind in before.keys() & after.keys():
            yield from self._variant(where, before[kind], after[kind], side)

    def _variant(self, where: str, old: Json, new: Json, side: str) -> Iterator[str]:
        if side == "asked" and "enum" in new:
            lost = set(old.get("enum", ["anything"])) - set(new["enum"])
            yield from (f"{where}: {value!r} no longer taken" for value in sorted(lost))
        required, was_required = set(new.get("required", [])), set(old.get("required", []))
        more = required - was_required if side == "asked" else was_required - required
        yield from (
            f"{where}.{name}: {'now' if side == 'asked' else 'no longer'} certain" for name in sorted(more)
        )
        properties = new.get("properties", {})
        for name, schema in old.get("properties", {}).items():
            yield from self._schema(f"{where}.{name}", schema, properties.get(name), side)
        for name in ("items", "contentSchema"):  # of a list, and of a stream's events
            if name in old:
                yield from self._schema(f"{where}[]", old[name], new.get(name), side)


def _content(holder: Json | None) -> Json:
    return {
        kind: media["schema"]
        for kind, media in (holder or {}).get("content", {}).items()
        if "schema" in media
    }


def _variants(document: Json, schema: Json) -> dict[str, Json]:
    """A schema as its alternatives, by the name of their JSON type; references followed."""
    schema = _followed(document, schema)
    found: dict[str, Json] = {}
    for one in schema.get("anyOf") or schema.get("oneOf") or []:
        found |= _variants(document, one)
    return found or {str(schema.get("type", "any")): schema}


def _followed(document: Json, part: Json) -> Json:
    while "$ref" in part:
        _, *names = part["$ref"].split("/")
        part = functools.reduce(lambda within, name: within[name], names, document)
    return part


def test_the_published_api_only_grows() -> None:
    old, new = (json.loads(path.read_text("utf-8")) for path in (PUBLISHED, TODAY))
    assert list(Comparison(old, new).breaks()) == []


def test_a_break_would_be_noticed() -> None:
    """Each kind of break, made on purpose in a copy of today's document."""
    today = TODAY.read_text("utf-8")

    def broken(change: Any) -> list[str]:
        new = json.loads(today)
        change(new)
        return list(Comparison(json.loads(today), new).breaks())

    schemas = json.loads(today)["components"]["schemas"]
    assert {"InstallationRead", "InstallationCreate"} <= schemas.keys()
    assert broken(lambda new: new["paths"].pop("/api/v1/installations"))
    assert broken(lambda new: new["paths"]["/api/v1/installations"].pop("post"))
    assert broken(lambda new: _named(new, "InstallationRead")["properties"].pop("url"))
    assert broken(lambda new: _named(new, "InstallationRead")["required"].remove("url"))
    assert broken(lambda new: _named(new, "InstallationRead")["properties"].update(url={"type": "integer"}))
    assert broken(lambda new: _named(new, "InstallationCreate")["properties"].pop("plan"))
    assert broken(lambda new: _named(new, "InstallationCreate")["required"].append("plan"))
    assert broken(
        lambda new: _parameters(new).append({"in": "query", "name": "x", "required": True, "schema": {}})
    )
    assert broken(lambda new: _named(new, "WebhookEndpointRead")["properties"].pop("failing_since"))
    assert broken(lambda new: _named(new, "Problem")["properties"].pop("code"))
    assert broken(lambda new: _named(new, "Progress")["properties"].pop("step"))
    assert broken(lambda new: new["webhooks"].pop("license.updated"))
    assert broken(lambda new: _event(new, "license.updated")["properties"].pop("license"))
    assert broken(lambda new: _event(new, "license.updated")["required"].remove("license"))
    assert broken(lambda new: _event(new, "tenant.updated")["properties"].update(name={"type": "integer"}))
    assert not broken(lambda new: _event(new, "tenant.updated")["properties"].update(more={"type": "string"}))
    assert not broken(
        lambda new: _named(new, "InstallationRead")["properties"].update(more={"type": "string"})
    )


def _event(document: Json, name: str) -> Json:
    """The schema of an event's `data`."""
    content = document["webhooks"][name]["post"]["requestBody"]["content"]
    found: Json = content["application/json"]["schema"]["properties"]["data"]
    return found


def _named(document: Json, name: str) -> Json:
    found: Json = document["components"]["schemas"][name]
    return found


def _parameters(document: Json) -> list[Json]:
    found: list[Json] = document["paths"]["/api/v1/installations"]["get"]["parameters"]
    return found
