"""Who gets which request."""

import pytest

from tests.gateway.caddy import Gateway
from tests.gateway.conftest import LANDING, House
from tests.gateway.upstreams import says

PLATFORM = [
    "localhost",
    "localhost:8080",
    "127.0.0.1:8080",
    "[::1]:8080",
    "[::1]",
    "LOCALHOST",
    "localhost:1",
]
CORE_PATHS = [
    "/api/v1/modules",
    "/api",
    "/docs",
    "/docs/oauth2-redirect",
    "/dev/inbox",
    "/.well-known/jwks.json",
]
PRIVATE_PATHS = [
    "/internal/resolve?host=a.localhost",
    "//internal/resolve?host=a.localhost",
    "/INTERNAL/resolve",
    "/%69nternal/resolve",
    "/%2finternal/resolve",
    "/internal%2fresolve",
    "/api/../internal/resolve",
    "/api/%2e%2e/internal/resolve",
    "/api/..%2finternal/resolve",
    "/./internal/resolve",
    "/health/live",
    "/health",
    "/metrics",
    "/_tochka/webhooks",
    "/_tochka/health",
    "/_tochka/session",
    "/.well-known/tochka-module.json",
]
MODULE_DOORS = [
    "/_tochka/webhooks",
    "/_tochka/webhooks/",
    "/_tochka/health",
    "/_tochka",
    "/_tochka/",
    "//_tochka/webhooks",
    "/_tochka//webhooks",
    "/_TOCHKA/webhooks",
    "/%5ftochka/webhooks",
    "/_tochka%2fwebhooks",
    "/_tochka/%77ebhooks",
    "/x/../_tochka/webhooks",
    "/x/%2e%2e/_tochka/webhooks",
    "/_tochka/session/../webhooks",
    "/_tochka/session/%2e%2e/webhooks",
    "/_tochka/./webhooks",
    "/.well-known/tochka-module.json",
    "/.well-known//tochka-module.json",
    "/.well-known/%74ochka-module.json",
]


@pytest.mark.parametrize("host", PLATFORM)
def test_a_platform_host_shows_the_panel(gateway: Gateway, host: str) -> None:
    reply = gateway.ask(host)
    assert (reply.status, reply.text) == (200, LANDING)


@pytest.mark.parametrize("path", CORE_PATHS)
def test_the_api_and_its_neighbours_go_to_the_core(house: House, path: str) -> None:
    reply = house.gateway.ask("localhost", path)
    assert (reply.status, reply.text) == (200, "here is core")
    assert [seen.path for seen in house.public.seen] == [path]


@pytest.mark.parametrize("path", PRIVATE_PATHS)
def test_private_names_lead_nowhere_on_a_platform_host(house: House, path: str) -> None:
    reply = house.gateway.ask("localhost", path)
    assert reply.status == 404
    assert house.public.seen == house.private.seen == house.module.seen == []


def test_a_shop_address_goes_to_its_module_with_everything_as_it_came(house: House) -> None:
    host = house.live("pekarnya")
    reply = house.gateway.ask(
        f"{host}:8080",
        "/cart%2Fadd/%D1%85?q=1&q=%20",
        method="POST",
        headers={"Cookie": "cart=1"},
        body=b"n=1",
    )
    assert (reply.status, reply.text) == (200, "here is module")
    seen = house.module.last
    assert (seen.method, seen.path, seen.body) == ("POST", "/cart%2Fadd/%D1%85?q=1&q=%20", b"n=1")
    assert (seen.header("Host"), seen.header("Cookie")) == (f"{host}:8080", "cart=1")


def test_the_core_is_asked_for_the_host_and_learns_nothing_else(house: House) -> None:
    host = house.live("pekarnya")
    secrets = {"Cookie": "session=1", "Authorization": "Bearer token"}
    house.gateway.ask(f"{host}:8080", "/cart?phone=1", method="POST", headers=secrets, body=b"n=1")
    seen = house.private.last
    assert (seen.method, seen.path, seen.body) == ("GET", f"/internal/resolve?host={host}", b"")
    assert seen.names.isdisjoint({"cookie", "authorization", "content-length", "transfer-encoding"})
    assert all("phone" not in value for _, value in seen.headers)


@pytest.mark.parametrize("path", MODULE_DOORS)
def test_the_doors_between_core_and_module_are_shut_on_a_shop_address(house: House, path: str) -> None:
    reply = house.gateway.ask(house.live("pekarnya"), path, method="POST", body=b"{}")
    assert reply.status == 404
    assert house.module.seen == []


@pytest.mark.parametrize(
    "path", ["/_tochka/session", "/internal/resolve", "/health", "/admin", "/.well-known/x"]
)
def test_everything_else_on_a_shop_address_is_the_modules_business(house: House, path: str) -> None:
    reply = house.gateway.ask(house.live("pekarnya"), path)
    assert reply.text == "here is module"
    assert [seen.path for seen in house.private.seen] == ["/internal/resolve?host=pekarnya.localhost"]


def test_two_addresses_can_belong_to_two_modules(house: House) -> None:
    other = house.upstreams.start("another module")
    first, second = house.live("one"), house.becomes("two", 200, other.address)
    assert house.gateway.ask(first).text == "here is module"
    assert house.gateway.ask(second).text == "here is another module"


def test_a_change_of_address_is_seen_by_the_next_request(house: House) -> None:
    host = house.live("pekarnya")
    assert house.gateway.ask(host).status == 200
    house.becomes("pekarnya", 410)
    assert house.gateway.ask(host).status == 410


def test_the_modules_own_errors_pass_unchanged(house: House) -> None:
    host = house.live("pekarnya")
    for status in (404, 403, 410, 500, 502, 503):
        house.module.answers["/broken"] = says("the module's own words", status)
        reply = house.gateway.ask(host, "/broken")
        assert (reply.status, reply.text) == (status, "the module's own words")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "PATCHY"])
def test_a_method_that_nobody_speaks_is_refused(house: House, method: str) -> None:
    assert house.gateway.ask(house.live("pekarnya"), method=method).status == 405
    assert house.gateway.ask("localhost", "/api/v1/modules", method=method).status == 405
    assert house.module.seen == house.public.seen == []
