"""Texts that people type, made fit for addresses and for comparing: slugs and search words."""

import re
import unicodedata
from collections.abc import Collection

SLUG_LENGTH = 80
MAX_WORDS = 8

_LATIN = {
    **dict(zip("абвгдеёзийклмнопрстуфыэіґў", "abvgdeeziyklmnoprstufyeigu", strict=True)),
    "ж": "zh",
    "х": "kh",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "shch",
    "ю": "yu",
    "я": "ya",
    "ъ": "",
    "ь": "",
    "ї": "yi",
    "є": "ye",
}
_BREAKS = re.compile(r"[^a-z0-9]+")
_SLUG = re.compile(r"[a-z0-9-]{1,100}")
_WORD = re.compile(r"\w+")


def slugify(title: str, fallback: str) -> str:
    """Turn a title into a part of an address: «Чай «Иван»» becomes `chay-ivan`."""
    lowered = unicodedata.normalize("NFKC", title).lower()
    latin = "".join(_LATIN.get(letter, letter) for letter in lowered)
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()
    slug = _BREAKS.sub("-", plain).strip("-")[:SLUG_LENGTH].strip("-")
    return slug or fallback


def is_slug(text: str) -> bool:
    """Whether an address could be one of ours; what could not is not asked for."""
    return _SLUG.fullmatch(text) is not None


def free_slug(wanted: str, taken: Collection[str]) -> str:
    """The wanted slug, or the first numbered one that is not taken."""
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}-{number}" in taken:
        number += 1
    return f"{wanted}-{number}"


def search_text(*parts: str) -> str:
    """What a search compares with: lower case, «ё» as «е», words parted by single spaces."""
    joined = unicodedata.normalize("NFKC", " ".join(parts)).lower().replace("ё", "е")
    return " ".join(_WORD.findall(joined))


def search_words(query: str) -> list[str]:
    """The words a buyer is looking for, in the form that `search_text` stores."""
    return search_text(query[:200]).split()[:MAX_WORDS]


def one_line(text: str) -> str:
    """Collapse white space and drop control characters: for titles and names."""
    visible = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(visible.split())


def paragraphs(text: str) -> str:
    """Keep line breaks, drop other control characters: for descriptions and comments."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    visible = "".join(letter for letter in unified if letter == "\n" or letter.isprintable())
    return re.sub(r"\n{3,}", "\n\n", visible).strip()
