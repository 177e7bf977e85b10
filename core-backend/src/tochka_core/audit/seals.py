"""What is sealed, as bytes: the leaf of an entry, the hash of a seal, and the checkpoint that is signed.

All three are SHA-256 or JWS over JSON with sorted keys and no spaces, so that anybody can recompute them from
what the tables hold (docs/adr/0010). A leaf holds the entry's number in the trail; a seal's hash holds its
leaves and the hash of the seal before it; a checkpoint holds the hash.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from joserfc.jwk import OKPKey
from tochka_sdk import tokens

CHECKPOINT = "audit-checkpoint+jwt"
AUDIENCE = "audit"
WIDTH = 32
NOTHING = bytes(WIDTH)
"""The hash before the first seal."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends: its last seal's position and hash, and how many entries all of it holds."""

    position: int = 0
    hash: bytes = NOTHING
    entries: int = 0


@dataclass(frozen=True, slots=True)
class Seal:
    """A link of the chain, as it is stored. `first_number` is the number of its first entry, from 1."""

    position: int
    first_number: int
    entry_ids: Sequence[UUID]
    leaves: bytes
    previous_hash: bytes
    hash: bytes
    sealed_at: datetime
    checkpoint: str

    @property
    def head(self) -> Head:
        """Where the chain ends with this seal."""
        return Head(self.position, self.hash, self.first_number + len(self.entry_ids) - 1)

    def leaf(self, index: int) -> bytes:
        """The leaf of one of its entries, counted from 0."""
        return self.leaves[index * WIDTH : (index + 1) * WIDTH]

    def hash_of_content(self) -> bytes:
        """What `hash` must be."""
        return hash_of(
            Head(self.position - 1, self.previous_hash, self.first_number - 1),
            self.entry_ids,
            self.leaves,
            self.sealed_at,
        )


def leaf_of(number: int, entry: Mapping[str, Any]) -> bytes:
    """The leaf of an entry (a row of `repository.TAKE`) that is the trail's `number`th."""
    return _digest({**entry, "number": number, "occurred_at": _moment(entry["occurred_at"])})


def hash_of(before: Head, entry_ids: Sequence[UUID], leaves: bytes, sealed_at: datetime) -> bytes:
    """The hash of the seal that follows `before` and holds these entries."""
    return _digest(
        {
            "position": before.position + 1,
            "first_number": before.entries + 1,
            "previous_hash": before.hash.hex(),
            "entry_ids": entry_ids,
            "leaves": hashlib.sha256(leaves).hexdigest(),
            "sealed_at": _moment(sealed_at),
        }
    )


def close(
    before: Head, entries: Sequence[Mapping[str, Any]], sealed_at: datetime, key: OKPKey, issuer: str
) -> Seal:
    """Seal entries behind `before`, and sign."""
    ids = [entry["id"] for entry in entries]
    leaves = b"".join(leaf_of(number, entry) for number, entry in enumerate(entries, before.entries + 1))
    digest = hash_of(before, ids, leaves, sealed_at)
    after = Head(before.position + 1, digest, before.entries + len(entries))
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "iat": int(sealed_at.timestamp()),
        **claims_of(after),
    }
    checkpoint = tokens.encode(CHECKPOINT, claims, key)
    return Seal(after.position, before.entries + 1, ids, leaves, before.hash, digest, sealed_at, checkpoint)


def claims_of(head: Head) -> dict[str, object]:
    """What a checkpoint says of the trail."""
    return {"seal": head.position, "entries": head.entries, "hash": head.hash.hex()}


def _digest(content: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(orjson.dumps(content, _text, orjson.OPT_SORT_KEYS)).digest()


def _text(value: object) -> str:
    """A UUID of the driver's own kind."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError


def _moment(value: datetime) -> str:
    """UTC as the driver gives it, always with microseconds."""
    return value.isoformat(timespec="microseconds")
