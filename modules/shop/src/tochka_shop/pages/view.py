"""From a template and its values to an answer in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from tochka_shop.locales.catalogs import LANGUAGES, catalog
from tochka_shop.locales.choice import LANGUAGE_COOKIE
from tochka_shop.locales.formats import date_and_time, day
from tochka_shop.money import format_roubles, roubles_for_form
from tochka_shop.pages.assets import asset
from tochka_shop.phones import format_phone

_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Meta:
    """What the head of a page says to search engines and messengers."""

    title: str
    description: str = ""
    canonical: str = ""
    image: str = ""
    kind: str = "website"
    is_indexed: bool = False
    languages: Mapping[str, str] = field(default_factory=dict)
    structured: tuple[Mapping[str, Any], ...] = ()


@cache
def _environment() -> Environment:
    places = [PackageLoader(f"tochka_shop.{slice_}") for slice_ in ("pages", "storefront", "admin")]
    environment = Environment(
        loader=ChoiceLoader(places),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset
    environment.filters["prose"] = prose
    environment.filters["phone"] = format_phone
    environment.filters["roubles"] = roubles_for_form
    return environment


def prose(text: str) -> Markup:
    """A person's text with its paragraphs and line breaks, everything else escaped."""
    blocks = (block.strip() for block in text.split("\n\n"))
    return Markup("").join(
        Markup("<p>{}</p>").format(Markup("<br>").join(escape(line) for line in block.split("\n")))
        for block in blocks
        if block
    )


def render(
    request: HTTPConnection,
    template: str,
    *,
    language: str,
    utc_offset: int,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """The page, with the language remembered if it was chosen by the address."""
    words = catalog(language)
    content = (
        _environment()
        .get_template(template)
        .render(
            t=words.say,
            knows=words.has,
            lang=language,
            money=partial(format_roubles, locale=language),
            when=partial(date_and_time, language=language, offset_minutes=utc_offset),
            day=partial(day, language=language, offset_minutes=utc_offset),
            **{"path": request.url.path, "status": status, **values},
        )
    )
    kept = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Accept-Language"}
    response = HTMLResponse(content, status, headers=kept | dict(headers or {}))
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR, samesite="lax", httponly=True)
    return response
