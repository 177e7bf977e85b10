"""The SDK in TypeScript understands what this one says, refuses what this one refuses, and keeps its promises
in a real PostgreSQL.
"""

import base64
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from tochka_sdk import event_schemas, events, license, webhooks
from tochka_sdk.ids import uuid7
from tochka_sdk.signing import FreshInstallation, PlatformSigner
from tochka_sdk.webhooks import SignatureInvalid
from tochka_stack.testing import ScratchPostgres

from sdk.tests.test_webhooks import BODY, GOOD, NOW, OTHER_PUBLIC, PRIVATE, PUBLIC, SECRET, TABLE, unix
from tests.node import find_node, run_node, sdk_js

pytestmark = pytest.mark.anyio
ALPHABET = "vV1a,. =+/AZ09\x7f\tы٣"
CHANGED = 400


@pytest.fixture(scope="module")
def node() -> Path:
    """Node.js."""
    return find_node()


def asked(node: Path, questions: list[dict[str, Any]]) -> list[Any]:
    """What the SDK in TypeScript answers to each question."""
    given = json.dumps([{**question, "body": _encoded(question["body"])} for question in questions])
    return list(json.loads(run_node(node, sdk_js(node), "tests/real/wire.ts", given=given)))


def _encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


def _verdict(headers: dict[str, str], keys: list[str]) -> bool:
    try:
        webhooks.verify(headers, BODY, public_keys=keys, secrets=keys, now=NOW)
    except SignatureInvalid:
        return False
    return True


def _changed(chance: random.Random) -> dict[str, str]:
    """The good headers, one of them with a character changed, added, dropped or repeated."""
    name = chance.choice(list(GOOD))
    text = GOOD[name]
    at = chance.randrange(len(text))
    kind = chance.randrange(4)
    inserted = ("", chance.choice(ALPHABET), chance.choice(ALPHABET) + text[at], text[at] * 2)[kind]
    return {**GOOD, name: text[:at] + inserted + text[at + 1 :]}


def test_both_accept_and_refuse_the_same_requests(node: Path) -> None:
    chance = random.Random(4)  # the same cases every time
    headers = [GOOD, *({**GOOD, **change} for change in TABLE.values())]
    headers += [_changed(chance) for _ in range(CHANGED)]
    keys = [[PUBLIC, SECRET], [PUBLIC], [SECRET], [OTHER_PUBLIC]]
    cases = [(one, keys[number % 4 if number > len(TABLE) else 0]) for number, one in enumerate(headers)]
    now = NOW.timestamp()
    told = asked(
        node, [{"ask": "verify", "headers": one, "body": BODY, "keys": k, "now": now} for one, k in cases]
    )
    wanted = [_verdict(one, k) for one, k in cases]
    assert told == wanted
    assert 20 < sum(wanted) < len(cases) - 100


def test_what_the_other_signs_is_verified_here(node: Path) -> None:
    question = {"ask": "sign", "id": "evt_1", "timestamp": unix(), "body": BODY, "keys": [SECRET, PRIVATE]}
    (headers,) = asked(node, [question])
    webhooks.verify(headers, BODY, public_keys=[PUBLIC])
    webhooks.verify(headers, BODY, secrets=[SECRET])


def _body(model: type[BaseModel]) -> BaseModel:
    """A body with something in every field that has no default."""
    values = {"str": "слово", "int": 7, "AwareDatetime": datetime.now(UTC), "UUID": uuid7()}
    required = {name: field for name, field in model.model_fields.items() if field.is_required()}
    return model(**{name: values[_name(field.annotation)] for name, field in required.items()})


def _name(annotation: Any) -> str:
    return "AwareDatetime" if annotation is datetime else str(annotation.__name__)


def test_every_event_means_the_same_to_both(node: Path) -> None:
    tenant, installation = uuid7(), uuid7()
    sent = [
        events.Envelope.of(
            type,
            _body(model),
            tenant_id=tenant,
            installation_id=None if type in events.TENANT_WIDE else installation,
            sequence=number,
            receiver="notes",
        )
        for number, (type, model) in enumerate(events.EVENTS.items(), 1)
    ]
    told = asked(node, [{"ask": "parse", "body": one.to_bytes()} for one in sent])
    assert told == [one.model_dump(mode="json") for one in sent]


def test_a_license_means_the_same_to_both(node: Path) -> None:
    platform = PlatformSigner("notes", issuer="https://platform.example")
    shop, elsewhere = FreshInstallation(), PlatformSigner("notes", issuer="https://elsewhere.example")
    good = platform.license(shop, entitlements={"products": 10, "export": True, "seats": None})
    read = license.read(good, platform.jwks(), audience="notes", issuer=platform.issuer)
    head, claims, signature = good.split(".")
    tokens = {
        good: read.model_dump(mode="json"),
        f"{head}.{claims}.{signature[:-4]}AAAA": "license.invalid",
        f"{head}.{claims}x.{signature}": "license.invalid",
        f"{good}.x": "license.invalid",
        "": "license.invalid",
        platform.ticket(shop): "license.invalid",
        elsewhere.license(shop): "core.unavailable",  # a key that is not known, and nobody to ask
        PlatformSigner("shop", issuer=platform.issuer, license_key=platform.license_key).license(
            shop
        ): "license.invalid",
        PlatformSigner("notes", issuer=elsewhere.issuer, license_key=platform.license_key).license(
            shop
        ): "license.invalid",
    }
    common = {"ask": "license", "jwks": platform.jwks(), "issuer": platform.issuer, "module": "notes"}
    told = asked(node, [{**common, "body": token.encode()} for token in tokens])
    assert told == list(tokens.values())


def test_the_types_of_the_other_are_generated_from_these_models(node: Path) -> None:
    stored = json.loads((sdk_js(node) / "events.json").read_text("utf-8"))
    assert stored == event_schemas.document()


async def test_its_inbox_keeps_its_promises_in_a_real_database(node: Path, postgres: ScratchPostgres) -> None:
    database = await postgres.create_database("sdk_js", "sdk_js_owner")
    dsn = database.owner_dsn
    said = run_node(node, sdk_js(node), "--test", "tests/real/postgres.test.ts", TEST_DATABASE_URL=dsn)
    assert "fail 0" in said
    assert "pass 18" in said
    await postgres.drop_database(database.name)
