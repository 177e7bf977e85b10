"""The gateway as a process: its log, its admin socket, its end."""

import json
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.gateway.caddy import ROOT, Gateway, caddy_binary
from tests.gateway.conftest import House
from tests.gateway.upstreams import refusing_address


def test_the_log_tells_each_request_without_its_query_and_headers(house: House) -> None:
    host = house.live("pekarnya")
    secrets = {
        "Referer": "http://x/?code=123456",
        "Cookie": "session=verysecret",
        "X-Request-ID": "req-log-1",
    }
    house.gateway.ask(host, "/order?phone=79991234567", headers=secrets)
    line = house.gateway.wait_for_log(lambda line: line.get("request_id") == "req-log-1")
    assert (line["request"]["method"], line["request"]["uri"], line["status"]) == ("GET", "/order", 200)
    assert line["request"]["host"] == host
    assert not any(secret in line["raw"] for secret in ("79991234567", "123456", "verysecret"))


def test_the_log_of_a_failure_says_why_and_is_as_discreet(house: House) -> None:
    with refusing_address() as nobody:
        host = house.becomes("dead", 200, nobody)
        house.gateway.ask(host, "/order?phone=79991234567", headers={"X-Request-ID": "req-log-2"})
    line = house.gateway.wait_for_log(lambda line: line.get("request_id") == "req-log-2")
    assert "connection refused" in line["error"]
    assert (line["level"], line["status"], line["request"]["uri"]) == ("error", 502, "/order")
    assert "79991234567" not in line["raw"]


def adapted(environment: dict[str, str]) -> dict[str, object]:
    """The configuration that Caddy makes of ours."""
    made = subprocess.run(
        [caddy_binary(), "adapt", "--config", str(ROOT / "gateway/Caddyfile"), "--adapter", "caddyfile"],
        env=environment,
        capture_output=True,
        check=True,
        timeout=30,
    )
    configuration = json.loads(made.stdout)
    assert isinstance(configuration, dict)
    return configuration


def test_there_is_no_admin_interface_and_no_tls_unless_asked_for(tmp_path: Path) -> None:
    configuration = json.dumps(adapted({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}))
    assert '"admin": {"disabled": true' in configuration
    assert '"automatic_https": {"disable": true}' in configuration
    assert '"listen": ["127.0.0.1:8080"]' in configuration
    assert '"trusted_proxies": {"source": "static"}' in configuration


def test_under_https_every_answer_says_so_for_the_next_time(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    known = "strict-transport-security"
    asked = [("localhost", path) for path in ("/", "/api/v1/x", "/metrics")]
    asked += [(house.live("pekarnya"), "/"), ("stranger.example", "/")]
    environment = {
        "TOCHKA_GATEWAY_STATE": str(tmp_path_factory.mktemp("a")),
        "TOCHKA_GATEWAY_SCHEME": "https",
        "TOCHKA_CORE_PUBLIC": house.public.address,
        "TOCHKA_CORE_PRIVATE": house.private.address,
    }
    with Gateway(environment) as gateway:
        for host, path in asked:
            assert gateway.ask(host, path).headers.get(known) == "max-age=31536000", (host, path)
    for host, path in asked:
        assert known not in house.gateway.ask(host, path).headers


def test_the_admin_interface_can_live_on_a_socket_of_the_owner_alone(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("a")
    path = folder / "admin.sock"
    environment = {
        "TOCHKA_GATEWAY_STATE": str(folder),
        "TOCHKA_GATEWAY_ADMIN": f"unix/{path}|0600",
        "TOCHKA_GATEWAY_BIND": "127.0.0.1",
        "TOCHKA_PLATFORM_HOSTS": "app.example",
        "TOCHKA_STOREFRONT_DOMAIN": "shops.example",
        "TOCHKA_CORE_PUBLIC": house.public.address,
        "TOCHKA_CORE_PRIVATE": house.private.address,
    }
    house.addresses.known["pekarnya.shops.example"] = (200, house.module.address)
    with Gateway(environment) as gateway:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(path))
            admin.sendall(b"GET /config/apps/http/grace_period HTTP/1.0\r\nHost: localhost\r\n\r\n")
            assert admin.recv(100).startswith(b"HTTP/1.0 200")
        # Other names, the same rules: the platform and its shops under two domains of their own.
        assert gateway.ask("app.example", "/api/v1/x").text == "here is core"
        assert gateway.ask("pekarnya.shops.example").text == "here is module"
        for stranger in (
            "localhost",
            "pekarnya.localhost",
            "shops.example",
            "pekarnya.shopsXexample",
            "x.app.example",
        ):
            assert gateway.ask(stranger, "/api/v1/x").status == 404
