"""Catalogues of phrases, read once from package data, with the plurals that each language has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from babel import Locale

LANGUAGES = ("ru", "en")
DEFAULT_LANGUAGE = "ru"
PARTS = ("common", "storefront", "admin")

Phrase = str | Mapping[str, str]


class UnknownPhrase(LookupError):
    """A page asked for a phrase that no catalogue has: a mistake in the page, never in the request."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The phrases of one language."""

    language: str
    phrases: Mapping[str, Phrase]
    locale: Locale

    def say(self, key: str, /, **values: object) -> str:
        """The phrase under `key`; `count` picks the plural form and may appear in the text."""
        try:
            phrase = self.phrases[key]
        except KeyError:
            raise UnknownPhrase(f"{self.language}: {key}") from None
        if not isinstance(phrase, str):
            count = values["count"]
            form = self.locale.plural_form(count if isinstance(count, int) else 0)
            phrase = phrase.get(form) or phrase["other"]
        return phrase.format_map(values) if values else phrase

    def has(self, key: str) -> bool:
        """Whether the catalogue knows the phrase."""
        return key in self.phrases


@cache
def catalog(language: str) -> Catalog:
    """The catalogue of a language that the shop speaks."""
    phrases: dict[str, Phrase] = {}
    for name in PARTS:
        source = files("tochka_shop.locales").joinpath(language, f"{name}.json")
        phrases.update(_flat(json.loads(source.read_text(encoding="utf-8")), ""))
    return Catalog(language, phrases, Locale.parse(language))


def _flat(tree: Mapping[str, object], prefix: str) -> dict[str, Phrase]:
    """Nested groups become dotted keys; a group with «other» inside is one phrase with its plurals."""
    flat: dict[str, Phrase] = {}
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, str):
            flat[key] = value
        elif isinstance(value, Mapping) and "other" in value:
            flat[key] = {str(form): str(text) for form, text in value.items()}
        elif isinstance(value, Mapping):
            flat.update(_flat(value, f"{key}."))
    return flat
