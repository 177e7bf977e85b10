"""Checkpoints on their way out and back: one in a line, as people and logs keep them."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

MEMBERS = ("protected", "payload", "signature")


class CheckpointMalformed(ValueError):
    """What was kept is no checkpoint; the sentence says where."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint that was kept elsewhere, and the line in which it stands. Not verified yet."""

    line: int
    token: str
    seal: int
    entries: int
    hash: str

    @property
    def claims(self) -> dict[str, object]:
        """What it says, as `seals.claims_of` has it."""
        return {"seal": self.seal, "entries": self.entries, "hash": self.hash}


def flattened(token: str) -> dict[str, str]:
    """The same as a JWS in its JSON serialisation (RFC 7515 §7.2.2), which logs do not take for a secret."""
    return dict(zip(MEMBERS, token.split("."), strict=True))


def read(lines: Iterable[str]) -> list[Kept]:
    """The checkpoints in a file: one a line, alone or as a line of the log; other lines of a log are passed
    over.

    Raises:
        CheckpointMalformed: a line is neither, or there is none at all.
    """
    found = [kept for number, line in enumerate(lines, 1) if (kept := _read(number, line.strip()))]
    if not found:
        raise CheckpointMalformed("There is no checkpoint in it.")
    return found


def _read(number: int, line: str) -> Kept | None:
    if not line:
        return None
    try:
        token = _compact(orjson.loads(line)) if line.startswith("{") else line
        if token is None:
            return None
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return Kept(number, token, int(claims["seal"]), int(claims["entries"]), str(claims["hash"]))
    except (ValueError, LookupError, TypeError):
        raise CheckpointMalformed(f"Line {number} of it is no checkpoint.") from None


def _compact(line: dict[str, Any]) -> str | None:
    """A line of a log; None for one that tells of something else."""
    if not all(name in line for name in MEMBERS):
        return None
    return ".".join(str(line[name]) for name in MEMBERS)
