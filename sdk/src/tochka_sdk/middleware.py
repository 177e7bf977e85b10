"""Pure ASGI: which installation a request is for, told by its host."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from tochka_sdk import requests
from tochka_sdk.errors import DomainError
from tochka_sdk.hosts import normal_host
from tochka_sdk.installations import Installation, InstallationClosed, InstallationUnknown, serving
from tochka_sdk.problems import Page, Problem, wants_html
from tochka_sdk.runtime import SCOPE_KEY, Runtime

DOOR = "/_tochka/webhooks"
HEALTH = "/_tochka/health"
MANIFEST = "/.well-known/tochka-module.json"
SESSION = "/_tochka/session"
_PLATFORM = {DOOR: ("POST",), HEALTH: ("GET", "HEAD"), MANIFEST: ("GET", "HEAD")}


def _other_method(methods: tuple[str, ...]) -> ASGIApp:
    phrase = HTTPStatus.METHOD_NOT_ALLOWED.phrase
    headers = {"Allow": ", ".join(methods)}
    detail = "This address does not take this method."
    return Problem(405, "request.method_not_allowed", phrase, detail, headers=headers).response()


class InstallationMiddleware:
    """Finds the installation by the `Host` header and serves the request as that one.

    Unknown hosts get 404, closed licenses 403: as a page for browsers, as problem+json for programs. The
    platform's own addresses pass without an installation, and are nobody else's whatever the method: a
    module may have a route that matches every path.
    """

    def __init__(self, app: ASGIApp, *, page: Page) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection; what is neither HTTP nor a WebSocket passes as it is."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        runtime: Runtime = scope["app"].state.tochka
        scope[SCOPE_KEY] = runtime
        methods = _PLATFORM.get(scope["path"])
        if methods is not None:
            passes = scope.get("method") in methods
            await (self._app if passes else _other_method(methods))(scope, receive, send)
            return
        try:
            installation = await self._installation(runtime, scope)
        except DomainError as error:
            await self._refuse(error, scope, receive, send)
            return
        requests.bind(tenant_id=installation.tenant_id, installation_id=installation.id)
        with serving(installation):
            await self._app(scope, receive, send)

    async def _installation(self, runtime: Runtime, scope: Scope) -> Installation:
        host = normal_host(Headers(scope=scope).get("host", ""))
        installation = await runtime.hosts.find(host) if host else None
        if installation is None:
            raise InstallationUnknown("There is nothing at this address.")
        if installation.license.access == "closed":
            raise InstallationClosed("This address is closed at the moment.")
        return installation

    async def _refuse(self, error: DomainError, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": error.code})
            return
        connection, problem = HTTPConnection(scope), Problem.of(error)
        shown = self._page(connection, problem) if wants_html(connection) else None
        await (shown or problem.response())(scope, receive, send)
