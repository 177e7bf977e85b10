"""What every endpoint of the admin starts from: who is at the desk, and how a page is answered."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Request
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse
from tochka_sdk.errors import NotFound
from tochka_sdk.module import AdminUser, InstallationSession
from tochka_sdk.problems import Problem

from tochka_shop.admin import service
from tochka_shop.admin.schemas import Desk
from tochka_shop.locales.catalogs import catalog
from tochka_shop.pages.forms import Form, parse_uuid
from tochka_shop.pages.problem import explain
from tochka_shop.pages.view import Meta, render

MAX_FIELDS = 400
MAX_PART = 256 * 1024
PAGE = ["GET", "HEAD"]
PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


async def _desk(request: Request, user: AdminUser, session: InstallationSession) -> Desk:
    desk = await service.get_desk(session, request, user)
    request.state.desk = desk  # for the page of a problem, should there be one
    return desk


CurrentDesk = Annotated[Desk, Depends(_desk, scope="function")]
"""The desk of somebody who is signed in; nobody else gets further."""


async def _manager(desk: CurrentDesk) -> Desk:
    desk.user.require("owner", "admin")
    return desk


ManagerDesk = Annotated[Desk, Depends(_manager, scope="function")]
"""The desk of an owner or an admin."""


def show(
    request: HTTPConnection, desk: Desk, template: str, title: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Answer with a page of the admin. `said` in the address is the key of a word of confirmation."""
    words = catalog(desk.language)
    said = f"said.{request.query_params.get('said', '')}"
    return render(
        request,
        f"admin/{template}.html",
        language=desk.language,
        utc_offset=desk.shop.utc_offset,
        status=status,
        headers=PRIVATE,
        meta=Meta(title=f"{title} — {desk.shop.name}"),
        accent=desk.shop.accent,
        site_name=desk.shop.name,
        desk=desk,
        shop=desk.shop,
        heading=title,
        said=words.say(said) if words.has(said) and status == 200 else "",
        **values,
    )


def phrase(desk: Desk, key: str, **values: object) -> str:
    """A phrase in the language of whoever is at the desk."""
    return catalog(desk.language).say(key, **values)


def go(path: str, said: str = "") -> RedirectResponse:
    """Go on to a page, which will say that it worked."""
    return RedirectResponse(f"{path}?said={said}" if said else path, 303, PRIVATE)


def path_id(text: str) -> UUID:
    """An identifier in an address; whatever is not one is not found."""
    known = parse_uuid(text)
    if known is None:
        raise NotFound("There is nothing at this address.")
    return known


def page_link(path: str, **query: str) -> Callable[[int], str]:
    """The address of another page of the same list."""

    def link(number: int) -> str:
        return f"{path}?{urlencode({**query, 'page': number})}"

    return link


async def _form(request: Request) -> Form:
    async with request.form(max_files=0, max_fields=MAX_FIELDS, max_part_size=MAX_PART) as data:
        return Form(data)


SentForm = Annotated[Form, Depends(_form)]
"""What was sent, without files. Stands before the session among the parameters: a body that comes slowly
must not hold a transaction.
"""


def problem_page(request: HTTPConnection, problem: Problem) -> HTMLResponse | None:
    """The page for a problem at the desk; None if nobody is known to sit at it."""
    desk = getattr(request.state, "desk", None)
    if not isinstance(desk, Desk):
        return None
    told = explain(problem, desk.language)
    return show(request, desk, "problem", told.heading, status=problem.status, told=told)
