"""The rings of the platform's keys: how they turn, and what is refused as a key."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from tochka_sdk import webhooks
from tochka_sdk.key_rings import (
    KEPT_S,
    MOST_KEYS,
    PUBLISHED_AHEAD_S,
    PURPOSES,
    Purpose,
    Ring,
    RingInvalid,
    Rings,
    TurnTooSoon,
)
from tochka_sdk.tokens import generate_key

NOW = 1_800_000_000
LATER = NOW + PUBLISHED_AHEAD_S


def names(ring: Ring, moment: int) -> list[tuple[str, str]]:
    """State and name of the keys that count."""
    return [(key.state, key.name) for key in ring.alive(moment)]


def next_of(ring: Ring) -> str:
    """The name of the next key."""
    assert ring.following is not None
    return ring.following.name


def test_fresh_rings_have_an_active_and_a_next_key_each_and_survive_their_text() -> None:
    rings = Rings.fresh(NOW)
    assert [[key.state for key in ring.keys] for ring in rings] == [["active", "next"]] * 4
    assert Rings.parse(rings.render()) == rings
    assert len({key.name for ring in rings for key in ring.keys}) == 8


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_turn_makes_the_published_key_sign_and_keeps_what_signed_before(purpose: Purpose) -> None:
    rings = Rings.fresh(NOW)
    before: Ring = getattr(rings, purpose)
    turned = rings.turned((purpose,), LATER)
    after: Ring = getattr(turned, purpose)
    assert after.active.name == next_of(before)
    assert names(after, LATER) == [
        ("active", next_of(before)),
        ("next", next_of(after)),
        ("retired", before.active.name),
    ]
    assert [ring for ring in turned if ring.purpose != purpose] == [
        ring for ring in rings if ring.purpose != purpose
    ]
    turned.check()


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_retired_key_counts_until_nothing_that_it_signed_can_be_valid(purpose: Purpose) -> None:
    ring: Ring = getattr(Rings.fresh(NOW).turned(PURPOSES, LATER), purpose)
    end = LATER + KEPT_S[purpose]
    assert [len(ring.alive(moment)) for moment in (end - 1, end)] == [3, 2]
    again = ring.turned(end)
    assert [key.state for key in again.keys] == ["active", "next", "retired"]


def test_a_key_that_nobody_has_heard_of_yet_is_not_turned_to_unless_told_so() -> None:
    rings = Rings.fresh(NOW)
    with pytest.raises(TurnTooSoon, match="900 s more"):
        rings.turned(PURPOSES, NOW)
    with pytest.raises(TurnTooSoon) as soon:
        rings.turned(("license",), LATER - 1)
    assert soon.value.wait_s == 1
    assert rings.turned(PURPOSES, NOW, at_once=True).access.active.name == next_of(rings.access)


def test_a_ring_without_a_next_key_turns_only_at_once() -> None:
    fresh = Rings.fresh(NOW)
    access, license, webhook, audit = (ring.active.private for ring in fresh)
    alone = Rings.of(access, license, webhook, audit, NOW, following=False)
    alone.check()
    with pytest.raises(TurnTooSoon):
        alone.turned(PURPOSES, LATER)
    turned = alone.turned(PURPOSES, LATER, at_once=True)
    assert [len(ring.keys) for ring in turned] == [3, 3, 3, 3]


def test_a_ring_that_is_full_of_keys_that_may_count_is_not_turned_further() -> None:
    rings = Rings.fresh(NOW)
    for _ in range(MOST_KEYS - 2):
        rings = rings.turned(("license",), NOW, at_once=True)
    rings.check()
    with pytest.raises(RingInvalid, match=f"more than {MOST_KEYS} license keys"):
        rings.turned(("license",), NOW, at_once=True).check()
    rings.turned(("license",), NOW + KEPT_S["license"]).check()


def test_replaced_rings_have_nothing_in_common_with_those_before() -> None:
    rings = Rings.fresh(NOW).turned(PURPOSES, LATER)
    replaced = rings.replaced(("access", "webhook"), LATER)
    assert (replaced.license, replaced.audit) == (rings.license, rings.audit)
    kept = {key.name for ring in (rings.access, rings.webhook) for key in ring.keys}
    assert kept.isdisjoint(key.name for ring in replaced for key in ring.keys)


def test_a_key_is_shown_without_its_private_half() -> None:
    rings = Rings.fresh(NOW)
    for ring in rings:
        assert ring.active.private not in repr(rings)


Document = dict[str, Any]
Change = Callable[[Document], object]


def _jwk(seed: bytes, **members: str) -> dict[str, Any]:
    """A private JWK of a chosen seed."""
    text = webhooks.public_key_of("whsk_" + base64.b64encode(seed).decode()).removeprefix("whpk_")
    x, d = (base64.urlsafe_b64encode(raw).decode().rstrip("=") for raw in (base64.b64decode(text), seed))
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "d": d, **members}


def _key(purpose: Purpose, value: object, at: int = 0) -> Change:
    return lambda document: document[purpose][at].update(key=value)


def _states(*states: str) -> Change:
    def change(document: Document) -> None:
        members = [
            dict(document["access"][0], key=dict(generate_key().as_dict(private=True))) for _ in states
        ]
        document["access"] = [
            dict(member, state=state) for member, state in zip(members, states, strict=True)
        ]

    return change


RFC_8037 = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
TUTORIAL = bytes.fromhex("09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7")
OTHER = dict(generate_key().as_dict(private=True))
REFUSED: dict[str, Change] = {
    "another version": lambda document: document.update(version=2),
    "no ring": lambda document: document.pop("license"),
    "no ring of a younger purpose": lambda document: document.pop("audit"),
    "an empty ring": lambda document: document.update(webhook=[]),
    "no active key": _states("next"),
    "two active keys": _states("active", "active"),
    "two next keys": _states("active", "next", "next"),
    "an unknown state": _states("active", "lost"),
    "no time": lambda document: document["access"][0].pop("since"),
    "a time in words": lambda document: document["access"][0].update(since="now"),
    "text for a token key": _key("access", json.dumps(OTHER)),
    "a JWK for a webhook key": _key("webhook", OTHER),
    "a public key": _key("access", {name: value for name, value in OTHER.items() if name != "d"}),
    "another curve": _key("license", dict(OKPKey.generate_key("X25519").as_dict(private=True))),
    "a key that is cut off": _key("access", {**OTHER, "d": str(OTHER["d"])[:-8]}),
    "halves of two keys": _key("access", {**OTHER, "x": generate_key().as_dict(private=False)["x"]}),
    "half a webhook key": _key("webhook", webhooks.generate_keypair()[0][:40]),
    "a key of zeros": _key("access", _jwk(bytes(32))),
    "a key of a few signs": _key("license", _jwk(b"ab" * 16)),
    "a key that repeats itself": _key("audit", _jwk(b"0123456789abcdef" * 2)),
    "a tutorial's secret as a key": _key("access", _jwk(TUTORIAL)),
    "a webhook key of zeros": _key("webhook", "whsk_" + base64.b64encode(bytes(32)).decode()),
    "the key of the standard's example": _key("access", _jwk(RFC_8037)),
    "the same for a webhook": _key("webhook", "whsk_" + base64.b64encode(RFC_8037).decode()),
    "one key for two purposes": lambda d: d["license"][0].update(key=d["access"][0]["key"]),
    "a retired key for another purpose": lambda d: d["license"].append(dict(d["access"][0], state="retired")),
    "one key twice in a ring": lambda d: d["access"].append(dict(d["access"][0], state="retired")),
    "two keys of one name": lambda d: [
        d["access"][at]["key"].update(kid="k") or d["license"][at]["key"].update(kid="k") for at in (0, 1)
    ],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_must_not_be_used_is_refused_without_being_repeated(name: str) -> None:
    document = json.loads(Rings.fresh(NOW).render())
    REFUSED[name](document)
    text = json.dumps(document)
    with pytest.raises(RingInvalid) as refused:
        Rings.parse(text)
    for ring in ("access", "license"):
        for member in document.get(ring, []):
            if isinstance(member["key"], dict) and len(str(member["key"].get("d", ""))) > 8:
                assert member["key"]["d"] not in str(refused.value)


def test_a_webhook_key_is_not_a_token_key_under_another_name() -> None:
    rings = Rings.fresh(NOW)
    d = str(rings.access.active.jwk.as_dict(private=True)["d"])
    seed = base64.urlsafe_b64decode(d + "=" * (-len(d) % 4))
    same = replace(rings.webhook.active, private="whsk_" + base64.b64encode(seed).decode())
    with pytest.raises(RingInvalid, match="one purpose"):
        replace(rings, webhook=Ring("webhook", (same,))).check()


def test_a_file_of_an_older_version_is_completed_and_otherwise_left_alone() -> None:
    rings = Rings.fresh(NOW)
    assert Rings.completed(rings.render()) == rings.render()
    document = json.loads(rings.render())
    del document["audit"]
    completed = Rings.parse(Rings.completed(json.dumps(document)))
    assert [completed.access, completed.license, completed.webhook] == list(rings)[:3]
    assert [key.state for key in completed.audit.keys] == ["active", "next"]
    with pytest.raises(RingInvalid):
        Rings.completed("{}")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1", '"x"', "[" * 100_000, "{}", '{"version": 1}'])
def test_a_text_that_is_no_rings_is_refused(text: str) -> None:
    with pytest.raises(RingInvalid):
        Rings.parse(text)
