"""Every address of the core, walked: security headers on each answer, no page that runs what is inline."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from core_kit.pages import require_locked, require_safe_page
from core_kit.running import RunningCore
from starlette.routing import BaseRoute, Mount
from tochka_core.app import create_app

pytestmark = pytest.mark.anyio

OWN = {"Host": "localhost:8080", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = {"/docs", "/dev/inbox"}


def _paths(routes: list[BaseRoute]) -> Iterator[str]:
    """An address of every route that can be read."""
    for route in routes:
        included = getattr(route, "effective_route_contexts", None)  # a router that FastAPI has taken in
        found: list[Any] = [route] if included is None else list(included())
        for one in found:
            if isinstance(one, Mount):
                yield f"{one.path}/swagger-ui.css"
            elif "GET" in one.methods:
                yield re.sub(r"{[^}]+}", "00000000-0000-4000-8000-000000000000", one.path)


async def test_no_answer_lacks_its_headers_and_no_page_runs_what_is_not_allowed(
    core: RunningCore, client: httpx.AsyncClient
) -> None:
    pages = set()
    paths = [*_paths(create_app(core.settings).router.routes), "/nothing", "/api/v1/nothing"]
    assert len(paths) > 15
    for path in paths:
        answer = await client.get(path, headers=OWN)
        require_locked(answer.headers)
        if answer.headers.get("content-type", "").startswith("text/html"):
            require_safe_page(answer.headers, answer.text)
            pages.add(path)
    assert pages == PAGES


async def test_an_inline_script_would_be_noticed(client: httpx.AsyncClient) -> None:
    docs = await client.get("/docs")
    for planted in (
        "<script>1</script>",
        "<p onclick='x()'>",
        "<a href='javascript:x()'>",
        "<style>p{}</style>",
    ):
        with pytest.raises(AssertionError):
            require_safe_page(docs.headers, docs.text + planted)
    loose = docs.headers["content-security-policy"].replace("script-src", "script-src 'unsafe-inline'")
    with pytest.raises(AssertionError):
        require_locked({**docs.headers, "content-security-policy": loose})
