"""The rule for labels: shape, and the names that are nobody's (kept as data beside this file)."""

import re
from importlib.resources import files
from string import ascii_lowercase, ascii_uppercase

from tochka_core.domains.schemas import Reason

LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
SHAPE = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,30}[a-z0-9])")


def _words(name: str) -> frozenset[str]:
    """The words of a data file: separated by white space; `#` starts a comment."""
    text = files("tochka_core.domains").joinpath(name).read_text("utf-8")
    return frozenset(word for line in text.splitlines() for word in line.partition("#")[0].split())


RESERVED = _words("reserved.txt")
OBSCENE = _words("obscene.txt")


def lowered(text: str) -> str:
    """The label in lower case. Letters of ASCII alone: Unicode would turn a Kelvin sign into a k."""
    return text.translate(LOWER)


def refusal(label: str) -> Reason | None:
    """Why nobody can have this (lower-cased) label, whoever asks."""
    if SHAPE.fullmatch(label) is None or label[2:4] == "--":
        return "malformed"
    if label in RESERVED or label.replace("-", "") in RESERVED:
        return "reserved"
    if any(part in OBSCENE for part in (*label.split("-"), label.replace("-", ""))):
        return "reserved"
    return None
