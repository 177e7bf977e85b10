"""The kit itself: the browser runs anywhere, shows what we write, and no fault of a page goes unseen."""

import http.server
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Playwright

from tests.browser.chromium import packaged_chromium
from tests.browser.conftest import Visitors, launch
from tests.browser.visitor import Visitor

PAGES = {
    "/good": "<!doctype html><meta name=viewport content='width=device-width'><h1>Хорошо</h1>",
    "/throws": "<!doctype html><script>setTimeout(() => { throw new Error('thrown') })</script>",
    "/says": "<!doctype html><script>console.error('said')</script>",
    "/loads": "<!doctype html><img src='/broken' alt=''>",
    "/outside": "<!doctype html><script src='http://example.com/x.js'></script>",
    "/policy": "<!doctype html><script>window.ran = true</script>",
}
GLIBC = {
    *("linux-vdso.so.1", "ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"),
    *("librt.so.1", "libgcc_s.so.1"),
}
pytestmark = pytest.mark.browser


class Pages(http.server.BaseHTTPRequestHandler):
    """A site with faults."""

    def do_GET(self) -> None:
        """One of the pages."""
        found = PAGES.get(self.path)
        self.send_response(200 if found else 500)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if self.path == "/policy":
            self.send_header("Content-Security-Policy", "script-src 'self'")
        self.end_headers()
        self.wfile.write((found or "").encode())

    def log_message(self, format: str, *args: object) -> None:
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


DRAWN = """(sign) => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 64, height: 64})
    const pen = canvas.getContext("2d")
    pen.font = "40px system-ui, sans-serif"
    pen.fillText(sign, 4, 48)
    return canvas.toDataURL()
}"""


def test_the_packaged_browser_needs_nothing_of_the_machine_and_draws_every_letter(
    playwright: Playwright, site: str
) -> None:
    chromium = packaged_chromium()
    needed = subprocess.run(
        ["ldd", chromium.executable], env=chromium.environment, capture_output=True, text=True, check=True
    ).stdout
    own = chromium.environment["LD_LIBRARY_PATH"].split(":")[0]
    of_the_machine = {line.split()[0].split("/")[-1] for line in needed.splitlines() if own not in line}
    assert "not found" not in needed
    assert of_the_machine <= GLIBC, of_the_machine - GLIBC
    with closing(launch(playwright, chromium)) as browser:
        page = browser.new_page()
        page.goto(f"{site}/good")
        pictures = {
            sign: page.evaluate(DRAWN, sign) for sign in ("Ж", "ё", "A", "₽", "№", "🥐", "👍", "\ue123")
        }
    assert len(set(pictures.values())) == len(pictures)  # what has no glyph looks like the last one


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
