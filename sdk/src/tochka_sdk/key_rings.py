"""The platform's signing keys through their lives: four rings in one file, which the core reads and its
operator turns.

A ring serves one purpose. Its `next` key is published and signs nothing yet, its `active` key signs, its
`retired` keys are still published, since what they signed is still in people's hands. A turn makes the next
key active, the active one retired, and a fresh one next. As the next key is published long before, nobody
meets a signature whose key they could not know.

The file is `{"version": 1, "access": […], "license": […], "webhook": […], "audit": […]}`; a key is `{"state",
"since", "key"}`: unix seconds since when it is in that state, and an Ed25519 private JWK, or a `whsk_` key
for `webhook`. `"dropped": […]` names the public halves of `audit` keys that were thrown away: the trail may
end with a seal of theirs.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast, get_args

from joserfc.jwk import OKPKey

from tochka_sdk import clock, tokens, webhooks
from tochka_sdk.secrecy import is_guessable

Purpose = Literal["access", "license", "webhook", "audit"]
State = Literal["next", "active", "retired"]

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
PUBLISHED_AHEAD_S = 900
"""How long a key is published before it signs: as long as a module's rhythm of fetching keys (600 s) and the
age that caches may give the answer (300 s).
"""
KEPT_S: Mapping[Purpose, int] = {
    "access": 3600,
    "license": 35 * 24 * 3600,
    "webhook": 3600,
    "audit": 366 * 24 * 3600,
}
"""How long a retired key stays published: beyond the longest life of what it signed. An access token lives 10
minutes, the signature of a delivery 5. A license lives 72 hours, but events that carry one are delivered, and
fetched by modules that were away, for longer; who comes later still, or after a leak, asks for the license of
today. A checkpoint of the audit trail is kept by people, and looked at when they have a reason to.
"""
MOST_DROPPED = 16
"""So many keys of the trail that were thrown away are remembered, the latest."""
MOST_KEYS = 64
"""In one ring: retired keys that may still count fill it, when it is turned again and again."""
VERSION = 1
_SEED = 32
_FEWEST_BYTES = 10  # different ones in a seed: of 32 random bytes hardly ever fewer than 22 are


class RingInvalid(ValueError):
    """The keys must not be used; the sentence says why, and repeats nothing of them."""


class TurnTooSoon(ValueError):
    """The next key has not been published for long enough. `wait_s` is how many seconds are missing."""

    def __init__(self, purpose: Purpose, wait_s: int) -> None:
        super().__init__(f"the next {purpose} key has to be published for {wait_s} s more")
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class RingKey:
    """A private key and where it is in its life. `private` is a JWK as JSON, or `whsk_…`."""

    state: State
    since: int
    private: str = field(repr=False)

    @property
    def jwk(self) -> OKPKey:
        """The key of `access`, `license` and `audit`."""
        return tokens.read_key(self.private)

    @property
    def whpk(self) -> str:
        """The public half of a `webhook` key."""
        return webhooks.public_key_of(self.private)

    @property
    def name(self) -> str:
        """What the key is called in public: its `kid`, or the `whpk_` key itself."""
        return self.whpk if self.private.startswith(webhooks.PRIVATE_PREFIX) else str(self.jwk.kid)


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys of one purpose: one is active, at most one is next."""

    purpose: Purpose
    keys: tuple[RingKey, ...]

    @classmethod
    def of(cls, purpose: Purpose, private: str, moment: int, *, following: bool = True) -> "Ring":
        """A ring around one key, active now; with a fresh next one unless not `following`."""
        fresh = (RingKey("next", moment, _fresh(purpose)),) if following else ()
        return cls(purpose, (RingKey("active", moment, private), *fresh))

    @property
    def active(self) -> RingKey:
        """The key that signs."""
        return next(key for key in self.keys if key.state == "active")

    @property
    def following(self) -> RingKey | None:
        """The next key, if there is one."""
        return next((key for key in self.keys if key.state == "next"), None)

    def ends_at(self, key: RingKey) -> int | None:
        """The unix second from which nothing that the key signed can be valid; None while it may sign."""
        return key.since + KEPT_S[self.purpose] if key.state == "retired" else None

    def alive(self, moment: int) -> tuple[RingKey, ...]:
        """The keys whose signatures count at a moment: active, next, and what retired lately."""
        order = {"active": 0, "next": 1, "retired": 2}
        kept = [key for key in self.keys if (end := self.ends_at(key)) is None or moment < end]
        return tuple(sorted(kept, key=lambda key: (order[key.state], -key.since)))

    def turned(self, moment: int, *, at_once: bool = False) -> "Ring":
        """The ring one step on; retired keys whose time has passed are gone.

        Args:
            moment: unix seconds.
            at_once: do not wait for the next key to have been published long enough.

        Raises:
            TurnTooSoon: it has not.
        """
        following = self.following
        wait = PUBLISHED_AHEAD_S - (moment - following.since if following else 0)
        if wait > 0 and not at_once:
            raise TurnTooSoon(self.purpose, wait)
        private = following.private if following else _fresh(self.purpose)
        retired = [key for key in self.alive(moment) if key.state == "retired"]
        return Ring(
            self.purpose,
            (
                RingKey("active", moment, private),
                RingKey("next", moment, _fresh(self.purpose)),
                RingKey("retired", moment, self.active.private),
                *retired,
            ),
        )


@dataclass(frozen=True, slots=True)
class Rings:
    """All the rings of a platform. What `parse` gives was checked; what you put together, `check`. `dropped`
    are the public halves (`x` of a JWK) of keys of `audit` that were thrown away.
    """

    access: Ring
    license: Ring
    webhook: Ring
    audit: Ring
    dropped: tuple[str, ...] = field(default=(), kw_only=True)

    def __iter__(self) -> Iterator[Ring]:
        """The four rings."""
        return iter((self.access, self.license, self.webhook, self.audit))

    @classmethod
    def of(
        cls,
        access: str,
        license: str,
        webhook: str,
        audit: str,
        moment: int | None = None,
        *,
        following: bool = True,
    ) -> "Rings":
        """Rings around four private keys, see `Ring.of`."""
        now = _now() if moment is None else moment
        given = zip(PURPOSES, (access, license, webhook, audit), strict=True)
        return cls(*(Ring.of(purpose, private, now, following=following) for purpose, private in given))

    @classmethod
    def fresh(cls, moment: int | None = None) -> "Rings":
        """Rings of new keys."""
        access, license, webhook, audit = (_fresh(purpose) for purpose in PURPOSES)
        return cls.of(access, license, webhook, audit, moment)

    @classmethod
    def parse(cls, text: str) -> "Rings":
        """The rings in the text of a file, every key of them checked. Raises `RingInvalid`."""
        document = _document(text)
        given = (Ring(purpose, _keys(purpose, document.get(purpose))) for purpose in PURPOSES)
        rings = cls(*given, dropped=_dropped(document.get("dropped", [])))
        rings.check()
        return rings

    @classmethod
    def completed(cls, text: str) -> str:
        """The text of a file with a fresh ring for every purpose that an older version did not have.

        Raises:
            RingInvalid: the file is not one.
        """
        document = _document(text)
        missing = [purpose for purpose in PURPOSES if purpose not in document]
        if not missing:
            return text
        return json.dumps(
            document | {purpose: _shown(Ring.of(purpose, _fresh(purpose), _now())) for purpose in missing},
            indent=1,
        )

    def render(self) -> str:
        """The text of a file."""
        document: dict[str, Any] = {"version": VERSION}
        for ring in self:
            document[ring.purpose] = _shown(ring)
        if self.dropped:
            document["dropped"] = list(self.dropped)
        return json.dumps(document, indent=1)

    def turned(self, purposes: tuple[Purpose, ...], moment: int, *, at_once: bool = False) -> "Rings":
        """The rings of `purposes` turned, the others as they are. Raises `TurnTooSoon` for any of them."""
        return self._with(ring.turned(moment, at_once=at_once) for ring in self if ring.purpose in purposes)

    def replaced(self, purposes: tuple[Purpose, ...], moment: int) -> "Rings":
        """Fresh rings for `purposes`: nothing that was signed until now counts any more."""
        fresh = self._with(Ring.of(purpose, _fresh(purpose), moment) for purpose in purposes)
        if "audit" not in purposes:
            return fresh
        thrown_away = str(self.audit.active.jwk.as_dict(private=False)["x"])
        return replace(fresh, dropped=(*self.dropped, thrown_away)[-MOST_DROPPED:])

    def _with(self, rings: Iterable[Ring]) -> "Rings":
        changed: dict[str, Any] = {ring.purpose: ring for ring in rings}
        return replace(self, **changed)

    def check(self) -> None:
        """Refuse keys that must not be used: weak or well-known ones, one key for two purposes, two keys of
        one name, one that does not verify what it signs. Raises `RingInvalid`.
        """
        seeds: set[bytes] = set()
        names: set[str] = set()
        for ring in self:
            states = [key.state for key in ring.keys]
            if len(states) > MOST_KEYS:
                raise RingInvalid(f"there are more than {MOST_KEYS} {ring.purpose} keys")
            if states.count("active") != 1 or states.count("next") > 1:
                raise RingInvalid(f"one {ring.purpose} key must be active, and at most one next")
            for key in ring.keys:
                seed = _sound(ring.purpose, key)
                if seed in seeds:
                    raise RingInvalid(f"a {ring.purpose} key has another place, too: a key has one purpose")
                seeds.add(seed)
                if key.name in names:
                    raise RingInvalid(f"two keys have the name of a {ring.purpose} key")
                names.add(key.name)


def _now() -> int:
    return int(clock.now().timestamp())


def _fresh(purpose: Purpose) -> str:
    if purpose == "webhook":
        return webhooks.generate_keypair()[0]
    return json.dumps(tokens.generate_key().as_dict(private=True))


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise RingInvalid("the key rings are no JSON") from None
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise RingInvalid(f"the key rings are not of version {VERSION}")
    return document


def _shown(ring: Ring) -> list[dict[str, object]]:
    """A ring as it stands in the file."""
    return [{"state": key.state, "since": key.since, "key": _told(ring.purpose, key)} for key in ring.keys]


def _told(purpose: Purpose, key: RingKey) -> object:
    return key.private if purpose == "webhook" else json.loads(key.private)


def _keys(purpose: Purpose, members: object) -> tuple[RingKey, ...]:
    """The keys of a ring as they stand in the file, in their types."""
    if not isinstance(members, list):
        raise RingInvalid(f"there is no ring of {purpose} keys")
    found = []
    for member in members:
        content = member if isinstance(member, dict) else {}
        state, since, key = content.get("state"), content.get("since"), content.get("key")
        if state not in get_args(State) or type(since) is not int or since < 0:
            raise RingInvalid(f"a {purpose} key does not say its state and since when")
        if not isinstance(key, str if purpose == "webhook" else dict):
            raise RingInvalid(f"a {purpose} key is not of its kind")
        found.append(RingKey(cast("State", state), since, key if isinstance(key, str) else json.dumps(key)))
    return tuple(found)


def _dropped(members: object) -> tuple[str, ...]:
    """Public halves as they stand in the file."""
    if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
        raise RingInvalid("the keys that were thrown away are not told by their public halves")
    try:
        for member in members:
            tokens.key_of({"x": member})
    except tokens.TokenInvalid:
        raise RingInvalid("a key that was thrown away is none") from None
    return tuple(members)


def _sound(purpose: Purpose, key: RingKey) -> bytes:
    """The seed of a key that is long, random, unknown, and verifies what it signs. Raises `RingInvalid`."""
    try:
        seed = _seed(purpose, key.private)
        _sign_and_verify(purpose, key)
    except (ValueError, KeyError, tokens.TokenInvalid, webhooks.SignatureInvalid):
        raise RingInvalid(f"a {purpose} key is not one, or does not verify what it signs") from None
    if len(set(seed)) < _FEWEST_BYTES or is_guessable(seed):
        raise RingInvalid(f"a {purpose} key is one that everybody knows, or could guess")
    return seed


def _seed(purpose: Purpose, private: str) -> bytes:
    if purpose == "webhook":
        return base64.b64decode(private.removeprefix(webhooks.PRIVATE_PREFIX), validate=True)[:_SEED]
    text = str(tokens.read_key(private).as_dict(private=True)["d"])
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _sign_and_verify(purpose: Purpose, key: RingKey) -> None:
    """Sign with the private half, verify with what will be published."""
    if purpose == "webhook":
        headers = webhooks.sign("self-test", _now(), b"", private_key=key.private)
        webhooks.verify(headers, b"", public_keys=[key.whpk])
        return
    jwks = {"keys": [tokens.public_jwk(key.jwk)]}
    token = tokens.encode("self-test", {"iss": "self", "aud": purpose}, key.jwk)
    tokens.decode(token, jwks, typ="self-test", issuer="self", audience=purpose)
