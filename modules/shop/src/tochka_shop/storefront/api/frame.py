"""What every endpoint of the storefront starts from: the shop around the page, and how a page is answered."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse
from tochka_sdk.admin import refuse_cross_site
from tochka_sdk.module import InstallationSession
from tochka_sdk.problems import Problem

from tochka_shop.pages.forms import Form
from tochka_shop.pages.problem import explain
from tochka_shop.pages.view import Meta, render
from tochka_shop.storefront import service
from tochka_shop.storefront.schemas import Shell

PAGE = ["GET", "HEAD"]
PRIVATE = {"Cache-Control": "no-store"}


async def _shell(request: Request, session: InstallationSession) -> Shell:
    shell = await service.get_shell(session, request)
    request.state.shell = shell  # for the page of a problem, should there be one
    return shell


CurrentShell = Annotated[Shell, Depends(_shell, scope="function")]
"""The shop around the page being asked for."""


async def same_origin(request: Request) -> None:
    """Refuse what another site makes a browser send: neighbouring shops are other sites."""
    refuse_cross_site(request, request.method)


async def _form(request: Request) -> Form:
    async with request.form(max_files=0, max_fields=50, max_part_size=64 * 1024) as data:
        return Form(data)


SentForm = Annotated[Form, Depends(_form)]
"""What was sent. Stands before the session among the parameters: a body that comes slowly must not hold a
transaction.
"""


def show(
    request: HTTPConnection,
    shell: Shell,
    template: str,
    meta: Meta,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """Answer with a page of the storefront."""
    return render(
        request,
        f"storefront/{template}.html",
        language=shell.language,
        utc_offset=shell.shop.utc_offset,
        status=status,
        headers=headers,
        meta=meta,
        accent=shell.shop.accent,
        site_name=shell.shop.name,
        shell=shell,
        shop=shell.shop,
        **values,
    )


def problem_page(request: HTTPConnection, problem: Problem) -> HTMLResponse | None:
    """The page for a problem within the shop; None if the shop around it is not known."""
    shell = getattr(request.state, "shell", None)
    if not isinstance(shell, Shell):
        return None
    told = explain(problem, shell.language)
    return show(
        request,
        shell,
        "problem",
        Meta(title=f"{told.heading} — {shell.shop.name}"),
        status=problem.status,
        headers=told.headers,
        told=told,
    )
