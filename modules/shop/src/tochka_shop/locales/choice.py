"""Which language a reader gets: the address first, then the cookie, then the browser, then the shop's own."""

from starlette.requests import HTTPConnection

from tochka_shop.locales.catalogs import LANGUAGES

LANGUAGE_COOKIE = "lang"


def asked_language(request: HTTPConnection) -> str | None:
    """The language that the reader asked for, by the address or by an earlier choice."""
    for wish in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if wish in LANGUAGES:
            return wish
    return None


def chosen_language(request: HTTPConnection, shop_language: str) -> str:
    """The language for this request."""
    asked = asked_language(request)
    return asked or preferred_language(request.headers.get("accept-language", "")) or shop_language


def preferred_language(header: str) -> str | None:
    """The best of our languages by an `Accept-Language` header; None if it names none of them."""
    best: tuple[float, str] | None = None
    for part in header[:500].split(","):
        tag, _, rest = part.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        if language not in LANGUAGES:
            continue
        weight = _weight(rest)
        if weight > 0 and (best is None or weight > best[0]):
            best = (weight, language)
    return best[1] if best else None


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
