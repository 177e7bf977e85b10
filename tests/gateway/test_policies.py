"""Every page of the gateway, the built panel's and its own, walked: nothing inline runs but by its hash."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from core_kit.pages import require_safe_page

from tests.gateway.caddy import ROOT, Gateway
from tests.gateway.conftest import House
from tests.gateway.upstreams import refusing_address

PANEL = ROOT / "core-frontend/dist"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with the panel as it is built."""
    state: Path = tmp_path_factory.mktemp("panel")
    with Gateway({"TOCHKA_GATEWAY_STATE": str(state), "TOCHKA_PANEL_DIR": str(PANEL)}) as gateway:
        yield gateway


def test_every_page_of_the_panel_is_locked(panel: Gateway) -> None:
    files = [f"/{path.relative_to(PANEL).as_posix()}" for path in PANEL.rglob("*.html")]
    assert {"/index.html", "/index.en.html", "/app.html"} <= set(files)
    for path in (*files, "/", "/register", "/dashboard", "/installations/1/progress"):
        for language in ("ru", "en"):
            reply = panel.ask("localhost", path, headers={**BROWSER, "Accept-Language": language})
            assert reply.status == 200, path
            require_safe_page(reply.headers, reply.text)


@pytest.mark.parametrize(
    ("label", "answer"), [("suspended", 403), ("unknown", 404), ("gone", 410), ("opening", 503), ("odd", 500)]
)
def test_every_page_of_the_gateway_itself_is_locked(house: House, label: str, answer: int) -> None:
    reply = house.gateway.ask(house.becomes(label, answer), headers=BROWSER)
    require_safe_page(reply.headers, reply.text)


def test_so_is_the_page_of_a_dead_module_and_of_a_missing_file(house: House) -> None:
    with refusing_address() as nobody:
        reply = house.gateway.ask(house.becomes("dead", 200, nobody), headers=BROWSER)
    assert reply.status == 502
    require_safe_page(reply.headers, reply.text)
    for host, path, method in (
        ("localhost", "/missing.png", "GET"),
        ("localhost", "/metrics", "GET"),
        ("localhost", "/", "TRACE"),
        ("nobody.example", "/", "GET"),
    ):
        reply = house.gateway.ask(host, path, method=method, headers=BROWSER)
        require_safe_page(reply.headers, reply.text)
