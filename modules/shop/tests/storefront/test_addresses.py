"""What links, crawlers and messengers are told: nothing leads away from the shop."""

import re

import pytest

from modules.shop.tests.driving import HTML, Buyer, Desk
from modules.shop.tests.pictures import files

pytestmark = pytest.mark.anyio


async def test_a_link_to_the_shop_shows_the_newest_picture_in_messengers(desk: Desk, buyer: Buyer) -> None:
    category = (await desk.page("/admin/products/new")).split('<option value="')[2].split('"')[0]
    picture = files.encode(files.photo(900, 900), "JPEG")
    await desk.add("Чай", pictures=[("a.jpg", picture)], category=category)
    await desk.add("Кружка без фото", category=category)
    for path in ("/", "/c/katalog"):
        html = await buyer.page(path)
        image = re.search(r'<meta property="og:image" content="http://[^/"]+(/media/[^"]+)">', html)
        assert image is not None
        assert (await buyer.browser.get(image[1])).headers["content-type"] == "image/webp"


async def test_an_address_with_two_slashes_offers_no_way_out_of_the_shop(buyer: Buyer) -> None:
    target = buyer.browser.base_url.copy_with(raw_path=b"//evil.example/x")
    answer = await buyer.browser.get(target, headers=HTML)
    assert answer.status_code == 404
    assert 'href="/evil.example/x?lang=en"' in answer.text
    assert re.search(r'(href|src|action)="//', answer.text) is None


async def test_head_is_answered_like_get_without_a_body(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай")
    for browser, paths in (
        (buyer.browser, ("/", f"/p/{goods.slug}", "/cart", "/about", "/robots.txt", "/sitemap.xml", "/nope")),
        (desk.browser, ("/admin", "/admin/orders", "/admin/products", f"/admin/products/{goods.id}")),
        (buyer.browser, ("/admin", "/admin/settings")),
    ):
        for path in paths:
            head, get = await browser.head(path, headers=HTML), await browser.get(path, headers=HTML)
            assert (head.status_code, head.content) == (get.status_code, b""), path
