"""Whatever is sent, the answer is a sentence and never an internal error."""

import pytest

from modules.shop.tests.driving import HTML, Buyer, Desk, variant_fields

pytestmark = pytest.mark.anyio

STRANGE = (
    "\x00",
    "a\x00b",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "💐" * 50,
    "\u202eabc",
    "x" * 200_000,
)
PATHS = (
    "%00",
    "%ff%fe",
    "a%00b",
    "..%2f..",
    "%F0%9F%92%90",
    "x" * 3000,
    "'%20OR%201=1--",
    "%5C",
    "%0d%0aSet-Cookie:x",
)


async def test_strange_addresses_are_not_found(desk: Desk, buyer: Buyer) -> None:
    for strange in PATHS:
        for place in ("/p/", "/c/", "/orders/", "/media/x/", "/static/", "/"):
            answer = await buyer.get(place + strange)
            assert answer.status_code == 404, (place, strange, answer.status_code)
        for place in ("/admin/products/", "/admin/orders/"):
            answer = await desk.get(place + strange)
            assert answer.status_code == 404, (place, strange, answer.status_code)


async def test_strange_questions_are_answered(desk: Desk, buyer: Buyer) -> None:
    await desk.add("Чай")
    for strange in PATHS:
        for path in ("/search?q=", "/?page=", "/?lang=", "/c/katalog?page="):
            assert (await buyer.get(path + strange)).status_code < 400, (path, strange)
        for path in ("/admin/products?q=", "/admin/orders?q=", "/admin/orders?status=", "/admin?said="):
            assert (await desk.get(path + strange)).status_code == 200, (path, strange)


async def test_strange_forms_are_refused_or_cleaned(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай", stock=99_999)
    await buyer.put(goods.variant)
    settings = {"name": "Лавка", "accent": "sea", "pickup_enabled": "1"}
    for strange in STRANGE:
        form = await buyer.form()
        for field in ("key", "seen", "name", "phone", "method", "address", "comment"):
            answer = await buyer.submit({**form, field: strange})
            assert answer.status_code in (303, 400, 409, 413, 422), (field, strange[:9], answer.status_code)
            await buyer.put(goods.variant)
        for data in ({"variant": strange}, {"variant": str(goods.variant), "quantity": strange}):
            for path in ("/cart/add", "/cart/set"):
                answer = await buyer.browser.post(path, data=data, headers=HTML)
                assert answer.status_code in (303, 400, 404, 413), (path, strange[:9])
        good = {"title": "Товар", **variant_fields(0, "", "10", 1)}
        for field in (*good, "description", "category"):
            answer = await desk.post("/admin/products/new", {**good, field: strange})
            assert answer.status_code in (303, 400, 404, 413, 422), (field, strange[:9], answer.status_code)
        for field in ("name", "about", "accent", "locale", "utc_offset", "phone", "email", "delivery_price"):
            answer = await desk.post("/admin/settings", {**settings, field: strange})
            assert answer.status_code in (303, 400, 413, 422), (field, strange[:9], answer.status_code)
        answer = await desk.post("/admin/categories", {"title": strange})
        assert answer.status_code in (303, 400, 413, 422)


async def test_bodies_that_are_no_forms_are_refused(desk: Desk, buyer: Buyer) -> None:
    for browser, path in (
        (buyer.browser, "/cart/add"),
        (buyer.browser, "/checkout"),
        (desk.browser, "/admin/products/new"),
    ):
        for kind in (
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "text/plain",
        ):
            answer = await browser.post(path, content=b'{"a": [1', headers={**HTML, "Content-Type": kind})
            assert 300 <= answer.status_code < 500, (path, kind, answer.status_code)
