"""Fixtures of the browser tests.

`stack`      the real product, started once (`tochka up`, free port, empty data directory) and always stopped
`visitors`   makes people: `visitors.desktop("owner")`, `visitors.phone("buyer", locale="en-US")`
`phone`      one with a phone (390 x 844, touch, Russian) · `desktop`: one at a laptop (1280 x 900, Russian)

A test fails when any page of any visitor writes an error to the console, breaks its content security policy,
throws, fails to load something or gets a 5xx, unless the test takes it out of `visitor.complaints`.
When a test fails, pictures, pages and what led to them lie in artifacts/browser/<test>/.
"""

import shutil
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser import visitor as people
from tests.browser.chromium import Chromium, find_chromium
from tests.browser.options import ARTIFACTS, ENVIRONMENT, STACK_URL
from tests.browser.running_stack import RunningStack, running_stack
from tests.browser.visitor import Visitor
from tests.node import find_node

FAILED = pytest.StashKey[bool]()
# Nothing but this machine can be reached: a page that needs the internet fails here, not at its reader's.
ARGUMENTS = [
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
    "--font-render-hinting=none",
]


@dataclass
class Visitors:
    """Everybody in a test."""

    browser: Browser
    present: list[Visitor] = field(default_factory=list)

    def desktop(self, name: str, locale: str = "ru-RU") -> Visitor:
        """A new person at a laptop."""
        return self._welcome(people.desktop(self.browser, name, locale))

    def phone(self, name: str, locale: str = "ru-RU") -> Visitor:
        """A new person with a phone."""
        return self._welcome(people.phone(self.browser, name, locale))

    def _welcome(self, visitor: Visitor) -> Visitor:
        self.present.append(visitor)
        return visitor


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know how the test went."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """The product."""
    if STACK_URL:
        yield RunningStack(STACK_URL.rstrip("/"))
        return
    with running_stack() as started:
        yield started


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What drives browsers. Not for the whole session: its event loop would be in the way of others."""
    with pytest.MonkeyPatch.context() as patch:
        # Playwright's own Node needs libraries that a bare machine lacks.
        patch.setenv("PLAYWRIGHT_NODEJS_PATH", str(find_node()))
        with sync_playwright() as started:
            yield started


def launch(playwright: Playwright, chromium: Chromium) -> Browser:
    """Start a browser that knows this machine and nothing beyond."""
    return playwright.chromium.launch(
        executable_path=chromium.executable,
        env={**ENVIRONMENT, **chromium.environment},
        args=ARGUMENTS,
    )


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium."""
    started = launch(playwright, find_chromium())
    yield started
    started.close()


@pytest.fixture
def visitors(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visitors]:
    """People for this test."""
    everyone = Visitors(browser)
    folder = ARTIFACTS / "browser" / request.node.name
    shutil.rmtree(folder, ignore_errors=True)
    yield everyone
    complaints = [f"{visitor.name}: {what}" for visitor in everyone.present for what in visitor.complaints]
    if complaints or request.node.stash.get(FAILED, False):
        for visitor in everyone.present:
            visitor.save(folder)
    for visitor in everyone.present:
        visitor.context.close()
    assert not complaints, "\n".join(["The pages did what they must not:", *complaints])


@pytest.fixture
def phone(visitors: Visitors) -> Visitor:
    """Somebody with a phone."""
    return visitors.phone("phone")


@pytest.fixture
def desktop(visitors: Visitors) -> Visitor:
    """Somebody at a laptop."""
    return visitors.desktop("desktop")
