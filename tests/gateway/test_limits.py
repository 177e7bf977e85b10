"""Too much, too slow, too long."""

from contextlib import suppress

import pytest

from tests.gateway.caddy import Gateway
from tests.gateway.conftest import House
from tests.gateway.upstreams import says

KB = 1000


def chunked(host: str, path: str, size: int) -> bytes:
    """A request with a body of unannounced length."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
    chunk = b"x" * 1000
    chunks = b"".join(b"3e8\r\n" + chunk + b"\r\n" for _ in range(size // 1000))
    return head.encode() + b"Accept: application/json\r\n\r\n" + chunks + b"0\r\n\r\n"


def test_a_body_within_the_limit_passes(house: House) -> None:
    for host, path, size in (
        ("localhost", "/api/v1/x", 4 * KB),
        (house.live("pekarnya"), "/upload", 64 * KB),
    ):
        assert house.gateway.ask(host, path, method="POST", body=b"x" * size).status == 200
        assert house.gateway.raw(chunked(host, path, size)).status == 200
    assert [len(seen.body) for seen in house.public.seen] == [4 * KB] * 2
    assert [len(seen.body) for seen in house.module.seen] == [64 * KB] * 2


def test_a_body_over_the_limit_is_refused_announced_or_not(house: House) -> None:
    for host, path, size in (
        ("localhost", "/api/v1/x", 5 * KB),
        (house.live("pekarnya"), "/upload", 65 * KB),
    ):
        announced = house.gateway.ask(
            host, path, method="POST", headers={"Accept": "application/json"}, body=b"x" * size
        )
        assert (announced.status, announced.problem["code"]) == (413, "request.too_large")
        surprise = house.gateway.raw(chunked(host, path, size))
        assert (surprise.status, surprise.problem["code"]) == (413, "request.too_large")
    assert house.public.seen == house.module.seen == []


def test_a_person_is_told_that_the_picture_is_too_large(house: House) -> None:
    host = house.live("pekarnya")
    reply = house.gateway.ask(
        host, "/upload", method="POST", headers={"Accept-Language": "ru"}, body=b"x" * 65 * KB
    )
    assert (reply.status, "Слишком большой файл" in reply.text) == (413, True)


def test_a_head_that_never_ends_is_cut_off(gateway: Gateway) -> None:
    with gateway.open() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert connection.recv(100) == b""


def test_a_silent_connection_is_cut_off(gateway: Gateway) -> None:
    with gateway.open() as connection:
        assert connection.recv(100) == b""


@pytest.mark.parametrize(("host", "path"), [("localhost", "/api/v1/x"), ("pekarnya.localhost", "/upload")])
def test_a_body_that_never_comes_does_not_hold_up_the_upstream(house: House, host: str, path: str) -> None:
    house.live("pekarnya")
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\nhalf"
    upstream = house.public if host == "localhost" else house.module
    with house.gateway.open() as connection:
        connection.sendall(head.encode())
        assert upstream.cut.wait(10)
    assert upstream.seen == []


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("localhost", "/x"),
        ("localhost", "/robots.txt"),
        ("localhost", "/metrics"),
        ("stranger.example", "/"),
    ],
)
@pytest.mark.parametrize(
    ("method", "framing"),
    [
        ("POST", "Content-Length: 200000"),
        ("POST", "Transfer-Encoding: chunked"),
        ("GET", "Content-Length: 200000"),
    ],
)
def test_a_body_that_nobody_wants_keeps_no_connection(
    gateway: Gateway, method: str, host: str, path: str, framing: str
) -> None:
    with gateway.open() as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{framing}\r\n\r\n".encode())
        with connection.makefile("rb") as stream:
            heard = stream.read()  # to the end of the connection
    assert heard.startswith(b"HTTP/1.1 ")


def test_a_head_that_is_too_long_is_refused(house: House) -> None:
    assert house.gateway.ask("localhost", headers={"Cookie": "x" * 16_000}).status == 200
    with house.gateway.open() as connection:
        connection.sendall(
            b"GET /api/v1/x HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"x" * 60_000 + b"\r\n\r\n"
        )
        with suppress(ConnectionResetError):  # the rest is never read, so the end may overtake the answer
            assert connection.recv(12) == b"HTTP/1.1 431"
    assert house.public.seen == []


def test_the_connection_stays_in_step_after_a_refused_body(house: House) -> None:
    house.module.answers["/second"] = says("second")
    house.live("pekarnya")
    inner = b"GET /second HTTP/1.1\r\nHost: pekarnya.localhost\r\n\r\n"
    last = b"GET /third HTTP/1.1\r\nHost: pekarnya.localhost\r\nConnection: close\r\n\r\n"
    head = f"POST /api/v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(inner) + 5000}\r\n\r\n"
    with house.gateway.open() as connection:
        connection.sendall(head.encode() + b"x" * 5000 + inner + last)
        with connection.makefile("rb") as stream:
            heard = stream.read()
    assert heard.startswith(b"HTTP/1.1 413")
    assert b"second" not in heard
    assert {seen.path for seen in house.module.seen} <= {"/third"}


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length : 4\r\n",
    ],
)
def test_a_request_of_two_minds_about_its_length_smuggles_nothing(house: House, framing: bytes) -> None:
    house.module.answers["/smuggled"] = says("smuggled")
    house.live("pekarnya")
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: pekarnya.localhost\r\nX: "
    with house.gateway.open() as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: pekarnya.localhost\r\n" + framing + b"\r\n0\r\n\r\n" + smuggled
        )
        with connection.makefile("rb") as stream:
            stream.read()
    assert "/smuggled" not in {seen.path for seen in house.module.seen}
