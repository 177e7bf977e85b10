"""Events, manifest, ids, clock: the shapes that both sides of the wall agree on."""

import copy
import json
import threading
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from tochka_sdk import clock, events, ids, manifest
from tochka_sdk.events import EVENTS, Envelope, EventInvalid, InstallationRequested, LicenseUpdated, Ping
from tochka_sdk.ids import uuid7
from tochka_sdk.manifest import ManifestInvalid
from tochka_sdk.module import Module

from sdk.tests.example import MANIFEST, module


def requested() -> InstallationRequested:
    """A body."""
    return InstallationRequested(
        module="shop",
        host="lavka.localhost",
        url="http://lavka.localhost:8080",
        tenant_name="Лавка",
        plan="start",
        license="a.b.c",
        deadline=clock.now(),
    )


def test_an_envelope_survives_the_journey() -> None:
    sent = Envelope.of(
        "installation.requested", requested(), tenant_id=uuid7(), installation_id=uuid7(), sequence=7
    )
    received = events.parse(sent.to_bytes())
    assert received == sent
    assert events.parse_data(received) == requested().model_copy(
        update={"deadline": received.timestamp.fromisoformat(received.data["deadline"])}
    )


def test_what_is_not_set_is_not_sent() -> None:
    sent = json.loads(Envelope.of("ping", Ping(), tenant_id=uuid7()).to_bytes())
    assert set(sent) == {"id", "type", "timestamp", "sequence", "schema_version", "tenant_id", "data"}


def test_an_event_cannot_carry_another_one_s_body() -> None:
    with pytest.raises(ValueError, match="carries Ping"):
        Envelope.of("ping", requested(), tenant_id=uuid7())


def test_members_that_nobody_knows_yet_are_passed_over() -> None:
    body = json.loads(Envelope.of("ping", Ping(), tenant_id=uuid7()).to_bytes())
    assert events.parse(json.dumps({**body, "priority": "high"}).encode()).type == "ping"


def test_a_wrong_body_names_its_fields() -> None:
    envelope = Envelope.of("license.updated", LicenseUpdated(license="x"), tenant_id=uuid7())
    with pytest.raises(EventInvalid) as caught:
        events.parse_data(envelope.model_copy(update={"data": {"license": 7}}))
    assert [(error.field, error.code) for error in caught.value.errors] == [("data.license", "string_type")]


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_has_a_json_schema_that_its_example_keeps(name: str) -> None:
    schema = events.json_schemas()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    examples: dict[str, Any] = {
        "installation.requested": requested(),
        "license.updated": LicenseUpdated(license="x"),
        "installation.removed": events.InstallationRemoved(),
        "domain.added": events.DomainAdded(host="a.example", url="https://a.example"),
        "domain.removed": events.DomainRemoved(host="a.example"),
        "tenant.updated": events.TenantUpdated(name="Лавка"),
        "member.changed": events.MemberChanged(user_id=uuid7(), role="staff"),
        "member.left": events.MemberLeft(user_id=uuid7()),
        "digest": events.Digest(last_sequence=3),
        "ping": Ping(),
    }
    sent = Envelope.of(name, examples[name], tenant_id=uuid7(), installation_id=uuid7(), sequence=1)
    jsonschema.validate(json.loads(sent.to_bytes()), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(sent.to_bytes()), "type": "something.else"}, schema)


def test_the_example_s_manifest_keeps_the_contract() -> None:
    parsed = manifest.parse(MANIFEST)
    jsonschema.validate(MANIFEST, manifest.JSON_SCHEMA)
    assert parsed.entitlements_of("start") == {"notes": 10}
    assert parsed.entitlements_of("unknown") == {"notes": 10}


BROKEN: list[tuple[str, Any, str]] = [
    ("manifest_version", 2, "manifest_version"),
    ("id", "Shop!", "id"),
    ("version", "1.0", "version"),
    ("name", {"ru": "Магазин"}, "name.en"),
    ("endpoints", {"base_url": "ftp://x"}, "endpoints.base_url"),
    ("admin_path", "//evil.example", "admin_path"),
    ("admin_path", "admin", "admin_path"),
    ("category", "", "category"),
    ("events", ["weather.changed"], "manifest"),
    ("settings_schema", {"type": "nonsense"}, "settings_schema"),
    ("entitlements", [{"key": "a", "type": "boolean", "default": 3}], "entitlements.0"),
    ("entitlements", [{"key": "a", "type": "static", "default": 3}] * 2, "manifest"),
    (
        "suggested_plans",
        [{"code": "x", "name": {"ru": "х", "en": "x"}, "entitlements": {"unknown": 1}}],
        "manifest",
    ),
]


@pytest.mark.parametrize(("member", "value", "field"), BROKEN)
def test_a_broken_manifest_names_the_field(member: str, value: Any, field: str) -> None:
    document = copy.deepcopy(MANIFEST)
    document[member] = value
    with pytest.raises(ManifestInvalid) as caught:
        manifest.parse(document)
    assert [error.field for error in caught.value.errors] == [field]
    assert field in caught.value.detail


@pytest.mark.parametrize("member", sorted(manifest.JSON_SCHEMA["required"]))
def test_every_required_member_of_a_manifest_is_missed(member: str) -> None:
    document = {name: value for name, value in MANIFEST.items() if name != member}
    with pytest.raises(ManifestInvalid) as caught:
        manifest.parse(document)
    assert [(error.field, error.code) for error in caught.value.errors] == [(member, "missing")]


def test_a_module_is_told_what_is_wrong_with_it() -> None:
    with pytest.raises(ValueError, match="that of notes, not of shop"):
        Module(id="shop", manifest=MANIFEST)
    with pytest.raises(ValueError, match="no such event"):
        module.on("weather.changed")
    with pytest.raises(ValueError, match="has a handler already"):
        module.on("installation.requested")


def test_ids_sort_by_the_time_of_their_making_and_never_repeat() -> None:
    made: list[int] = []

    def make() -> None:
        made.extend(ids.uuid7().int for _ in range(2000))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one_after_another = [ids.uuid7() for _ in range(1000)]
    assert len(set(made)) == 8000
    assert one_after_another == sorted(one_after_another)
    last = one_after_another[-1]
    assert (last.version, last.variant) == (7, "specified in RFC 4122")
    assert abs((last.int >> 80) / 1000 - datetime.now(UTC).timestamp()) < 5


def test_the_clock_is_aware_and_in_utc() -> None:
    assert clock.now().utcoffset() == datetime.now(UTC).utcoffset()
