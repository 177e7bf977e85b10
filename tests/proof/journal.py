"""Every answer that a client saw, and whether it was one that a client may see."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

CODE = re.compile(r"[a-z]+\.[a-z_]+")
INTERNALS = re.compile(r"traceback|asyncpg|sqlalchemy|127\.0\.0\.1|\.py\b|select .+ from |insert into", re.I)
PASSING = (502, 503, 504)
"""What is said while something is down: the same request may be sent again."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer; or, without `status`, the way in which none came."""

    asked: str
    status: int | None
    text: str
    media_type: str = ""
    location: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it was a 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_passing(self) -> bool:
        """Whether the same request may simply be sent again."""
        return self.status is None or self.status in PASSING

    @property
    def body(self) -> Any:
        """The JSON of it."""
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The stable code of a problem document; empty for anything else."""
        if not self.media_type.startswith("application/problem+json"):
            return ""
        code = self.body.get("code", "")
        return code if isinstance(code, str) and CODE.fullmatch(code) else ""

    def __str__(self) -> str:
        """One line for a report."""
        return f"{self.asked} → {self.status} {self.media_type} {self.text[:300]}"


@dataclass
class Journal:
    """All answers of one run, counted; the wrong ones are kept.

    `is_calm`: nothing is down, so that an answer that only says «later» is wrong, too.
    """

    is_calm: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def note(self, seen: Seen, expected: tuple[str | int, ...] = (), *, page: bool = False) -> Seen:
        """Take in an answer. `expected` are codes, or statuses of pages, that the client provoked."""
        name = f"{seen.status}" if seen.is_good or seen.status is None else f"{seen.status} {_kind(seen)}"
        self.counts[name] += 1
        complaint = self._complaint(seen, expected, page=page)
        if complaint:
            self.wrong.append(f"{complaint}: {seen}")
        return seen

    def _complaint(self, seen: Seen, expected: tuple[str | int, ...], *, page: bool) -> str:
        """What is wrong with an answer; nothing, mostly."""
        if seen.status is None:
            lost = seen.text.startswith(("ConnectError", "ReadError", "RemoteProtocolError", "WriteError"))
            return "" if lost and not self.is_calm else "no answer"
        if seen.status < 400:
            return ""
        if INTERNALS.search(seen.text):
            return "tells of the inside"
        is_page = page and seen.media_type.startswith("text/html")
        if not (seen.code or is_page):
            return "a refusal without a code"
        is_fine = bool({seen.code, seen.status} & set(expected)) or (seen.is_passing and not self.is_calm)
        return "" if is_fine else "an unexpected refusal"


def _kind(seen: Seen) -> str:
    return seen.code or seen.media_type.partition(";")[0]
