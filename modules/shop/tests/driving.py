"""The shop as people drive it: an owner at the desk, a buyer with a cart. Everything goes over HTTP."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from uuid import UUID

import httpx

HTML = {"Accept": "text/html,application/xhtml+xml"}
_INPUT = re.compile(r"<input\b[^>]*>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


def hidden_fields(html: str) -> dict[str, str]:
    """The hidden fields of a page's forms."""
    fields = {}
    for tag in _INPUT.findall(html):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if attributes.get("type") == "hidden" and "name" in attributes:
            fields[attributes["name"]] = unescape(attributes.get("value", ""))
    return fields


@dataclass(frozen=True)
class Goods:
    """A product that was put on the shelf."""

    id: UUID
    slug: str
    variants: tuple[UUID, ...]

    @property
    def variant(self) -> UUID:
        """The first variant."""
        return self.variants[0]


class Desk:
    """Somebody signed in to the admin."""

    def __init__(self, browser: httpx.AsyncClient) -> None:
        self.browser = browser

    async def get(self, path: str) -> httpx.Response:
        """A page."""
        return await self.browser.get(path, headers=HTML)

    async def page(self, path: str) -> str:
        """The text of a page that must be there."""
        answer = await self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.text

    async def post(
        self, path: str, data: dict[str, str], pictures: Sequence[tuple[str, bytes]] = ()
    ) -> httpx.Response:
        """Send a form."""
        files = [("pictures", (name, content, "image/jpeg")) for name, content in pictures]
        return await self.browser.post(path, data=data, files=files or None, headers=HTML)

    async def done(self, path: str, data: dict[str, str]) -> str:
        """Send a form that must be taken; where it leads."""
        answer = await self.post(path, data)
        assert answer.status_code == 303, (path, answer.status_code, answer.text[:2000])
        return answer.headers["location"]

    async def add(
        self,
        title: str,
        *variants: tuple[str, str, int],
        price: str = "100",
        stock: int = 5,
        pictures: Sequence[tuple[str, bytes]] = (),
        **fields: str,
    ) -> Goods:
        """Put a product on the shelf; without variants it has one."""
        data = {"title": title, "is_published": "1", **fields}
        for number, row in enumerate(variants or (("", price, stock),)):
            data |= variant_fields(number, *row)
        answer = await self.post("/admin/products/new", data, pictures)
        assert answer.status_code == 303, answer.text[:3000]
        product_id = UUID(answer.headers["location"].split("?")[0].rsplit("/", 1)[1])
        return await self.goods(product_id)

    async def goods(self, product_id: UUID) -> Goods:
        """What the form of a product says."""
        html = await self.page(f"/admin/products/{product_id}")
        fields = hidden_fields(html)
        ids = [UUID(value) for name, value in sorted(fields.items()) if name.endswith("-id") and value]
        slug = re.search(r'href="/p/([a-z0-9-]+)"', html)
        return Goods(product_id, slug[1] if slug else "", tuple(ids))

    async def stock(self, goods: Goods, number: int = 0) -> int:
        """How many the form says there are."""
        fields = hidden_fields(await self.page(f"/admin/products/{goods.id}"))
        return int(fields[f"variants-{number}-seen"])

    async def settings(self, **changes: str) -> None:
        """Save the settings form."""
        data = {
            "name": "Лавка",
            "accent": "sea",
            "locale": "ru",
            "utc_offset": "180",
            "pickup_enabled": "1",
            "pickup_address": "Тверь, Советская, 12",
            "delivery_enabled": "1",
            "delivery_price": "350",
        }
        wanted = {name: value for name, value in {**data, **changes}.items() if value}
        await self.done("/admin/settings", wanted)

    async def order_ids(self, path: str = "/admin/orders") -> list[UUID]:
        """The orders that a list shows."""
        found = re.findall(r'href="/admin/orders/([0-9a-f-]{36})"', await self.page(path))
        return [UUID(one) for one in found]

    async def move(self, order_id: UUID, to: str, note: str = "") -> httpx.Response:
        """Press a status button."""
        return await self.post(f"/admin/orders/{order_id}/status", {"to": to, "note": note})


def variant_fields(
    number: int, title: str, price: str, stock: int, *, id: str = "", seen: int = 0
) -> dict[str, str]:
    """The fields of one row of variants."""
    values = {"id": id, "seen": str(seen), "title": title, "price": price, "stock": str(stock)}
    return {f"variants-{number}-{name}": value for name, value in values.items()}


class Buyer:
    """A buyer's browser."""

    def __init__(self, browser: httpx.AsyncClient) -> None:
        self.browser = browser

    async def get(self, path: str) -> httpx.Response:
        """A page."""
        return await self.browser.get(path, headers=HTML)

    async def page(self, path: str) -> str:
        """The text of a page that must be there."""
        answer = await self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.text

    async def put(self, variant: UUID, quantity: int = 1) -> httpx.Response:
        """Put something into the cart."""
        data = {"variant": str(variant), "quantity": str(quantity)}
        return await self.browser.post("/cart/add", data=data, headers=HTML)

    async def form(self, **changes: str) -> dict[str, str]:
        """The checkout form, opened and filled in."""
        fields = hidden_fields(await self.page("/checkout"))
        filled = {
            "key": fields["key"],
            "seen": fields["seen"],
            "name": "Мария Петрова",
            "phone": "8 999 123-45-67",
            "method": "pickup",
            "consent": "1",
        }
        return {**filled, **changes}

    async def submit(self, form: dict[str, str]) -> httpx.Response:
        """Send a checkout form."""
        return await self.browser.post("/checkout", data=form, headers=HTML)

    async def order(self, **changes: str) -> str:
        """Order what is in the cart; the order's page."""
        answer = await self.submit(await self.form(**changes))
        assert answer.status_code == 303, answer.text[:3000]
        return answer.headers["location"]
