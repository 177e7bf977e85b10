"""Pages with lists say as many statements for twenty rows as for one."""

import pytest

from modules.shop.tests.database.statements import listening
from modules.shop.tests.driving import Buyer, Desk
from modules.shop.tests.pictures import files

pytestmark = pytest.mark.anyio

STOREFRONT = ("/", "/c/katalog", "/search?q=чай", "/cart", "/checkout", "/sitemap.xml")
ADMIN = ("/admin", "/admin/products", "/admin/orders", "/admin/orders?status=new", "/admin/categories")


async def _counts(desk: Desk, buyer: Buyer) -> dict[str, int]:
    counts = {}
    for person, paths in ((buyer, STOREFRONT), (desk, ADMIN)):
        for path in paths:
            with listening() as heard:
                await person.page(path)
            counts[path] = len(heard)
    return counts


async def _add(desk: Desk, buyer: Buyer, number: int) -> None:
    """A product with a picture, an order of it, a piece in the cart, a category."""
    options = await desk.page("/admin/products/new")
    category = options.split('<option value="')[2].split('"')[0]
    picture = files.encode(files.photo(64, 64 + number), "PNG")
    goods = await desk.add(
        f"Чай {number}",
        ("50 г", "100", 40),
        ("100 г", "150", 2),
        pictures=[("a.png", picture)],
        category=category,
    )
    await buyer.put(goods.variant)


async def test_a_list_of_twenty_takes_no_more_statements_than_a_list_of_one(desk: Desk, buyer: Buyer) -> None:
    await _add(desk, buyer, 0)
    await buyer.order()
    await _add(desk, buyer, 1)
    await buyer.browser.post("/cart/set", data={"variant": "", "quantity": "0"})
    one = await _counts(desk, buyer)
    for number in range(2, 20):
        await _add(desk, buyer, number)
        await desk.done("/admin/categories", {"title": f"Раздел {number}"})
        if number < 10:
            await buyer.order()
    for number in range(20, 30):
        await _add(desk, buyer, number)
    twenty = await _counts(desk, buyer)
    assert twenty == one
    assert max(one.values()) <= 12, one


async def test_an_order_and_a_product_are_read_in_a_fixed_number_of_statements(
    desk: Desk, buyer: Buyer
) -> None:
    counts = []
    for size in (1, 12):
        rows = [(f"Вариант {number}", "100", 9) for number in range(size)]
        pictures = [("a.png", files.encode(files.photo(64, 64 + n), "PNG")) for n in range(size)]
        goods = await desk.add("Чай", *rows, pictures=pictures)
        for variant in goods.variants:
            await buyer.put(variant)
        with listening() as ordering:
            form = await buyer.form()
        link = (await buyer.submit(form)).headers["location"]
        (order,) = await desk.order_ids("/admin/orders?status=new")
        pages = []
        for person, path in (
            (buyer, f"/p/{goods.slug}"),
            (buyer, link),
            (desk, f"/admin/orders/{order}"),
            (desk, f"/admin/products/{goods.id}"),
        ):
            with listening() as heard:
                await person.page(path)
            pages.append(len(heard))
        await desk.move(order, "cancelled")
        counts.append([len(ordering), *pages])
    assert counts[0] == counts[1]
