"""Somebody in front of a browser, who notices everything that a page does wrong."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, expect

TIMEOUT = 60_000  # a machine may be busy: how fast pages are is told by no test
# Said of every answer over 399. Answers are looked at one by one below: a 4xx may be as it should be.
ANSWER_NOTE = re.compile(r"^Failed to load resource: the server responded with a status of \d+")
expect.set_options(timeout=TIMEOUT)


@dataclass
class Visitor:
    """One browser profile: cookies of its own, one page to begin with."""

    name: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    diary: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Listen to every page of this profile, those opened later too."""
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self.complain(f"uncaught: {error.error}"))
        self.context.on("request", lambda request: self.diary.append(f"> {request.method} {request.url}"))
        self.context.on("response", self._on_response)
        self.context.on("requestfailed", self._on_failed)

    def complain(self, what: str) -> None:
        """Something that must not happen."""
        self.complaints.append(what)
        self.diary.append(f"! {what}")

    def _on_console(self, message: ConsoleMessage) -> None:
        self.diary.append(f"  console.{message.type}: {message.text}")
        if message.type == "error" and not ANSWER_NOTE.match(message.text):
            self.complain(f"console: {message.text} ({message.location['url']})")

    def _on_response(self, response: Response) -> None:
        self.diary.append(f"< {response.status} {response.url}")
        if response.status >= 500:
            self.complain(f"{response.status} from {response.url}")

    def _on_failed(self, request: Request) -> None:
        self.diary.append(f"x {request.failure} {request.url}")
        if request.failure != "net::ERR_ABORTED":  # leaving a page aborts what it still wanted
            self.complain(f"{request.failure} for {request.url}")

    def open(self, url: str) -> Page:
        """Go there in the first tab; anything but a proper page is a failure."""
        response = self.page.goto(url)
        assert response is not None
        assert response.status < 400, f"{response.status} from {url}"
        return self.page

    def opens_tab(self, act: Callable[[], None]) -> Page:
        """The tab that doing this opens."""
        with self.context.expect_page() as opened:
            act()
        page = opened.value
        page.wait_for_load_state()
        return page

    def save(self, folder: Path) -> None:
        """What is on all tabs now, and what led to it."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(self.context.pages):
            page.screenshot(path=folder / f"{self.name}-{number}.png", full_page=True)
            (folder / f"{self.name}-{number}.html").write_text(f"<!-- {page.url} -->\n{page.content()}")
        (folder / f"{self.name}.txt").write_text("\n".join([*self.diary, ""]))


def desktop(browser: Browser, name: str, locale: str = "ru-RU") -> Visitor:
    """Somebody at a laptop."""
    size = {"width": 1280, "height": 900}
    return _arrive(name, browser.new_context(viewport=size, locale=locale, timezone_id="Europe/Moscow"))  # type: ignore[arg-type]  # a literal of the right shape


def phone(browser: Browser, name: str, locale: str = "ru-RU") -> Visitor:
    """Somebody with a phone."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
        locale=locale,
        timezone_id="Europe/Moscow",
    )
    return _arrive(name, context)


def _arrive(name: str, context: BrowserContext) -> Visitor:
    context.set_default_timeout(TIMEOUT)
    visitor = Visitor(name, context, context.new_page())
    visitor.watch()
    return visitor
