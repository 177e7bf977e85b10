"""The platform's keys, one purpose each, what is published of them, and how they change while it runs.

Signing keys stand in a file (`Settings.keyring_file`, see `tochka_sdk.key_rings`) that is read again whenever
it changes, or in the settings, and then they stay. A process holds one `Keyring` at a time and swaps it
whole: keys that cannot be used never replace those that can.
"""

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from joserfc.jwk import KeySet, OKPKey
from prometheus_client import Counter, Gauge
from pydantic import SecretStr
from tochka_sdk import clock, logs
from tochka_sdk.key_rings import Purpose, Ring, RingInvalid, RingKey, Rings
from tochka_sdk.signing import receiver_secret
from tochka_sdk.tokens import key_of, public_jwk

from tochka_core.settings import Settings

POLL_S = 1.0
RELOADS = Counter("tochka_keyring_reloads", "Changes of the key file, by what became of them.", ("result",))
REFUSED = Gauge("tochka_keyring_refused", "1 while the key file cannot be used and the keys before it are.")
_log = logs.get_logger(__name__)
_Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Rotation:
    """A key that began to sign, in public names: which one, for what, since which unix second, and the key
    that it took the place of, as far as that is known. Of `audit` the public half is told as well.
    """

    purpose: Purpose
    key: str
    since: int
    replaced: str | None
    public: str | None


@dataclass(frozen=True)
class Keyring:
    """Private keys and peppers: `access` signs tokens, `license` licenses and tickets, `webhook` events,
    `audit` checkpoints of the audit trail.

    `access_keys` are those whose tokens count: the active key, the next one, since another instance may be
    ahead, and the retired ones. `webhook` is a Standard Webhooks `whsk_` key. `master` derives the `whsec_`
    secret of each receiver, so that none has to be stored. `sealers` are the public keys of which the trail's
    newest seal may be: those of `audit`, and those that were thrown away. `changes_at` is the unix second at
    which a retired key is forgotten. `rotations` are those that the rings tell of, oldest first. `proven` are
    tokens whose signatures were found right with these keys, and what they say.
    """

    access: OKPKey
    access_keys: KeySet
    license: OKPKey
    webhook: str
    webhook_public: str
    audit: OKPKey
    published: dict[str, Any]
    sealers: dict[str, Any]
    changes_at: int | None
    rotations: tuple[Rotation, ...]
    code_pepper: bytes
    session_key: bytes
    master: bytes
    proven: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, settings: Settings, rings: Rings, moment: int) -> "Keyring":
        """What stands in `rings` and counts at `moment`."""
        access = [key.jwk for key in rings.access.alive(moment)]
        license = [key.jwk for key in rings.license.alive(moment)]
        webhook = [key.whpk for key in rings.webhook.alive(moment)]
        audit = [key.jwk for key in rings.audit.alive(moment)]
        ends = [end for ring in rings for key in ring.alive(moment) if (end := ring.ends_at(key)) is not None]
        return cls(
            access=access[0],
            access_keys=KeySet(list(access)),
            license=license[0],
            webhook=rings.webhook.active.private,
            webhook_public=webhook[0],
            audit=audit[0],
            published={
                "keys": [public_jwk(key) for key in (*access, *license)],
                "tochka_whpk": webhook,
                "tochka_audit": [public_jwk(key) for key in audit],
            },
            sealers={
                "keys": [
                    *(public_jwk(key) for key in audit),
                    *(public_jwk(key_of({"x": x})) for x in rings.dropped),
                ]
            },
            changes_at=min(ends, default=None),
            rotations=tuple(rotation for ring in rings for rotation in _rotations(ring, moment)),
            code_pepper=settings.code_pepper.get_secret_value().encode(),
            session_key=settings.session_key.get_secret_value().encode(),
            master=settings.secret_key_master.get_secret_value().encode(),
        )

    def publishes(self, name: str) -> bool:
        """Whether a key of that name (`kid`, or `whpk_…`) is among the published ones."""
        jwks = (*self.published["keys"], *self.published["tochka_audit"])
        return name in self.published["tochka_whpk"] or any(name == key["kid"] for key in jwks)

    def receiver_secret(self, receiver: str) -> str:
        """The `whsec_` secret with which deliveries to `receiver` are signed as `v1`."""
        return receiver_secret(self.master, receiver)

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWKS (RFC 7517). Those of events and of the audit trail stand beside `keys`,
        not among them: what they sign opens nothing, and they must not be able to sign what does.
        """
        return self.published


class Keys:
    """The keyring of a process, for as long as it runs.

    Raises:
        RingInvalid: the keys at the start must not be used.
        OSError: their file cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = settings.keyring_file
        self._seen = None if self._file is None else _mark(self._file)
        self._rings = _read(settings)
        self.current = Keyring.of(settings, self._rings, _now())

    async def follow(self) -> None:
        """Take what the file says whenever it changes, until cancelled."""
        while self._file is not None:
            await asyncio.sleep(POLL_S)
            try:
                await asyncio.to_thread(self.look, self._file)
            except Exception as error:  # no thread to be had, for example: the next look may do better
                _log.error("keyring.not_followed", exc_info=error)

    def look(self, file: Path) -> None:
        """Read the file if it is another one than last time; forget what retired long enough ago."""
        changes_at = self.current.changes_at
        try:
            mark = _mark(file)
        except OSError:
            mark = None
        if mark != self._seen:
            self._seen = mark
            self._reload()
        elif changes_at is not None and _now() >= changes_at:
            self.current = Keyring.of(self._settings, self._rings, _now())

    def _reload(self) -> None:
        try:
            rings = _read(self._settings)
            current = Keyring.of(self._settings, rings, _now())
        except (RingInvalid, OSError) as error:
            RELOADS.labels("refused").inc()
            REFUSED.set(1)
            reason = str(error) if isinstance(error, RingInvalid) else error.strerror
            _log.error("keyring.refused", reason=reason, detail="the keys that were used before go on")
            return
        self._rings, self.current = rings, current
        RELOADS.labels("taken").inc()
        REFUSED.set(0)
        _log.info("keyring.taken", access=current.access.kid, license=current.license.kid)


def _read(settings: Settings) -> Rings:
    """The rings of the file, or those around the keys in the settings; checked."""
    if settings.keyring_file is not None:
        rings = Rings.parse(settings.keyring_file.read_text(errors="replace"))
    else:
        keys = (settings.signing_key, settings.license_key, settings.webhook_key, settings.audit_key)
        access, license, webhook, audit = map(_text, keys)
        rings = Rings.of(access, license, webhook, audit, 0, following=False)  # ever since
        rings.check()
    others = {_text(key) for key in (settings.code_pepper, settings.session_key, settings.secret_key_master)}
    if any(key.private in others for ring in rings for key in ring.keys):
        raise RingInvalid("a signing key is one of the other secrets, too: a key has one purpose")
    return rings


def _rotations(ring: Ring, moment: int) -> list[Rotation]:
    """Which keys of a ring took over from which: one began when the one before it retired."""

    def began(key: RingKey, since: int, replaced: str | None) -> Rotation:
        public = str(key.jwk.as_dict(private=False)["x"]) if ring.purpose == "audit" else None
        return Rotation(ring.purpose, key.name, since, replaced, public)

    retired = [key for key in ring.alive(moment) if key.state == "retired"]
    keys = (*reversed(retired), ring.active)
    following = [began(key, before.since, before.name) for before, key in pairwise(keys)]
    return following or [began(ring.active, ring.active.since, None)]


def _now() -> int:
    return int(clock.now().timestamp())


def _text(key: SecretStr | None) -> str:
    return "" if key is None else key.get_secret_value()


def _mark(file: Path) -> _Mark:
    """What tells one state of the file from another."""
    status = file.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
