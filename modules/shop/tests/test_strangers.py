"""No page and no button of a shop works on another shop's things; a refusal changes nothing."""

import httpx
import pytest
from tochka_sdk.testing import ModuleClient

from modules.shop.tests.driving import HTML, Buyer, Desk
from modules.shop.tests.everything import routes, things_of

pytestmark = pytest.mark.anyio

# What needs no identifier of anything, so that there is nothing of a stranger's to ask for.
OWN_ALONE = {
    "/", "/search", "/about", "/privacy", "/cart", "/checkout", "/{path:path}",
    "/robots.txt", "/sitemap.xml", "/favicon.ico", "/static/{name}",
    "/admin", "/admin/products", "/admin/products/new", "/admin/categories",
    "/admin/orders", "/admin/settings",
}  # fmt: skip


async def _snapshot(desk: Desk, buyer: Buyer, things: dict[str, str]) -> list[str]:
    """How a shop looks to its own people."""
    pages = [
        await desk.page(path)
        for path in (
            "/admin/products",
            f"/admin/products/{things['product_id']}",
            f"/admin/orders/{things['order_id']}",
            "/admin/categories",
            "/admin/settings",
        )
    ]
    return [*pages, await buyer.page("/cart"), await buyer.page(f"/orders/{things['link']}")]


FORMS: dict[str, dict[str, str]] = {
    "/admin/products/{product_id}": {
        "title": "Захвачено",
        "variants-0-id": "{variant}",
        "variants-0-price": "1",
        "variants-0-stock": "0",
    },
    "/admin/products/{product_id}/remove": {},
    "/admin/products/{product_id}/pictures": {"remove": "{picture_id}"},
    "/admin/categories/{category_id}": {"title": "Захвачено", "deed": "remove"},
    "/admin/orders/{order_id}/status": {"to": "cancelled"},
    "/cart/add": {"variant": "{variant}", "quantity": "1"},
    "/cart/set": {"variant": "{variant}", "quantity": "1"},
}


async def test_another_shops_things_are_not_found_and_not_changed(
    desk: Desk, buyer: Buyer, neighbour: tuple[Desk, Buyer]
) -> None:
    their_desk, their_buyer = neighbour
    things = await things_of(their_desk, their_buyer)
    before = await _snapshot(their_desk, their_buyer, things)
    asked = 0
    for method, path in sorted(routes()):
        if path in OWN_ALONE:
            continue
        browser = desk.browser if path.startswith("/admin") else buyer.browser
        form = {name: value.format(**things) for name, value in FORMS.get(path, {}).items()}
        address = path if path.startswith("/cart") else path.format(**things)
        if path == "/c/{slug}":
            address = "/c/nobody-here"  # both shops have a category «Каталог»: slugs are each shop's own
        answer = await browser.request(method, address, data=form or None, headers=HTML)
        expected = 303 if path == "/cart/set" else 404
        assert answer.status_code == expected, (method, path, answer.status_code)
        assert "Чужой чай" not in answer.text
        asked += 1
    assert asked >= 13
    assert await _snapshot(their_desk, their_buyer, things) == before
    assert "В корзине пусто" in await buyer.page("/cart")


async def test_the_admin_is_closed_to_those_who_did_not_enter(
    storefront: httpx.AsyncClient, desk: Desk, buyer: Buyer
) -> None:
    things = await things_of(desk, buyer)
    before = await _snapshot(desk, buyer, things)
    admin_routes = sorted(route for route in routes() if route[1].startswith("/admin"))
    assert len(admin_routes) >= 15
    for method, path in admin_routes:
        form = {name: value.format(**things) for name, value in FORMS.get(path, {}).items()}
        answer = await storefront.request(method, path.format(**things), data=form or None, headers=HTML)
        assert answer.status_code == 401, (method, path)
        assert "Чужой чай" not in answer.text
    assert await _snapshot(desk, buyer, things) == before


async def test_a_session_of_one_shop_opens_no_other(
    running: ModuleClient, desk: Desk, neighbour: tuple[Desk, Buyer]
) -> None:
    their_desk, _ = neighbour
    cookies = dict(desk.browser.cookies.items())
    answer = await their_desk.browser.get("/admin", headers={**HTML, "Cookie": ""})
    assert answer.status_code == 401
    carried = "; ".join(f"{name}={value}" for name, value in cookies.items())
    answer = await their_desk.browser.get("/admin", headers={**HTML, "Cookie": carried})
    assert answer.status_code == 401


async def test_a_product_cannot_be_put_into_another_shops_category(
    desk: Desk, neighbour: tuple[Desk, Buyer]
) -> None:
    their_desk, _ = neighbour
    page = await their_desk.page("/admin/products/new")
    foreign = page.split('<option value="')[2].split('"')[0]
    data = {"title": "Чай", "variants-0-price": "10", "variants-0-stock": "1", "category": foreign}
    answer = await desk.post("/admin/products/new", data)
    assert answer.status_code == 404
    assert "Товаров пока нет" in await desk.page("/admin/products")
    assert "1 товар" not in await their_desk.page("/admin/categories")


async def test_a_cart_of_one_shop_is_nothing_in_another(
    desk: Desk, buyer: Buyer, neighbour: tuple[Desk, Buyer]
) -> None:
    _, their_buyer = neighbour
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    token = buyer.browser.cookies["cart"]
    answer = await their_buyer.browser.get("/cart", headers={**HTML, "Cookie": f"cart={token}"})
    assert "В корзине пусто" in answer.text


async def test_an_unknown_host_is_no_shop(running: ModuleClient) -> None:
    answer = await running.core.get("/", headers={**HTML, "Host": "nobody.localhost"})
    assert answer.status_code == 404
