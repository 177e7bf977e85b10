"""From an empty shop to an order: what a buyer meets on the way."""

import json
import re

import httpx
import pytest
from tochka_sdk.events import LicenseUpdated
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing import ModuleClient

from modules.shop.tests.driving import Buyer, Desk, hidden_fields, variant_fields
from modules.shop.tests.pictures import files

pytestmark = pytest.mark.anyio


async def test_a_new_shop_welcomes_before_it_has_anything_to_sell(
    buyer: Buyer, installation: FreshInstallation
) -> None:
    html = await buyer.page("/")
    assert f"<h1>{installation.tenant_name}</h1>" in html
    assert "Скоро откроемся" in html


async def test_a_product_is_found_chosen_and_ordered(desk: Desk, buyer: Buyer) -> None:
    picture = files.encode(files.photo(900, 900), "JPEG")
    mug = await desk.add(
        "Кружка «Утро»", ("250 мл", "1290", 3), ("350 мл", "1490,50", 2), pictures=[("a.jpg", picture)]
    )
    assert mug.slug == "kruzhka-utro"
    assert "от 1\xa0290\xa0₽" in await buyer.page("/")
    html = await buyer.page(f"/p/{mug.slug}")
    assert "1\xa0490,50\xa0₽" in html

    put = await buyer.put(mug.variants[1], 2)
    assert (put.status_code, put.headers["location"]) == (303, "/cart?added=1")
    assert "2\xa0981\xa0₽" in await buyer.page("/cart?added=1")

    link = await buyer.order(comment="Позвоните\nза час")
    page = await buyer.page(link)
    assert "Номер заказа — 1001" in page
    assert "2\xa0981\xa0₽" in page
    assert "+7 999 123-45-67" in page
    assert await desk.stock(mug, 1) == 0
    assert "В корзине пусто" in await buyer.page("/cart")


async def test_delivery_is_added_to_the_price_and_needs_an_address(desk: Desk, buyer: Buyer) -> None:
    await desk.settings()
    goods = await desk.add("Чай", price="500")
    await buyer.put(goods.variant)
    refused = await buyer.submit(await buyer.form(method="delivery"))
    assert refused.status_code == 422
    assert 'id="address-error"' in refused.text
    page = await buyer.page(await buyer.order(method="delivery", address="Тверь, Волжский проезд, 7"))
    assert "850\xa0₽" in page
    assert "Волжский проезд" in page


async def test_whatever_is_typed_wrong_is_said_beside_its_field_and_kept(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    form = await buyer.form(name="", phone="123", comment="Мой комментарий")
    del form["consent"]
    answer = await buyer.submit(form)
    assert answer.status_code == 422
    for field in ("name", "phone", "consent"):
        assert f'id="{field}-error"' in answer.text
    assert "Мой комментарий" in answer.text
    assert await desk.order_ids() == []
    assert await desk.stock(goods) == 5


async def test_a_telephone_is_stored_in_one_form_however_it_is_typed(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай", stock=10)
    for typed in ("89991234567", "+7 (999) 123-45-67", "9991234567"):
        await buyer.put(goods.variant)
        await buyer.order(phone=typed)
    assert len(await desk.order_ids("/admin/orders?q=%2B7 999 123 45 67")) == 3


async def test_the_cart_counts_caps_and_empties(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай", stock=3)
    await buyer.put(goods.variant, 2)
    await buyer.put(goods.variant, 2)
    html = await buyer.page("/cart")
    assert "<output>3</output>" in html
    assert "data-count>3</span>" in html
    for quantity, left in (
        ("2", "<output>2</output>"),
        ("99", "<output>3</output>"),
        ("0", "В корзине пусто"),
    ):
        await buyer.browser.post("/cart/set", data={"variant": str(goods.variant), "quantity": quantity})
        assert left in await buyer.page("/cart")


async def test_the_script_gets_its_answer_as_json(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай", stock=3)
    answer = await buyer.browser.post(
        "/cart/add",
        data={"variant": str(goods.variant), "quantity": "5"},
        headers={"Accept": "application/json", "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.json() == {"pieces": 3, "added": 3}


async def test_the_cart_cookie_cannot_be_read_by_scripts_nor_chosen_by_others(
    desk: Desk, buyer: Buyer
) -> None:
    goods = await desk.add("Чай")
    buyer.browser.cookies.set("cart", "chosen-by-somebody", domain="")
    cookie = (await buyer.put(goods.variant)).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "chosen-by-somebody" not in cookie


async def test_a_hidden_or_sold_out_product_cannot_be_bought(desk: Desk, buyer: Buyer) -> None:
    hidden = await desk.add("Тайный чай", is_published="")
    gone = await desk.add("Кончился", stock=0)
    assert (await buyer.get("/p/taynyy-chay")).status_code == 404
    assert "Нет в наличии" in await buyer.page("/")
    assert "Этого товара сейчас нет" in await buyer.page(f"/p/{gone.slug}")
    for goods in (hidden, gone):
        assert (await buyer.put(goods.variant)).status_code == 404
    assert "В корзине пусто" in await buyer.page("/cart")


async def test_search_finds_word_forms_parts_and_the_letter_yo(desk: Desk, buyer: Buyer) -> None:
    await desk.add("Кружка «Ёлка»", description="Расписана вручную")
    await desk.add("Зелёный чай")
    for query in ("кружки", "круж", "елка", "ЁЛКА", "расписанная", "кружка ёлка"):
        html = await buyer.page(f"/search?q={query}")
        assert "Кружка «Ёлка»" in html, query
        assert "1 товар<" in html, query
    assert "Ничего не нашлось" in await buyer.page("/search?q=самокат")
    assert "Ничего не нашлось" in await buyer.page("/search?q=100%25_")
    assert (await buyer.get("/search?q=")).headers["location"] == "/"


async def test_a_category_has_its_page_and_disappears_from_the_shelves_when_empty(
    desk: Desk, buyer: Buyer
) -> None:
    await desk.done("/admin/categories", {"title": "Вазы"})
    await desk.done("/admin/categories", {"title": "Пустой раздел"})
    options = re.findall(
        r'<option value="([0-9a-f-]{36})"[^>]*>([^<]+)', await desk.page("/admin/products/new")
    )
    ids = {title: one for one, title in options}
    await desk.add("Ваза", category=ids["Вазы"])
    await desk.add("Чай", category=ids["Каталог"])
    html = await buyer.page("/c/vazy")
    assert "Ваза" in html
    assert "/p/chay" not in html
    assert "Пустой раздел" not in html


async def test_long_lists_have_pages(desk: Desk, buyer: Buyer) -> None:
    for number in range(26):
        await desk.add(f"Товар {number}")
    first, second = await buyer.page("/"), await buyer.page("/?page=2")
    assert first.count('class="good-card') == 24
    assert second.count('class="good-card') == 2
    assert 'rel="next" href="/?page=2"' in first
    assert 'rel="prev" href="/"' in second
    assert (await buyer.get("/?page=3")).status_code == 303


async def test_a_changed_price_or_stock_is_said_before_anything_is_ordered(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай", price="100", stock=5)
    await buyer.put(goods.variant, 4)
    form = await buyer.form()
    fields = hidden_fields(await desk.page(f"/admin/products/{goods.id}"))
    row = {
        "title": "Чай",
        "is_published": "1",
        **{k: v for k, v in fields.items() if k.startswith("variants-0")},
    }
    await desk.done(
        f"/admin/products/{goods.id}", {**row, "variants-0-price": "120", "variants-0-stock": "5"}
    )
    told = await buyer.submit(form)
    assert told.status_code == 409
    assert "Чай: цена была 100\xa0₽, стала 120\xa0₽." in told.text
    assert await desk.order_ids() == []

    await desk.done(
        f"/admin/products/{goods.id}", {**row, "variants-0-price": "120", "variants-0-stock": "2"}
    )
    again = {**form, **hidden_fields(told.text)}
    fewer = await buyer.submit(again)
    assert fewer.status_code == 409
    assert "Чай: осталось 2 вместо 4." in fewer.text
    assert await desk.stock(goods) == 2

    done = await buyer.submit({**form, **hidden_fields(fewer.text)})
    assert done.status_code == 303
    assert "240\xa0₽" in await buyer.page(done.headers["location"])


async def test_a_dearer_thing_is_told_beside_one_that_is_gone(desk: Desk, buyer: Buyer) -> None:
    dearer, gone = await desk.add("Ваза", price="500"), await desk.add("Чашка", stock=2)
    await buyer.put(dearer.variant)
    await buyer.put(gone.variant, 2)
    form = await buyer.form()
    row = {"title": "Ваза", "is_published": "1"}
    fields = variant_fields(0, "", "700", 5, id=str(dearer.variant), seen=5)
    await desk.done(f"/admin/products/{dearer.id}", {**row, **fields})
    fields = variant_fields(0, "", "100", 0, id=str(gone.variant), seen=2)
    await desk.done(f"/admin/products/{gone.id}", {**row, "title": "Чашка", **fields})
    told = await buyer.submit(form)
    assert told.status_code == 409
    assert "Ваза: цена была 500\xa0₽, стала 700\xa0₽." in told.text
    assert "Чашка: закончилось, убрали из корзины." in told.text
    assert "Состав корзины изменился" not in told.text
    assert "Корзина, 1 товар" in told.text
    assert await desk.order_ids() == []


async def test_what_was_sold_out_meanwhile_leaves_the_cart_with_a_word(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    form = await buyer.form()
    await desk.done(f"/admin/products/{goods.id}/remove", {})
    told = await buyer.submit(form)
    assert told.status_code == 409
    assert "Один из товаров: закончилось, убрали из корзины." in told.text
    assert "В корзине пусто" in told.text


async def test_a_changed_price_of_delivery_is_said(desk: Desk, buyer: Buyer) -> None:
    await desk.settings()
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    form = await buyer.form(method="delivery", address="Тверь")
    await desk.settings(delivery_price="400")
    told = await buyer.submit(form)
    assert told.status_code == 409
    assert "Доставка стоила 350\xa0₽, теперь 400\xa0₽." in told.text


async def test_an_orders_page_needs_its_whole_link(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    link = await buyer.order()
    assert len(link.removeprefix("/orders/")) >= 32
    assert (await buyer.get(link[:-1])).status_code == 404
    assert (await buyer.get("/orders/1001")).status_code == 404
    page = await buyer.get(link)
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert 'name="robots" content="noindex"' in page.text


async def test_a_limited_license_shows_goods_and_takes_no_orders(
    running: ModuleClient, desk: Desk, buyer: Buyer, installation: FreshInstallation
) -> None:
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    form = await buyer.form()
    limited = LicenseUpdated(license=running.platform.license(installation, access="limited"))
    told = await running.deliver(running.platform.record("license.updated", limited, installation))
    assert told.status_code == 200
    assert "не принимает заказы" in await buyer.page(f"/p/{goods.slug}")
    assert "data-buy" not in await buyer.page(f"/p/{goods.slug}")
    assert (await buyer.get("/checkout")).status_code == 303
    assert (await buyer.submit(form)).status_code == 403
    assert await desk.order_ids() == []
    assert "Подписка ограничена" in await desk.page("/admin")
    assert await desk.stock(goods) == 5


async def test_a_page_is_light(desk: Desk, buyer: Buyer) -> None:
    picture = files.encode(files.photo(400, 400), "JPEG")
    for number in range(24):
        pictures = [("a.jpg", picture)] if number < 6 else []
        await desk.add(f"Товар с длинным названием номер {number}", pictures=pictures, description="о" * 500)
    for path in ("/", "/p/tovar-s-dlinnym-nazvaniem-nomer-3", "/cart"):
        html = await buyer.page(path)
        weight = len(html.encode())
        for asset in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', html)):
            answer = await buyer.get(asset)
            assert answer.headers["cache-control"].endswith("immutable")
            weight += len(answer.content)
        assert weight < 100_000, (path, weight)


async def test_search_engines_learn_what_a_page_is(
    desk: Desk, buyer: Buyer, installation: FreshInstallation
) -> None:
    picture = files.encode(files.photo(900, 900), "JPEG")
    goods = await desk.add(
        'Чай </script><b>"Утро"', ("50 г", "320", 1), ("100 г", "590", 0), pictures=[("a.jpg", picture)]
    )
    html = await buyer.page(f"/p/{goods.slug}")
    address = f"{installation.url}/p/{goods.slug}"
    assert f'<link rel="canonical" href="{address}">' in html
    assert f'hreflang="en" href="{address}?lang=en"' in html
    assert 'property="og:type" content="product"' in html
    assert f'property="og:image" content="{installation.url}/media/' in html
    assert re.search(r'<meta name="description" content="[^"]{20,}"', html)
    documents = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)
    product = json.loads(documents[0])
    assert product["name"] == 'Чай </script><b>"Утро"'
    assert product["offers"]["@type"] == "AggregateOffer"
    assert (product["offers"]["lowPrice"], product["offers"]["highPrice"]) == ("320.00", "590.00")
    assert product["offers"]["availability"].endswith("InStock")
    assert json.loads(documents[1])["@type"] == "BreadcrumbList"

    sitemap = await buyer.get("/sitemap.xml")
    assert sitemap.headers["content-type"].startswith("application/xml")
    assert f"<loc>{address}</loc>" in sitemap.text
    robots = (await buyer.get("/robots.txt")).text
    assert f"Sitemap: {installation.url}/sitemap.xml" in robots
    assert "Disallow: /admin" in robots
    for path in ("/cart", "/search?q=чай"):
        assert 'name="robots" content="noindex"' in await buyer.page(path)


async def test_a_missing_page_is_not_found_within_the_shop(
    buyer: Buyer, installation: FreshInstallation
) -> None:
    for path in ("/nope", "/p/nope", "/c/nope", "/orders/nope", "/media/x/y.webp", "/static/none.css"):
        answer = await buyer.get(path)
        assert answer.status_code == 404, path
    page = await buyer.get("/p/nope")
    assert "Страница не найдена" in page.text
    assert installation.tenant_name in page.text


async def test_programs_get_problems_as_json(buyer: Buyer) -> None:
    answer = await buyer.browser.get("/p/nope")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "catalogue.product_not_found"


async def test_a_form_of_another_site_changes_nothing(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай")
    data = {"variant": str(goods.variant), "quantity": "1"}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://neighbour.localhost"},
        {"Origin": "null"},
    ):
        answer = await buyer.browser.post("/cart/add", data=data, headers=headers)
        assert answer.status_code == 403, headers
        assert "set-cookie" not in answer.headers
    own = {"Origin": f"http://{buyer.browser.base_url.host}"}
    assert (await buyer.browser.post("/cart/add", data=data, headers=own)).status_code == 303


async def test_head_is_answered_like_get(storefront: httpx.AsyncClient) -> None:
    for path in ("/", "/about", "/robots.txt"):
        answer = await storefront.head(path)
        assert answer.status_code == 200
        assert answer.content == b""
