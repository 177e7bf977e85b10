"""Names that are not ours, and tricks with those that are."""

import pytest

from tests.gateway.caddy import Gateway
from tests.gateway.conftest import House

STRANGE = [
    "example.com",
    "a.b.localhost",
    "a.pekarnya.localhost",
    ".localhost",
    "..localhost",
    "-a.localhost",
    "a-.localhost",
    "a_b.localhost",
    "*.localhost",
    "pekarnya.localhost.",
    "localhost.",
    "pekarnya.localhost.example.com",
    "pekarnya-localhost",
    "pekarnyaXlocalhost",
    "localhost.example.com",
    "127.0.0.2",
    "127.1",
    "2130706433",
    "0.0.0.0",  # noqa: S104  a name to be refused, nothing listens there
    "[::ffff:127.0.0.1]",
    "a&host=pekarnya.localhost",
    "a%26host=pekarnya.localhost",
    "a'.localhost",
    f"{'a' * 64}.localhost",
]


@pytest.mark.parametrize("host", STRANGE)
def test_a_name_that_is_not_ours_gets_a_404_and_reaches_nobody(house: House, host: str) -> None:
    house.live("pekarnya")
    for path in ("/", "/api/v1/modules", "/internal/resolve", "/_tochka/session"):
        assert house.gateway.ask(host, path).status == 404
    assert house.public.seen == house.private.seen == house.module.seen == []


@pytest.mark.parametrize(
    "host", ["pekar nya.localhost", "a/b.localhost", "a@b.localhost", "a\tb", "x\x00.localhost"]
)
def test_a_malformed_name_reaches_nobody(house: House, host: str) -> None:
    reply = house.gateway.raw(b"GET / HTTP/1.1\r\nHost: " + host.encode() + b"\r\nConnection: close\r\n\r\n")
    assert reply.status in {400, 404}
    assert house.public.seen == house.private.seen == house.module.seen == []


def test_no_name_and_two_names_are_refused(gateway: Gateway) -> None:
    assert gateway.raw(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").status == 400
    two = b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: a.localhost\r\nConnection: close\r\n\r\n"
    assert gateway.raw(two).status == 400
    assert gateway.ask("").status == 400
    assert gateway.raw(b"GET / HTTP/1.0\r\n\r\n").status == 404


@pytest.mark.parametrize("host", ["pekarnya.localhost", "pekarnya.localhost:80", "pekarnya.localhost:1"])
def test_the_port_in_a_name_does_not_decide(house: House, host: str) -> None:
    house.live("pekarnya")
    assert house.gateway.ask(host).text == "here is module"
    assert house.private.last.path == "/internal/resolve?host=pekarnya.localhost"
    assert house.module.last.header("Host") == host


def test_letters_of_any_case_name_the_same_shop(house: House) -> None:
    # The question goes out as it came: the core lower-cases what it is asked.
    house.addresses.known["PeKarnya.LOCALHOST"] = (200, house.module.address)
    assert house.gateway.ask("PeKarnya.LOCALHOST:8080").text == "here is module"


def test_a_request_target_with_a_name_of_its_own_is_routed_and_resolved_by_that_one_name(
    house: House,
) -> None:
    house.live("pekarnya")
    reply = house.gateway.raw(
        b"GET http://pekarnya.localhost/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert reply.text == "here is module"
    assert house.private.last.path == "/internal/resolve?host=pekarnya.localhost"
    assert (house.module.last.header("Host"), house.module.last.path) == ("pekarnya.localhost", "/x")


def test_a_foreign_request_target_reaches_nobody(house: House) -> None:
    house.live("pekarnya")
    for target in (b"http://example.com/x", b"http://127.0.0.1.example.com/internal/resolve"):
        reply = house.gateway.raw(
            b"GET " + target + b" HTTP/1.1\r\nHost: pekarnya.localhost\r\nConnection: close\r\n\r\n"
        )
        assert reply.status == 404
    assert house.public.seen == house.private.seen == house.module.seen == []


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host", "X-HTTP-Host-Override"]
)
def test_a_name_in_another_header_changes_nothing(house: House, name: str) -> None:
    house.live("pekarnya")
    other = house.upstreams.start("another module")
    house.becomes("other", 200, other.address)
    value = "host=other.localhost" if name == "Forwarded" else "other.localhost"
    assert house.gateway.ask("pekarnya.localhost", headers={name: value}).text == "here is module"
    assert house.private.last.path == "/internal/resolve?host=pekarnya.localhost"
    assert house.module.last.header("X-Forwarded-Host") == "pekarnya.localhost"
    assert house.module.last.header("Forwarded") is None


def test_requests_on_one_connection_are_told_apart_by_their_names(house: House) -> None:
    house.live("pekarnya")
    with house.gateway.open() as connection:
        ask = b"GET /api/v1/x HTTP/1.1\r\nHost: %s\r\n\r\n"
        connection.sendall(ask % b"localhost" + ask % b"pekarnya.localhost" + ask % b"example.com")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
        with connection.makefile("rb") as stream:
            heard = stream.read()
    assert heard.count(b"HTTP/1.1 200") == 2
    assert heard.count(b"HTTP/1.1 404") == 2
    assert heard.index(b"here is core") < heard.index(b"here is module")
