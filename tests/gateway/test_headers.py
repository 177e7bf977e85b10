"""What reaches the upstreams, and what leaves again."""

import re
from collections.abc import Iterator

import pytest

from tests.gateway.caddy import Gateway
from tests.gateway.conftest import House
from tests.gateway.upstreams import Upstream, says

OURS = [
    "X-Tochka-Installation",
    "x-tochka-tenant",
    "X-TOCHKA-ANYTHING-ELSE",
    "X-Tochka-",
    "X_Tochka_Installation",
    "x_tochka_tenant",
    "X-Tochka_Installation",
    "X_Tochka-Tenant",
    "X-Upstream",
    "X_Upstream",
    "Forwarded",
    "X-Real-IP",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-Forwarded-Prefix",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Forwarded-User",
    "X_Forwarded_For",
    "X-Forwarded_For",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
]


def everyone(house: House) -> list[tuple[str, Upstream]]:
    """A host and path for each upstream that a stranger can reach."""
    return [("localhost", house.public), (house.live("pekarnya"), house.module)]


@pytest.mark.parametrize("name", OURS)
def test_what_only_we_may_say_is_stripped(house: House, name: str) -> None:
    for host, upstream in everyone(house):
        assert house.gateway.ask(host, "/api/v1/x", headers={name: "forged"}).status == 200
        assert not any("forged" in value for _, value in upstream.last.headers)
    assert not any("forged" in value for seen in house.private.seen for _, value in seen.headers)


def test_a_forged_upstream_is_not_followed(house: House) -> None:
    other = house.upstreams.start("another module")
    host = house.live("pekarnya")
    assert house.gateway.ask(host, headers={"X-Upstream": other.address}).text == "here is module"
    house.becomes("suspended", 403)
    assert house.gateway.ask("suspended.localhost", headers={"X-Upstream": other.address}).status == 403
    assert other.seen == []


@pytest.mark.parametrize("claimed", ["203.0.113.7", "203.0.113.7, 127.0.0.1", "127.0.0.1", "unknown"])
def test_upstreams_see_the_real_address_and_scheme_of_the_client(house: House, claimed: str) -> None:
    forged = {"X-Forwarded-For": claimed, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    for host, upstream in everyone(house):
        house.gateway.ask(f"{host}:8080", "/api/v1/x", headers=forged)
        assert upstream.last.header("X-Forwarded-For") == "127.0.0.1"
        assert upstream.last.header("X-Forwarded-Proto") == "http"
        assert upstream.last.header("X-Forwarded-Host") == f"{host}:8080"


@pytest.fixture(scope="module")
def behind_proxies(house_for_all: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Another gateway before the same core, behind proxies: on this machine and in 10.9.0.0/16."""
    environment = {
        "TOCHKA_GATEWAY_STATE": str(tmp_path_factory.mktemp("behind proxies")),
        "TOCHKA_CORE_PUBLIC": house_for_all.public.address,
        "TOCHKA_CORE_PRIVATE": house_for_all.private.address,
        "TOCHKA_GATEWAY_TRUSTED_PROXIES": "127.0.0.1 10.9.0.0/16",
    }
    with Gateway(environment) as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("203.0.113.7, 10.9.8.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the first one is what the client says of itself
        ("127.0.0.1, 203.0.113.7, 10.9.8.7", "203.0.113.7"),
        ("", "127.0.0.1"),
        ("unknown", "127.0.0.1"),
        ("203.0.113.66, unknown", "127.0.0.1"),  # Squid says so where it is told to say nothing
        ("203.0.113.66, unix:", "127.0.0.1"),
        ("203.0.113.66, unknown, 10.9.8.7", "127.0.0.1"),
        ("203.0.113.66, ", "127.0.0.1"),
        ("x, 203.0.113.7", "203.0.113.7"),  # what the client says itself takes nothing from what was seen
        ("unknown, 203.0.113.7, 10.9.8.7", "203.0.113.7"),
        ("x, 2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("x, 203.0.113.7:443", "203.0.113.7"),
    ],
)
def test_behind_proxies_of_ones_own_the_client_is_whom_the_last_of_them_saw(
    house: House, behind_proxies: Gateway, said: str, client: str
) -> None:
    for host, upstream in everyone(house):
        behind_proxies.ask(host, "/api/v1/x", headers={"X-Forwarded-For": said, "X-Real-IP": "192.0.2.1"})
        assert upstream.last.header("X-Forwarded-For") == client
        assert upstream.last.header("X-Real-IP") is None


@pytest.mark.parametrize("name", ["req-1", "A.b_c-9", "x" * 64])
def test_a_sound_request_id_is_kept(house: House, name: str) -> None:
    for host, upstream in everyone(house):
        reply = house.gateway.ask(host, "/api/v1/x", headers={"X-Request-ID": name})
        assert upstream.last.header("X-Request-ID") == name
        assert reply.headers["x-request-id"] == name


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "<script>", 'a"b', "a\tb"])
def test_any_other_request_id_is_replaced(house: House, name: str) -> None:
    for host, upstream in everyone(house):
        reply = house.gateway.ask(host, "/api/v1/x", headers={"X-Request-ID": name})
        given = upstream.last.header("X-Request-ID")
        assert given is not None
        assert re.fullmatch(r"[0-9a-f-]{36}", given)
        assert reply.headers["x-request-id"] == given


@pytest.mark.parametrize("wish", ["X-Request-ID", "close, x-request-id", "keep-alive, X-Request-ID, Host"])
def test_what_we_add_cannot_be_taken_away_as_a_header_of_one_hop(house: House, wish: str) -> None:
    for host, upstream in everyone(house):
        reply = house.gateway.ask(host, "/api/v1/x", headers={"Connection": wish, "X-Request-ID": "req-1"})
        assert reply.status == 200
        assert upstream.last.header("X-Request-ID") == "req-1"
        assert upstream.last.header("X-Forwarded-For") == "127.0.0.1"
    assert house.private.last.header("X-Request-ID") == "req-1"


def test_the_request_id_reaches_the_core_with_the_question_for_the_address(house: House) -> None:
    house.gateway.ask(house.live("pekarnya"), headers={"X-Request-ID": "req-1"})
    assert house.private.last.header("X-Request-ID") == "req-1"


def test_answers_do_not_say_what_runs_here(house: House) -> None:
    house.module.answers["/told"] = says("", headers={"X-Upstream": "1.2.3.4:5", "X-Tochka-Tenant": "t-1"})
    for host, path in (("localhost", "/"), ("localhost", "/api/v1/x"), (house.live("pekarnya"), "/told")):
        headers = house.gateway.ask(host, path).headers
        assert headers.keys().isdisjoint(
            {"server", "via", "x-powered-by", "alt-svc", "x-upstream", "x-tochka-tenant"}
        )


def test_upstreams_set_their_own_policies_and_miss_none_of_the_least(house: House) -> None:
    own = {
        "Referrer-Policy": "origin",
        "Content-Security-Policy": "default-src 'self'",
        "Cache-Control": "max-age=5",
    }
    for host, upstream in everyone(house):
        upstream.answers["/api/own"] = says("", headers=own)
        headers = house.gateway.ask(host, "/api/own").headers
        assert {name: headers[name.lower()] for name in own} == own
        assert headers["x-content-type-options"] == "nosniff"
        assert "referrer-policy" in house.gateway.ask(host, "/api/v1/x").headers


def test_cookies_and_redirects_of_a_module_pass_unchanged(house: House) -> None:
    host = house.live("pekarnya")
    sent = {
        "Location": f"http://{host}:8080/admin",
        "Set-Cookie": "session=1; HttpOnly; SameSite=Lax; Path=/",
    }
    house.module.answers["/_tochka/session"] = says("", 303, sent)
    reply = house.gateway.ask(host, "/_tochka/session", method="POST", body=b"ticket=1")
    assert reply.status == 303
    assert {name: reply.headers[name.lower()] for name in sent} == sent


def test_text_is_compressed_for_those_who_can_read_it(house: House) -> None:
    host = house.live("pekarnya")
    house.module.answers["/"] = says(
        "<p>хлеб</p>" * 500, headers={"Content-Type": "text/html; charset=utf-8"}
    )
    packed = house.gateway.ask(host, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < 500
    assert "content-encoding" not in house.gateway.ask(host).headers
