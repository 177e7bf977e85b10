"""Every page of a shop, walked: nothing runs inline, and nothing comes from another host."""

import httpx
import pytest
from core_kit.pages import require_locked, require_safe_page
from tochka_sdk.events import LicenseUpdated
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing import ModuleClient
from tochka_shop.pages.assets import asset

from modules.shop.tests.driving import HTML, Buyer, Desk
from modules.shop.tests.everything import routes, things_of

pytestmark = pytest.mark.anyio

OF_THEIR_OWN_KIND = {
    "/robots.txt",
    "/sitemap.xml",
    "/favicon.ico",
    "/media/{picture_id}/{name}",
    "/static/{name}",
}
"""What is read and is no page."""
ADDRESSES = {
    "/c/{slug}": "/c/katalog",
    "/search": "/search?q=чай",
    "/static/{name}": asset("shop.css"),
    "/{path:path}": "/nothing/here",
}
"""Where the names of `things_of` would not lead."""


def _address(path: str, things: dict[str, str]) -> str:
    return ADDRESSES.get(path) or path.format(**things)


def _is_page(answer: httpx.Response) -> bool:
    """Whether it is a page. Nothing is taken for what it is not; a page runs the shop's own scripts alone."""
    assert answer.headers["x-content-type-options"] == "nosniff"
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return False
    require_safe_page(answer.headers, answer.text)
    assert require_locked(answer.headers).get("script-src", {"'self'"}) == {"'self'"}
    assert "unsafe" not in answer.headers["content-security-policy"]
    return True


async def test_every_page_is_locked(desk: Desk, buyer: Buyer) -> None:
    await desk.settings(phone="+7 910 123-45-67", email="a@b.ru")
    things = await things_of(desk, buyer)
    no_pages = set()
    for path in sorted(path for method, path in routes() if method == "GET"):
        browser = desk.browser if path.startswith("/admin") else buyer.browser
        answer = await browser.get(_address(path, things), headers=HTML)
        assert answer.is_success or path == "/{path:path}", (path, answer.status_code)
        if not _is_page(answer):
            no_pages.add(path)
    assert no_pages == OF_THEIR_OWN_KIND


async def test_so_is_every_refusal(
    running: ModuleClient, desk: Desk, buyer: Buyer, installation: FreshInstallation
) -> None:
    """To whoever did not enter, another site, an empty form, and whoever asks for what is not done there."""
    things = await things_of(desk, buyer)
    refusals = set()
    for method, path in sorted(routes()):
        address = _address(path, things)
        browser = desk.browser if path.startswith("/admin") else buyer.browser
        answers = [
            await buyer.browser.request(method, address, headers=HTML),
            await browser.request("DELETE", address, headers=HTML),
        ]
        if method == "POST":
            foreign = {**HTML, "Sec-Fetch-Site": "cross-site"}
            answers += [await browser.post(address, headers=more) for more in (HTML, foreign)]
        refusals |= {answer.status_code for answer in answers if _is_page(answer)}
    assert refusals >= {401, 403, 404, 405, 422}

    nobody = await running.core.get("/", headers={**HTML, "Host": "nobody.localhost"})
    ticket = await buyer.browser.post("/_tochka/session", data={"ticket": "x"}, headers=HTML)
    closed = LicenseUpdated(license=running.platform.license(installation, access="closed"))
    await running.deliver(running.platform.record("license.updated", closed, installation))
    for answer in (nobody, ticket, await buyer.get("/"), await desk.get("/admin")):
        assert answer.status_code >= 400
        assert _is_page(answer)
