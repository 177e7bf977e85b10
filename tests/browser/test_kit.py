"""The kit itself: the browser runs anywhere, shows what we write, and no fault of a page goes unseen."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from tests.browser.conftest import Visitors
from tests.browser.visitor import Visitor

PAGES = {
    "/good": "<!doctype html><title>good</title><h1>Хорошо</h1>",
    "/throws": "<!doctype html><script>setTimeout(() => { throw new Error('thrown') })</script>",
    "/says": "<!doctype html><script>console.error('said')</script>",
    "/loads": "<!doctype html><img src='/broken' alt=''>",
    "/outside": "<!doctype html><script src='http://example.com/x.js'></script>",
    "/policy": "<!doctype html><script>window.ran = true</script>",
}
pytestmark = pytest.mark.browser


class Pages(http.server.BaseHTTPRequestHandler):
    """A site with faults."""

    def do_GET(self) -> None:  # noqa: N802  named by http.server
        """One of the pages."""
        found = PAGES.get(self.path)
        self.send_response(200 if found else 500)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if self.path == "/policy":
            self.send_header("Content-Security-Policy", "script-src 'self'")
        self.end_headers()
        self.wfile.write((found or "").encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  named by http.server
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The site's address, one label below localhost: only a browser finds it."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://kit.localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_sound_page_is_no_cause_for_complaint(desktop: Visitor, phone: Visitor, site: str) -> None:
    for visitor in (desktop, phone):
        assert visitor.open(f"{site}/good").get_by_role("heading", name="Хорошо").is_visible()
        assert visitor.complaints == []
    assert desktop.page.evaluate("navigator.language") == "ru-RU"
    assert phone.page.evaluate("[innerWidth, navigator.maxTouchPoints > 0]") == [390, True]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/throws", "thrown"),
        ("/says", "said"),
        ("/loads", "500"),
        ("/outside", "ERR_NAME_NOT_RESOLVED"),
        ("/policy", "Content Security Policy"),
    ],
)
def test_every_fault_of_a_page_is_noticed(visitors: Visitors, site: str, path: str, said: str) -> None:
    visitor = visitors.desktop("visitor")
    visitor.open(f"{site}{path}").wait_for_load_state("networkidle")
    complaints = list(visitor.complaints)
    visitor.complaints.clear()
    assert any(said in complaint for complaint in complaints), complaints


def test_letters_roubles_and_emoji_are_drawn(desktop: Visitor, site: str) -> None:
    page = desktop.open(f"{site}/good")
    drawn = """(sign) => {
        const canvas = Object.assign(document.createElement("canvas"), {width: 64, height: 64})
        const pen = canvas.getContext("2d")
        pen.font = "40px system-ui, sans-serif"
        pen.fillText(sign, 4, 48)
        return canvas.toDataURL()
    }"""
    pictures = {
        sign: page.evaluate(drawn, sign) for sign in ("Ж", "ё", "A", "₽", "№", "🥐", "👍", " ", "\uffff")
    }
    assert len(set(pictures.values())) == len(
        pictures
    )  # a missing glyph would look like the others that miss


def test_what_is_on_the_screen_can_be_kept(
    visitors: Visitors, site: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    visitor = visitors.phone("visitor")
    visitor.open(f"{site}/good")
    folder = tmp_path_factory.mktemp("kept")
    visitor.save(folder)
    assert (folder / "visitor-0.png").read_bytes().startswith(b"\x89PNG")
    assert "Хорошо" in (folder / "visitor-0.html").read_text()
    assert f"< 200 {site}/good" in (folder / "visitor.txt").read_text()
