"""The panel's files."""

import pytest

from tests.gateway.caddy import Gateway
from tests.gateway.conftest import LANDING, LANDING_EN, PANEL, House


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/", LANDING),
        ("/?utm=1", LANDING),
        ("/register", PANEL),
        ("/select-module?module=shop", PANEL),
        ("/installations/1/progress", PANEL),
        ("/a/b/", PANEL),
        ("/assets/", PANEL),
    ],
)
def test_every_address_of_the_panel_is_a_page_which_nobody_keeps(
    gateway: Gateway, path: str, page: str
) -> None:
    reply = gateway.ask("localhost", path)
    assert (reply.status, reply.text) == (200, page)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-cache"
    assert "etag" in reply.headers


@pytest.mark.parametrize(
    ("wish", "page"),
    [
        ("en-US,en;q=0.9", LANDING_EN),
        (" EN", LANDING_EN),
        ("ru,en;q=0.9", LANDING),
        ("de", LANDING),
        ("", LANDING),
    ],
)
def test_the_landing_comes_in_the_language_that_the_reader_wants(
    gateway: Gateway, wish: str, page: str
) -> None:
    reply = gateway.ask("localhost", headers={"Accept-Language": wish})
    assert (reply.status, reply.text) == (200, page)
    assert "Accept-Language" in reply.headers["vary"]


def test_hashed_files_are_kept_for_ever(gateway: Gateway) -> None:
    for name, kind in (("app-3f9c1a.js", "text/javascript"), ("app-3f9c1a.css", "text/css")):
        reply = gateway.ask("localhost", f"/assets/{name}")
        assert reply.status == 200
        assert reply.headers["content-type"].startswith(kind)
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_other_files_are_asked_for_again(gateway: Gateway) -> None:
    first = gateway.ask("localhost", "/favicon.svg")
    assert (first.status, first.headers["cache-control"]) == (200, "no-cache")
    again = gateway.ask("localhost", "/favicon.svg", headers={"If-None-Match": first.headers["etag"]})
    assert again.status == 304


@pytest.mark.parametrize(
    "path", ["/assets/app-000000.js", "/assets/old.css", "/nothing.png", "/robots.txt", "/.env"]
)
def test_a_missing_file_is_missing(gateway: Gateway, path: str) -> None:
    reply = gateway.ask("localhost", path)
    assert reply.status == 404
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2f..%2fetc/passwd",
        "/..%5cetc",
    ],
)
def test_nothing_outside_the_panel_is_shown(gateway: Gateway, path: str) -> None:
    reply = gateway.ask("localhost", path)
    assert "root:" not in reply.text
    assert reply.text == PANEL or reply.status in {400, 404}


def test_folders_are_not_listed(gateway: Gateway) -> None:
    assert "app-3f9c1a" not in gateway.ask("localhost", "/assets/").text


def test_scripts_are_packed(gateway: Gateway) -> None:
    for encoding in ("gzip", "zstd"):
        reply = gateway.ask("localhost", "/assets/app-3f9c1a.js", headers={"Accept-Encoding": encoding})
        assert reply.headers["content-encoding"] == encoding
        assert "Accept-Encoding" in reply.headers["vary"]
        assert len(reply.body) < 500


@pytest.mark.parametrize("path", ["/", "/dashboard", "/assets/app-3f9c1a.js", "/favicon.svg"])
def test_the_panel_lives_under_strict_policies(gateway: Gateway, path: str) -> None:
    headers = gateway.ask("localhost", path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy["form-action"] == "'self' http://*.localhost:*"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_files_are_only_read(house: House, method: str) -> None:
    reply = house.gateway.ask("localhost", "/register", method=method, body=b"x=1")
    assert reply.status == 405
    assert house.public.seen == []


def test_the_panel_does_not_show_on_a_shop_address(house: House) -> None:
    assert house.gateway.ask("nobody.localhost", "/assets/app-3f9c1a.js").status == 404
    assert house.gateway.ask(house.live("pekarnya"), "/assets/app-3f9c1a.js").text == "here is module"
