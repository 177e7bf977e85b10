"""What a browser sees when something went wrong: a sentence in the reader's language and a way back."""

from starlette.requests import HTTPConnection
from starlette.responses import Response
from tochka_sdk.problems import Problem

from tochka_shop.locales.catalogs import DEFAULT_LANGUAGE, catalog
from tochka_shop.locales.choice import chosen_language
from tochka_shop.locales.formats import DEFAULT_OFFSET
from tochka_shop.pages.view import Meta, render

_OF_THE_PLATFORM = frozenset({"installations.unknown", "installations.closed", "admin.sign_in_required"})


def problem_page(request: HTTPConnection, problem: Problem) -> Response | None:
    """The page for a problem; None leaves what concerns the platform to the SDK's own page."""
    if problem.code in _OF_THE_PLATFORM or problem.code.startswith(("tickets.", "tokens.")):
        return None
    language = chosen_language(request, DEFAULT_LANGUAGE)
    words = catalog(language)
    group = f"problem.{problem.status}" if words.has(f"problem.{problem.status}.title") else "problem.other"
    own = f"error.{problem.code}"
    heading = words.say(f"{group}.title")
    is_admin = request.url.path.startswith("/admin")
    return render(
        request,
        "problem.html",
        language=language,
        utc_offset=DEFAULT_OFFSET,
        status=problem.status,
        headers={**problem.headers, "Cache-Control": "no-store"},
        meta=Meta(title=heading),
        accent="ink",
        site_name="",
        heading=heading,
        sentence=words.say(own, **problem.extra) if words.has(own) else words.say(f"{group}.text"),
        back="/admin" if is_admin else "/",
        reference=str(problem.as_dict()["request_id"]) if problem.status >= 500 else "",
    )
