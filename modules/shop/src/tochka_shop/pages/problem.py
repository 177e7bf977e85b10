"""What a browser sees when something went wrong: a sentence in the reader's language and a way back."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.responses import Response
from tochka_sdk.problems import Problem

from tochka_shop.locales.catalogs import DEFAULT_LANGUAGE, catalog
from tochka_shop.locales.choice import chosen_language
from tochka_shop.locales.formats import DEFAULT_OFFSET
from tochka_shop.pages.view import Meta, render

_OF_THE_PLATFORM = frozenset({"installations.unknown", "installations.closed", "admin.sign_in_required"})


@dataclass(frozen=True, slots=True)
class Explanation:
    """What to tell a person about a problem."""

    heading: str
    sentence: str
    reference: str
    headers: Mapping[str, str]


def concerns_the_platform(problem: Problem) -> bool:
    """Whether the SDK's own page says it better: signing in, addresses, licenses."""
    return problem.code in _OF_THE_PLATFORM or problem.code.startswith(("tickets.", "tokens."))


def explain(problem: Problem, language: str) -> Explanation:
    """A problem in a person's words."""
    words = catalog(language)
    group = f"problem.{problem.status}" if words.has(f"problem.{problem.status}.title") else "problem.any"
    own = f"error.{problem.code}"
    return Explanation(
        heading=words.say(f"{group}.title"),
        sentence=words.say(own, **problem.extra) if words.has(own) else words.say(f"{group}.text"),
        reference=str(problem.as_dict()["request_id"]) if problem.status >= 500 else "",
        headers={**problem.headers, "Cache-Control": "no-store"},
    )


def problem_page(request: HTTPConnection, problem: Problem) -> Response:
    """The page for a problem that came before the shop around it was known."""
    language = chosen_language(request, DEFAULT_LANGUAGE)
    told = explain(problem, language)
    return render(
        request,
        "problem.html",
        language=language,
        utc_offset=DEFAULT_OFFSET,
        status=problem.status,
        headers=told.headers,
        meta=Meta(title=told.heading),
        accent="ink",
        site_name="",
        told=told,
        back="/admin" if request.url.path.startswith("/admin") else "/",
    )
