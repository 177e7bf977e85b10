"""The shop as people use it through the gateway: an owner at the desk, buyers with carts."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from tests.proof.journal import Journal, Seen
from tests.proof.people import Browser, Owner, browser, insist

_INPUT = re.compile(r"<input\b[^>]*>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
SOLD_OUT, SOMETHING_CHANGED, BUSY = 404, 409, 503


@dataclass(frozen=True)
class Goods:
    """A product on the shelf: its id, and that of the one thing that can be bought of it."""

    product: str
    variant: str
    slug: str


@dataclass
class Desk:
    """The owner, signed in to the shop's admin."""

    browser: Browser

    async def put_on_shelf(self, title: str, stock: int, pictures: Sequence[tuple[str, bytes]] = ()) -> Goods:
        """A product with one variant."""
        form = {
            "title": title,
            "is_published": "1",
            "variants-0-price": "100",
            "variants-0-stock": str(stock),
        }
        files = [("pictures", (name, content, "image/jpeg")) for name, content in pictures]
        made = await self.browser.send(
            "POST", "/admin/products/new", page=True, data=form, files=files or None
        )
        assert made.status == 303, made
        path = urlsplit(made.location).path
        edit = await self.browser.send("GET", path, page=True)
        slug = re.search(r'href="/p/([a-z0-9-]+)"', edit.text)
        assert slug is not None, edit
        return Goods(path.rpartition("/")[2], hidden_fields(edit.text)["variants-0-id"], slug[1])


@dataclass
class Buyer:
    """Somebody with a cart."""

    browser: Browser
    form: dict[str, str] = field(default_factory=dict)

    async def put(self, goods: Goods, quantity: int = 1) -> Seen:
        """Put something into the cart."""
        data = {"variant": goods.variant, "quantity": str(quantity)}
        return await self._send("POST", "/cart/add", data=data)

    async def fill_in(self) -> bool:
        """Open the checkout and fill it in; False if there is nothing left to order."""
        page = await self._send("GET", "/checkout")
        if page.status != 200:
            return False
        hidden = hidden_fields(page.text)
        self.form = {
            "key": hidden["key"],
            "seen": hidden["seen"],
            "name": "Мария Петрова",
            "phone": "8 999 123-45-67",
            "method": "pickup",
            "consent": "1",
        }
        return True

    async def order(self) -> str:
        """Send the form; the order's page, or nothing."""
        seen = await self._send("POST", "/checkout", data=self.form)
        return seen.location if seen.status == 303 else ""

    async def _send(self, method: str, path: str, **content: Any) -> Seen:
        """Send until the shop says more than «later»: a patient buyer presses again."""
        expected = (SOLD_OUT if path == "/cart/add" else SOMETHING_CHANGED, BUSY)
        return await insist(lambda: self.browser.send(method, path, page=True, expected=expected, **content))


def hidden_fields(html: str) -> dict[str, str]:
    """The hidden fields of a page's forms."""
    tags = (dict(_ATTRIBUTE.findall(tag)) for tag in _INPUT.findall(html))
    return {
        tag["name"]: unescape(tag.get("value", ""))
        for tag in tags
        if tag.get("type") == "hidden" and "name" in tag
    }


@asynccontextmanager
async def desk_of(owner: Owner, installation_id: str, label: str, journal: Journal) -> AsyncIterator[Desk]:
    """Enter the admin with a ticket, as the panel does it."""
    entry = await owner.call("POST", f"/installations/{installation_id}/session")
    assert entry.is_good, entry
    async with browser(str(owner.browser.http.base_url), journal, f"{label}.localhost") as own:
        answer = await own.send("POST", "/_tochka/session", page=True, data={"ticket": entry.body["ticket"]})
        assert answer.status == 303, answer
        yield Desk(own)


@asynccontextmanager
async def buyer(url: str, label: str, journal: Journal) -> AsyncIterator[Buyer]:
    """A fresh browser in a shop."""
    async with browser(url, journal, f"{label}.localhost") as own:
        yield Buyer(own)
