"""A day at the desk: goods, sections, settings, and what is said when something is wrong."""

import re

import httpx
import pytest
from tochka_sdk.signing import FreshInstallation
from tochka_sdk.testing import ModuleClient

from modules.shop.tests.driving import HTML, Buyer, Desk, hidden_fields, variant_fields

pytestmark = pytest.mark.anyio


async def test_the_first_steps_are_ticked_off_as_they_are_done(desk: Desk) -> None:
    async def open_steps() -> int:
        page = await desk.page("/admin")
        return page.count('class="button quiet compact" href="/admin/') if "Первые шаги" in page else 0

    assert await open_steps() == 4
    await desk.add("Чай")
    assert await open_steps() == 2
    await desk.settings(phone="+7 910 123-45-67")
    assert await open_steps() == 0


async def test_a_product_form_says_what_is_wrong_and_keeps_what_was_typed(desk: Desk) -> None:
    data = {
        "title": "",
        "description": "Моё описание",
        **variant_fields(0, "M", "дорого", 5),
        **variant_fields(1, "", "100", 5),
        "variants-1-stock": "много",
    }
    answer = await desk.post("/admin/products/new", data)
    assert answer.status_code == 422
    for field in ("title", "variants-0-price", "variants-1-title", "variants-1-stock"):
        assert f'id="{field}-error"' in answer.text, field
    for typed in ("Моё описание", 'value="дорого"', 'value="много"', 'value="M"'):
        assert typed in answer.text
    assert "Товаров пока нет" in await desk.page("/admin/products")


async def test_variants_are_added_changed_and_removed(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Кружка", ("250 мл", "100", 1), ("350 мл", "200", 2))
    data = {
        "title": "Кружка",
        "is_published": "1",
        **variant_fields(0, "250 мл", "110", 4, id=str(goods.variants[0]), seen=1),
        **variant_fields(1, "350 мл", "200", 2, id=str(goods.variants[1]), seen=2),
        **variant_fields(2, "500 мл", "300", 3),
        **variant_fields(3, "", "", 0),
        "variants-1-remove": "1",
    }
    await desk.done(f"/admin/products/{goods.id}", data)
    page = await buyer.page(f"/p/{goods.slug}")
    assert "350 мл" not in page
    assert "110\xa0₽" in page
    assert "500 мл" in page
    assert (await buyer.put(goods.variants[1])).status_code == 404


async def test_a_product_needs_a_price_and_at_most_thirty_variants(desk: Desk) -> None:
    nothing = await desk.post("/admin/products/new", {"title": "Чай"})
    assert nothing.status_code == 422
    assert "Укажите цену" in nothing.text
    rows: dict[str, str] = {}
    for number in range(31):
        rows |= variant_fields(number, f"Вариант {number}", "10", 1)
    many = await desk.post("/admin/products/new", {"title": "Чай", **rows})
    assert many.status_code == 422
    assert "Не больше 30" in many.text


async def test_a_renamed_product_keeps_its_address_and_is_found_by_its_new_name(
    desk: Desk, buyer: Buyer
) -> None:
    goods = await desk.add("Кружка")
    row = variant_fields(0, "", "100", 5, id=str(goods.variant), seen=5)
    await desk.done(f"/admin/products/{goods.id}", {"title": "Чашка", "is_published": "1", **row})
    assert "Чашка" in await buyer.page("/p/kruzhka")
    assert "Чашка" in await buyer.page("/search?q=чашки")
    assert "Ничего не нашлось" in await buyer.page("/search?q=кружка")


async def test_a_product_can_be_hidden_and_shown(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай")
    row = {"title": "Чай", **variant_fields(0, "", "100", 5, id=str(goods.variant), seen=5)}
    await desk.done(f"/admin/products/{goods.id}", row)
    assert (await buyer.get(f"/p/{goods.slug}")).status_code == 404
    assert "Скрыт" in await desk.page("/admin/products")
    await desk.done(f"/admin/products/{goods.id}", {**row, "is_published": "1"})
    assert (await buyer.get(f"/p/{goods.slug}")).status_code == 200


async def test_products_are_searched_and_paged(desk: Desk) -> None:
    for number in range(22):
        await desk.add(f"Чай {number}")
    await desk.add("Кружка")
    assert (await desk.page("/admin/products")).count("with-tile") == 20
    assert (await desk.page("/admin/products?page=2")).count("with-tile") == 3
    assert (await desk.page("/admin/products?q=кружки")).count("with-tile") == 1
    assert "Ничего не нашлось" in await desk.page("/admin/products?q=самокат")


async def test_sections_are_added_renamed_raised_and_deleted(desk: Desk, buyer: Buyer) -> None:
    for title in ("Вазы", "Чай"):
        await desk.done("/admin/categories", {"title": title})
    assert (await desk.post("/admin/categories", {"title": " "})).status_code == 422

    async def sections() -> dict[str, str]:
        page = await desk.page("/admin/categories")
        return {
            title: one
            for one, title in re.findall(r'id="title-([0-9a-f-]{36})" name="title" value="([^"]+)"', page)
        }

    before = await sections()
    assert list(before) == ["Каталог", "Вазы", "Чай"]
    await desk.done(f"/admin/categories/{before['Чай']}", {"deed": "raise"})
    await desk.done(f"/admin/categories/{before['Вазы']}", {"deed": "rename", "title": "Кувшины"})
    assert list(await sections()) == ["Каталог", "Чай", "Кувшины"]
    goods = await desk.add("Чашка", category=before["Чай"])
    await desk.done(f"/admin/categories/{before['Чай']}", {"deed": "remove"})
    assert list(await sections()) == ["Каталог", "Кувшины"]
    assert (await buyer.get(f"/p/{goods.slug}")).status_code == 200


async def test_settings_are_checked_saved_and_shown_on_the_storefront(desk: Desk, buyer: Buyer) -> None:
    wrong = await desk.post(
        "/admin/settings",
        {"name": "", "accent": "rainbow", "locale": "ru", "utc_offset": "17", "phone": "1", "email": "x"},
    )
    assert wrong.status_code == 422
    for field in ("name", "phone", "email"):
        assert f'id="{field}-error"' in wrong.text
    await desk.settings(
        name="Глина & пар",
        tagline="Посуда из Твери",
        about="О нас",
        accent="clay",
        phone="8 910 123-45-67",
        email="a@glina.ru",
        hours="Пн–Сб",
        legal_details="ИП Соколова\nИНН 690000000000",
        delivery_price="350,50",
        delivery_note="По городу",
    )
    await desk.add("Чай")
    page = await buyer.page("/") + await buyer.page("/about")
    for shown in (
        "Глина &amp; пар",
        "Посуда из Твери",
        "+7 910 123-45-67",
        "a@glina.ru",
        "350,50\xa0₽",
        "По городу",
    ):
        assert shown in page, shown
    assert 'data-accent="clay"' in page
    assert "ИНН 690000000000" in page


async def test_what_people_type_is_never_markup(desk: Desk, buyer: Buyer) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'{{7*7}}"
    await desk.settings(name=evil[:50], tagline=evil, about=evil, legal_details=evil)
    await desk.done("/admin/categories", {"title": evil[:50]})
    goods = await desk.add(evil, (evil[:70], "10", 2), ("b", "20", 2), description=evil)
    await buyer.put(goods.variant)
    link = await buyer.order(name=evil[:70], comment=evil)
    (order,) = await desk.order_ids()
    texts = [
        (await buyer.get(path)).text
        for path in ("/", f"/p/{goods.slug}", "/about", link, f"/search?q={evil}")
    ]
    for path in ("", "/products", f"/products/{goods.id}", "/categories", f"/orders/{order}", "/settings"):
        texts.append(await desk.page(f"/admin{path}"))
    for text in texts:
        assert "<script>alert" not in text
        assert "<img src=x" not in text


async def test_a_limited_plan_says_so_before_and_after(running: ModuleClient) -> None:
    small = FreshInstallation()
    license = running.platform.license(small, entitlements={"products": 1})
    await running.install(small, license=license)
    async with running.admin(small) as browser:
        desk = Desk(browser)
        await desk.add("Чай")
        assert "по вашему тарифу: 1." in await desk.page("/admin/products")
        refused = await desk.post("/admin/products/new", {"title": "Ещё", **variant_fields(0, "", "1", 1)})
        assert refused.status_code == 403
        assert "по вашему тарифу: 1." in refused.text


async def test_low_stock_is_told_on_the_first_page(desk: Desk) -> None:
    await desk.add("Последняя ваза", stock=1)
    await desk.add("Много чая", stock=100)
    page = await desk.page("/admin")
    assert "Заканчивается" in page
    assert "Последняя ваза" in page
    assert "Много чая" not in page


async def test_new_orders_are_counted_in_the_menu(desk: Desk, buyer: Buyer) -> None:
    goods = await desk.add("Чай")
    await buyer.put(goods.variant)
    await buyer.order()
    for path in ("/admin", "/admin/products", "/admin/settings"):
        assert 'aria-label="1 новый заказ">1<' in await desk.page(path)


async def test_the_desk_greets_in_the_language_of_the_ticket_and_can_be_left(
    running: ModuleClient, installation: FreshInstallation, admin: httpx.AsyncClient
) -> None:
    assert '<html lang="ru"' in (await admin.get("/admin", headers=HTML)).text
    left = await admin.post("/_tochka/session", data={"end": "1"}, headers=HTML)
    assert left.status_code == 303
    assert (await admin.get("/admin", headers=HTML)).status_code == 401


async def test_pages_of_the_desk_are_light_private_and_unindexed(desk: Desk) -> None:
    goods = await desk.add("Чай", *[(f"Вариант {number}", "10", 1) for number in range(30)])
    for path in ("/admin", "/admin/products", f"/admin/products/{goods.id}", "/admin/settings"):
        answer = await desk.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert 'name="robots" content="noindex"' in answer.text
        assert len(answer.content) < 70_000


async def test_a_problem_at_the_desk_keeps_the_menu(desk: Desk) -> None:
    answer = await desk.get("/admin/products/01890000-0000-7000-8000-000000000000")
    assert answer.status_code == 404
    assert "Такого товара нет" in answer.text
    assert 'aria-label="Меню"' in answer.text
    assert (await desk.get("/admin/products/not-an-id")).status_code == 404


async def test_fields_of_a_form_have_labels_and_the_wrong_ones_say_so_to_everyone(desk: Desk) -> None:
    answer = await desk.post("/admin/products/new", {"title": "", **variant_fields(0, "", "x", 1)})
    labelled = set(re.findall(r'<label[^>]* for="([^"]+)"', answer.text))
    for tag in re.findall(r"<(?:input|textarea|select)\b[^>]*>", answer.text):
        kind = re.search(r'type="(\w+)"', tag)
        if kind and kind[1] in ("hidden", "checkbox", "file", "radio", "search"):
            continue
        name = re.search(r'\bid="([^"]+)"', tag)
        assert name is not None, tag
        assert name[1] in labelled, tag
    assert 'aria-invalid="true" aria-describedby="title-error"' in answer.text
    assert hidden_fields(answer.text)["variants-0-seen"] == "0"
