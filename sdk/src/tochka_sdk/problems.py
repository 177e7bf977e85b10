"""Errors as RFC 9457 `application/problem+json`: type, title, status, detail, code, request_id, errors[].

`install(app)` is the one handler of an application. A `DomainError` is answered as it says; anything
unknown is logged with its trace and answered with an empty 500, so that no internal detail reaches a
client.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.exceptions import HTTPException as StarletteHTTPException  # noqa: TID251  answered here, raised nowhere
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tochka_sdk import context, logs
from tochka_sdk.errors import DomainError, FieldError, NotFound

MEDIA_TYPE = "application/problem+json"
_STANDARD = frozenset({"type", "title", "status", "detail", "code", "request_id", "errors"})
_CODES = {
    400: "request.malformed",
    401: "request.unauthenticated",
    403: "request.forbidden",
    404: "request.not_found",
    405: "request.method_not_allowed",
    406: "request.not_acceptable",
    408: "request.too_slow",
    409: "request.conflict",
    410: "request.gone",
    413: "request.too_large",
    415: "request.unsupported_media_type",
    416: "request.range_not_satisfiable",
    422: "request.invalid",
    429: "request.too_many",
    503: "request.unavailable",
}
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_DETAILS = {
    400: "The request cannot be read.",
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
}
_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal, ready to be rendered as JSON or, by a module's own `page`, as HTML."""

    status: int
    code: str
    title: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[FieldError] = ()
    extra: Mapping[str, JsonValue] = field(default_factory=dict)

    @classmethod
    def of(cls, error: DomainError) -> "Problem":
        """The problem that an error stands for."""
        return cls(
            status=error.status,
            code=error.code,
            title=error.heading,
            detail=error.detail,
            headers=error.headers,
            errors=error.errors,
            extra=error.extra,
        )

    def as_dict(self) -> dict[str, JsonValue]:
        """The members of the problem document, with the id of the request being served."""
        body: dict[str, JsonValue] = {
            "type": f"urn:tochka:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": context.request_id(),
        }
        body.update({name: value for name, value in self.extra.items() if name not in _STANDARD})
        if self.errors:
            body["errors"] = [error.as_dict() for error in self.errors]
        return body

    def response(self) -> Response:
        """The answer as problem+json. It is never cached."""
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(orjson.dumps(self.as_dict()), self.status, headers, media_type=MEDIA_TYPE)


Page = Callable[[HTTPConnection, Problem], Response | None]
"""Renders a problem for a browser; None means «answer with problem+json»."""

INTERNAL = Problem(500, "internal.error", HTTPStatus(500).phrase, "")


def render(error: DomainError) -> Response:
    """The problem+json answer for `error`."""
    return Problem.of(error).response()


async def answer(_request: Request, error: Exception) -> Response:
    """An exception handler for `DomainError` alone, where `install` would be too much."""
    if not isinstance(error, DomainError):
        raise error
    return render(error)


def wants_html(request: HTTPConnection) -> bool:
    """Whether a browser is asking: `text/html` is named in `Accept`, and JSON is not."""
    accept = request.headers.get("accept", "")
    return "text/html" in accept and "json" not in accept


def install(
    app: Starlette, *, page: Page | None = None, on_error: Callable[[Exception], None] | None = None
) -> None:
    """Make `app` answer every error as a problem.

    Args:
        app: a Starlette or FastAPI application.
        page: what browsers see instead of JSON (asked only when the request prefers `text/html`).
        on_error: called with every unknown exception, for example `sentry_sdk.capture_exception`.
    """

    def answer(request: HTTPConnection, problem: Problem) -> Response:
        shown = page(request, problem) if page is not None and wants_html(request) else None
        return shown or problem.response()

    async def domain(request: Request, error: Exception) -> Response:
        if not isinstance(error, DomainError):
            raise error
        if error.status >= 500:
            _log.warning("request.unavailable", error_code=error.code, detail=error.detail, exc_info=error)
        return answer(request, Problem.of(error))

    async def invalid(request: Request, error: Exception) -> Response:
        errors = error.errors() if isinstance(error, RequestValidationError) else ()
        return answer(request, _invalid(errors))

    async def http(request: Request, error: Exception) -> Response:
        if not isinstance(error, StarletteHTTPException):
            raise error
        return answer(request, _http(request, error))

    async def broken_off(_request: Request, _error: Exception) -> Response:
        # Whoever was sending is gone, or had too much to send: nobody reads this, and nothing is wrong here.
        return Problem(400, _CODES[400], HTTPStatus(400).phrase, "The request broke off.").response()

    async def unknown(request: Request, error: Exception) -> Response:
        _log.error("request.failed", path=request.url.path, method=request.method, exc_info=error)
        if on_error is not None:
            on_error(error)
        return answer(request, INTERNAL)

    app.add_exception_handler(DomainError, domain)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(StarletteHTTPException, http)
    app.add_exception_handler(ClientDisconnect, broken_off)
    # Innermost: so the answer carries the headers of the middleware around it, and Starlette does not raise
    # the error once more. The handler is the last resort for what middleware itself raises.
    app.add_middleware(_UnknownErrors, answer=unknown)
    app.add_exception_handler(Exception, unknown)


class _UnknownErrors:
    """Answers what nobody foresaw, unless an answer is already on its way."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request, Exception], Awaitable[Response]]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if started:
                raise
            response = await self._answer(Request(scope, receive), error)
            await response(scope, receive, send)


def _http(request: Request, error: StarletteHTTPException) -> Problem:
    """A refusal of the framework; its wording is replaced, since it may quote internals."""
    status, headers = error.status_code, dict(error.headers or {})
    phrase = HTTPStatus(status).phrase
    code = _CODES.get(status, "request.refused" if status < 500 else "internal.error")
    if status == 405 and (allowed := _allowed(request)):
        headers["Allow"] = ", ".join(allowed)
    return Problem(status, code, phrase, _DETAILS.get(status, f"{phrase}."), headers=headers)


def _allowed(request: Request) -> list[str]:
    """The methods of all routes at this address; the framework names those of the first alone."""

    def is_served(method: str) -> bool:
        asked = {**request.scope, "method": method}
        return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)

    return [method for method in _METHODS if is_served(method)]


def _invalid(errors: Sequence[Any]) -> Problem:
    """Every field that did not validate. The values themselves are not repeated: they may be secrets."""
    if any(error.get("type") == "json_invalid" for error in errors):
        wrong = FieldError("", "Not JSON.", "json_invalid")
        return Problem(400, _CODES[400], HTTPStatus(400).phrase, "The body is not JSON.", errors=(wrong,))
    fields = []
    for error in errors:
        location, *path = error.get("loc", ()) or ("body",)
        fields.append(
            FieldError(
                field=".".join(str(part) for part in path),
                message=str(error.get("msg", "")),
                code=str(error.get("type", "invalid")),
                location=str(location),
            )
        )
    phrase = "The request is not valid."
    once = tuple(dict.fromkeys(fields))  # a body that a dependency reads, too, is told of twice
    return Problem(422, "request.invalid", HTTPStatus(422).phrase, phrase, errors=once)


def not_found(detail: str = "There is nothing at this address.") -> Response:
    """The plain 404 of an address that does not exist."""
    return render(NotFound(detail))
