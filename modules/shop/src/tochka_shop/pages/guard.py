"""The wall against forged requests: what changes something comes from this very address, or from no browser.

Neighbouring shops live under the same registrable domain, so `SameSite` cookies alone do not part them;
browsers say where a request comes from by `Sec-Fetch-Site` and `Origin`.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from tochka_sdk.errors import Forbidden
from tochka_sdk.problems import render

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PLATFORM = "/_tochka/"  # entered from outside on purpose: signed events, one-time tickets


class CrossSiteRequest(Forbidden):
    """403: the form was not one of this shop's."""

    code = "pages.cross_site"


class SameOrigin:
    """Refuses requests that change something and come from elsewhere."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_fine(scope):
            await self._app(scope, receive, send)
            return
        await render(CrossSiteRequest("This form was not sent from this shop."))(scope, receive, send)

    @staticmethod
    def _is_fine(scope: Scope) -> bool:
        if scope["method"] in _SAFE or scope["path"].startswith(_PLATFORM):
            return True
        headers = Headers(scope=scope)
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
