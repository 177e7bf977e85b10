"""Problem+json, request ids, limits and headers: what every service of the platform answers alike."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response
from tochka_sdk import context, logs, problems, requests
from tochka_sdk.errors import (
    Conflict,
    DomainError,
    FieldError,
    Forbidden,
    Gone,
    Malformed,
    NotFound,
    TooLarge,
    TooManyRequests,
    TooSlow,
    Unauthenticated,
    Unavailable,
)
from tochka_sdk.requests import BodyLimit, RequestContext, SecurityHeaders

pytestmark = pytest.mark.anyio


class HostTaken(Conflict):
    """A fact of some slice."""

    code = "domains.taken"
    title = "The host is taken"


class Order(BaseModel):
    """A body with fields to get wrong."""

    phone: str = Field(min_length=3)
    items: list[int]


async def _read(request: Request) -> dict[str, int]:
    return {"bytes": len(await request.body())}


async def _taken() -> None:
    raise HostTaken("lavka is taken.", errors=[FieldError("host", "Taken.", "taken")], host="lavka", status=1)


async def _broken() -> None:
    raise RuntimeError("password=hunter2")


async def _order(order: Order, page: Annotated[int, Query()] = 1) -> Order:
    assert page
    return order


async def _bound() -> dict[str, str]:
    requests.bind(tenant_id="t-1", user_id="u-1")
    return {"request_id": context.request_id()}


def application() -> FastAPI:
    """An application that goes wrong in every way."""
    app = FastAPI()
    app.add_api_route("/taken", _taken)
    app.add_api_route("/broken", _broken)
    app.add_api_route("/orders", _order, methods=["POST"])
    app.add_api_route("/uploads", _read, methods=["POST"])
    app.add_api_route("/read", _read, methods=["POST"])
    app.add_api_route("/bound", _bound)

    def page(_request: object, problem: problems.Problem) -> Response | None:
        return HTMLResponse(f"<h1>{problem.code}</h1>", problem.status) if problem.status != 409 else None

    problems.install(app, page=page, on_error=SEEN.append)
    app.add_middleware(BodyLimit, max_bytes=1000, overrides={"/uploads": 5000})
    app.add_middleware(SecurityHeaders, csp="default-src 'self'", hsts=60)
    app.add_middleware(RequestContext, quiet=frozenset({"/quiet"}))
    return app


SEEN: list[Exception] = []


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of that application."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=application()), base_url="http://x"
    ) as found:
        yield found


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """What is logged, as it would be in production."""
    stream = StringIO()
    logs.configure("tests", json=True, stream=stream)
    yield stream
    logs.configure("tests", json=True)


def logged(stream: StringIO) -> list[dict[str, Any]]:
    """The log's lines."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_a_domain_error_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/taken", headers={"X-Request-ID": "abc-1"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "type": "urn:tochka:problem:domains.taken",
        "title": "The host is taken",
        "status": 409,
        "detail": "lavka is taken.",
        "code": "domains.taken",
        "request_id": "abc-1",
        "host": "lavka",
        "errors": [{"field": "host", "code": "taken", "message": "Taken.", "location": "body"}],
    }


async def test_an_unknown_error_tells_nothing_outside_and_everything_inside(
    client: httpx.AsyncClient, lines: StringIO
) -> None:
    SEEN.clear()
    answer = await client.get("/broken")
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (500, "internal.error", "")
    assert "hunter2" not in answer.text
    failed = next(line for line in logged(lines) if line["event"] == "request.failed")
    assert "RuntimeError" in failed["exception"]
    assert failed["request_id"] == answer.headers["x-request-id"]
    assert [type(error) for error in SEEN] == [RuntimeError]


async def test_validation_names_the_fields_and_does_not_repeat_the_values(client: httpx.AsyncClient) -> None:
    answer = await client.post("/orders?page=x", json={"phone": "7", "items": [1, "secret"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")
    assert {(error["location"], error["field"], error["code"]) for error in answer.json()["errors"]} == {
        ("query", "page", "int_parsing"),
        ("body", "phone", "string_too_short"),
        ("body", "items.1", "int_parsing"),
    }
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "request.not_found"),
        ("DELETE", "/orders", 405, "request.method_not_allowed"),
        ("POST", "/orders", 422, "request.invalid"),
    ],
)
async def test_the_framework_s_refusals_are_problems_too(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path, content=b"{" if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_a_browser_gets_the_page_where_there_is_one(client: httpx.AsyncClient) -> None:
    html = {"Accept": "text/html"}
    pages = [await client.get(path, headers=html) for path in ("/nothing", "/taken")]
    assert [page.headers["content-type"].partition(";")[0] for page in pages] == [
        "text/html",
        "application/problem+json",
    ]


async def test_a_body_that_does_not_come_in_time_is_given_up() -> None:
    async def unfinished() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    patient = BodyLimit(application(), 1000, max_seconds=60)
    hasty = BodyLimit(application(), 1000, max_seconds=0.05)
    for app, content, status in (
        (hasty, unfinished(), 408),
        (patient, b"x", 200),
        (patient, b"x" * 1001, 413),
    ):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            answer = await client.post("/read", content=content)
        assert answer.status_code == status
        assert (answer.headers.get("connection") == "close") == (status == 408)


ERRORS: list[tuple[type[DomainError], int]] = [
    (Malformed, 422),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (TooSlow, 408),
    (Conflict, 409),
    (Gone, 410),
    (TooLarge, 413),
    (TooManyRequests, 429),
    (Unavailable, 503),
]


@pytest.mark.parametrize(("error", "status"), ERRORS)
def test_every_error_has_a_status_a_code_and_a_title(error: type[DomainError], status: int) -> None:
    body = json.loads(bytes(problems.render(error("Because.")).body))
    assert (body["status"], body["detail"]) == (status, "Because.")
    assert body["code"].startswith("request.")
    assert body["title"]


@pytest.mark.parametrize(("seconds", "header"), [(0, "1"), (0.2, "1"), (1.5, "2"), (60, "60")])
def test_come_back_later_says_when_in_whole_seconds(seconds: float, header: str) -> None:
    response = problems.render(TooManyRequests("Slow down.", retry_after=seconds))
    assert response.headers["retry-after"] == header


@pytest.mark.parametrize("given", ["abc-1", "A.b_c-9", "x" * 64])
async def test_a_well_formed_request_id_is_taken_over(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/bound", headers={"X-Request-ID": given})
    assert answer.json() == {"request_id": given}
    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a/b", "a\tb", "<script>"])
async def test_a_malformed_request_id_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/bound", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


async def test_the_access_line_says_who_and_what_but_not_the_query(
    client: httpx.AsyncClient, lines: StringIO
) -> None:
    answer = await client.get("/bound?token=secret&phone=+79991234567")
    line = next(line for line in logged(lines) if line["event"] == "request")
    expected = {
        "method": "GET",
        "path": "/bound",
        "status": 200,
        "service": "tests",
        "request_id": answer.headers["x-request-id"],
        "tenant_id": "t-1",
        "user_id": "u-1",
    }
    assert expected.items() <= line.items()
    assert line["ms"] >= 0
    assert "secret" not in lines.getvalue()


async def test_one_request_s_bindings_do_not_stick_to_the_next(
    client: httpx.AsyncClient, lines: StringIO
) -> None:
    await client.get("/bound")
    await client.get("/nothing")
    last = [line for line in logged(lines) if line["event"] == "request"][-1]
    assert "tenant_id" not in last


async def test_quiet_paths_are_logged_only_when_they_fail(client: httpx.AsyncClient, lines: StringIO) -> None:
    await client.get("/quiet")
    assert [line["status"] for line in logged(lines) if line["event"] == "request"] == [404]


async def _chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 100):
        yield b"x" * 100


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/read", 1000, 200), ("/read", 1100, 413), ("/uploads", 5000, 200), ("/uploads/x", 5100, 413)],
)
async def test_bodies_are_limited_by_path_announced_or_not(
    client: httpx.AsyncClient, path: str, size: int, status: int
) -> None:
    announced = await client.post(path, content=b"x" * size)
    streamed = await client.post(path, content=_chunks(size))
    assert announced.status_code == status
    assert streamed.status_code == (404 if path.endswith("/x") else status)
    if status == 413:
        assert announced.json()["code"] == "request.too_large"


async def test_a_cut_body_is_refused_even_where_the_framework_reads_it(client: httpx.AsyncClient) -> None:
    answer = await client.post("/orders", content=_chunks(3000), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


async def test_answers_carry_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/bound", "/nothing", "/broken"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["content-security-policy"] == "default-src 'self'"
        assert headers["strict-transport-security"] == "max-age=60"


async def test_an_error_before_the_application_is_an_empty_500_with_an_id(lines: StringIO) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("hunter2")

    transport = httpx.ASGITransport(app=RequestContext(broken))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal.error")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "hunter2" not in answer.text


def test_logs_hold_no_secrets(lines: StringIO) -> None:
    logs.get_logger("t").info(
        "signed_in",
        phone="+79991234567",
        code="482913",
        error_code="domains.taken",
        access_token="abc",
        nested={"Authorization": "Bearer x", "list": ["+79991234567"], "code": "domains.taken"},
        note="call +79991234567 with eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2ln",
        raw=b"bytes",
    )
    logging.getLogger("other").warning("phone +79991234567", extra={"password": "hunter2"})
    first, second = logged(lines)
    assert first["phone"] == "+7******4567"
    assert (first["code"], first["error_code"]) == ("[redacted]", "domains.taken")
    assert first["access_token"] == "[redacted]"
    assert first["nested"] == {
        "Authorization": "[redacted]",
        "list": ["+7******4567"],
        "code": "domains.taken",
    }
    assert first["note"] == "call +7******4567 with [redacted]"
    assert first["raw"] == "<5 bytes>"
    assert (second["event"], second["password"]) == ("phone +7******4567", "[redacted]")
    assert {first["service"], second["service"]} == {"tests"}


def test_logs_for_people_are_lines() -> None:
    stream = StringIO()
    logs.configure("tests", json=False, stream=stream)
    logs.get_logger("t").info("started", port=8080)
    logs.configure("tests", json=True)
    assert "started" in stream.getvalue()
    assert "port=8080" in stream.getvalue()


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("+79991234567", "+7******4567"), ("12345", "*****"), ("", ""), (" +442071838750 ", "+4*******8750")],
)
def test_a_masked_phone_is_known_to_its_owner_alone(phone: str, masked: str) -> None:
    assert logs.mask_phone(phone) == masked


async def test_a_client_that_goes_away_while_it_sends_is_no_error_of_ours(lines: StringIO) -> None:
    messages = iter(
        ({"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"})
    )
    sent: list[Any] = []
    SEEN.clear()

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/read", "query_string": b"", "headers": []}
    await application()({**scope, "client": ("127.0.0.1", 1), "root_path": ""}, receive, send)
    assert sent[0]["status"] == 400
    assert SEEN == []
    assert {line["level"] for line in logged(lines)} <= {"info"}
