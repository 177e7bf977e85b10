"""What every service of the platform wears: request id, access log, body limit and headers as pure ASGI
middleware; and the check of what a body is declared as.
"""

import asyncio
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tochka_sdk import context, logs
from tochka_sdk.errors import TooLarge, TooSlow, UnsupportedMediaType
from tochka_sdk.problems import INTERNAL, Problem, render

MEBIBYTE = 1024 * 1024
BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
SAID_ONCE = frozenset(
    {b"authorization", b"content-type", b"host", b"idempotency-key", b"origin", b"sec-fetch-site"}
)
_log = logs.get_logger("tochka.access")


def bind(**known: Any) -> None:
    """Add to every later log line of this request, for example `bind(tenant_id=…, user_id=…)`."""
    structlog.contextvars.bind_contextvars(**{name: str(value) for name, value in known.items()})


async def require_json(request: Request) -> None:
    """A dependency for APIs that read nothing else: refuse a body that is not declared as JSON.

    Raises:
        UnsupportedMediaType: `Content-Type` is neither `application/json` nor one that ends in `+json`.
    """
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    kind, _, subtype = headers.get("content-type", "").partition(";")[0].strip().lower().partition("/")
    is_json = kind == "application" and (subtype == "json" or subtype.endswith("+json"))
    if request.method not in BODILESS and not is_json:
        raise UnsupportedMediaType("Send the body as application/json.")


class RequestContext:
    """Gives each request an id, binds it to the logs, echoes it, and writes one access line.

    The line carries method, path without query, status, duration in ms, request id, and whatever `bind`
    added. An exception that nobody answered is logged here with its trace and answered with an empty 500.
    Put it outermost.
    """

    def __init__(self, app: ASGIApp, *, quiet: frozenset[str] = frozenset()) -> None:
        """`quiet` are paths whose successful requests are not logged, such as health checks."""
        self._app = app
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection; whatever is not HTTP passes as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        request_id = context.adopt_request_id(Headers(scope=scope).get("x-request-id"))
        context.note_client_address(scope["client"][0] if scope.get("client") else None)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = 0

        async def reply(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, reply)
        except Exception:
            if status:
                raise  # half of an answer is out: only cutting the connection tells the truth
            _log.exception("request.failed", path=scope["path"], method=scope["method"])
            await INTERNAL.response()(scope, receive, reply)
        finally:
            self._line(scope, status, started)

    def _line(self, scope: Scope, status: int, started: float) -> None:
        if status < 400 and scope["path"] in self._quiet and status:
            return
        _log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status or 499,  # nothing was answered: the client went away
            ms=round((time.perf_counter() - started) * 1000, 2),
        )


class SaidOnce:
    """Refuses a request that says twice what decides who asks, and for what.

    Two programs in a row may each believe another one of the two: the gateway the last `Host`, say, and the
    application the first.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection; whatever is not HTTP passes as it is."""
        if scope["type"] == "http":
            names = [name for name, _ in scope["headers"] if name in SAID_ONCE]
            if len(names) != len(set(names)):
                twice = next(name for name in names if names.count(name) > 1).decode("ascii")
                detail = f"The header {twice} stands there more than once."
                refusal = Problem(400, "request.malformed", HTTPStatus(400).phrase, detail)
                await refusal.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)


class BodyLimit:
    """Answers 413 when a body has more than `max_bytes`, announced or not, and 408 when it takes too long.

    Args:
        app: the application.
        max_bytes: the limit, in bytes.
        overrides: other limits by path prefix; the longest matching prefix decides.
        max_seconds: how long all of a body may take to arrive; None leaves that to the gateway.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int = MEBIBYTE,
        *,
        overrides: Mapping[str, int] | None = None,
        max_seconds: float | None = None,
    ) -> None:
        self._app = app
        self._max_seconds = max_seconds
        self._max_bytes = max_bytes
        self._overrides = sorted((overrides or {}).items(), key=lambda item: -len(item[0]))

    def _limit(self, path: str) -> int:
        return next((limit for prefix, limit in self._overrides if path.startswith(prefix)), self._max_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection; whatever is not HTTP passes as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdigit() and int(announced) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        await _Metered(self._app, limit, self._max_seconds).run(scope, receive, send)


def _too_large(limit: int) -> ASGIApp:
    return render(TooLarge(f"The body is limited to {limit} bytes.", limit=limit))


def _too_slow(seconds: float | None) -> ASGIApp:
    detail = f"The body must arrive within {seconds} seconds."
    return render(TooSlow(detail, headers={"Connection": "close"}))


class _Metered:
    """One request whose bytes are counted as they come in, and must have come in by a deadline."""

    def __init__(self, app: ASGIApp, limit: int, seconds: float | None) -> None:
        self._app = app
        self._limit = limit
        self._seconds = seconds
        self._deadline: float | None = None
        self._is_whole = False
        self._seen = 0
        self._started = False
        self._refusal: ASGIApp | None = None

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and put the refusal in the place of whatever the application made of the cut body."""
        if self._seconds is not None:
            self._deadline = asyncio.get_running_loop().time() + self._seconds

        async def metered() -> Message:
            message = await self._next(receive)
            return {"type": "http.disconnect"} if self._refusal is not None else message

        async def guarded(message: Message) -> None:
            if self._refusal is not None and not self._started:
                return  # the refusal is sent instead
            self._started = True
            await send(message)

        try:
            await self._app(scope, metered, guarded)
        except Exception:
            if self._refusal is None:
                raise
        if self._refusal is not None and not self._started:
            await self._refusal(scope, receive, send)

    async def _next(self, receive: Receive) -> Message:
        """The next message. Once the body is whole, waiting means to wait for the client to leave."""
        if self._is_whole or self._deadline is None:
            message = await receive()
        else:
            try:
                async with asyncio.timeout_at(self._deadline):
                    message = await receive()
            except TimeoutError:
                self._refusal = _too_slow(self._seconds)
                return {"type": "http.disconnect"}
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)
            if self._seen > self._limit:
                self._refusal = _too_large(self._limit)
        return message


class SecurityHeaders:
    """Sets the headers that every answer should carry, unless the application set them itself.

    Args:
        app: the application.
        csp: the Content-Security-Policy; None sends none.
        hsts: seconds of Strict-Transport-Security; 0 sends none (plain http, or the gateway does it).
        cache: Cache-Control of what says nothing of it; None sends none.
    """

    def __init__(
        self, app: ASGIApp, *, csp: str | None = None, hsts: int = 0, cache: str | None = None
    ) -> None:
        self._app = app
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "strict-origin-when-cross-origin",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        }
        if csp is not None:
            headers["Content-Security-Policy"] = csp
        if cache is not None:
            headers["Cache-Control"] = cache
        if hsts:
            headers["Strict-Transport-Security"] = f"max-age={hsts}"
        self._headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection; whatever is not HTTP passes as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def reply(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                known = {name.lower() for name, _ in headers}
                headers += [header for header in self._headers if header[0] not in known]
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, reply)
