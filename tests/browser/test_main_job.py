"""From a phone number to the first order, as the owner and a buyer live through it."""

import pytest
from playwright.sync_api import expect

from tests.browser import journey
from tests.browser.conftest import Visitors
from tests.browser.running_stack import RunningStack

pytestmark = pytest.mark.browser


def test_from_a_phone_number_to_the_first_order(stack: RunningStack, visitors: Visitors) -> None:
    owner = visitors.desktop("owner")
    number, label = journey.fresh_phone(), journey.fresh_label("pekarnya")
    shop_url = stack.storefront(label)

    page = owner.open(stack.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ваше дело в интернете — за минуту")
    page.get_by_role("link", name="Начать бесплатно").first.click()
    journey.ask_for_code(owner, number, business="Пекарня «Тёплый хлеб»")
    journey.type_code_from_inbox(owner)
    expect(page.get_by_role("heading", name="Выберите модуль")).to_be_visible()
    journey.choose_shop(owner, stack, label)

    storefront = owner.opens_tab(page.get_by_role("link", name="Открыть витрину").click)
    assert storefront.url.rstrip("/") == shop_url
    expect(storefront.get_by_role("heading", level=1)).to_contain_text("Тёплый хлеб")
    storefront.close()

    page.get_by_role("button", name="Войти в управление").click()
    page.wait_for_url(f"{shop_url}/admin**")
    journey.add_product(page, "Бородинский хлеб", "189,50", "5")

    buyer = visitors.phone("buyer")
    order_number = journey.order(buyer, shop_url, "Бородинский хлеб", "Анна", "+7 916 123-45-67")

    page.get_by_role("navigation", name="Меню").get_by_role("link", name="Заказы").click()
    page.get_by_role("link", name=order_number).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(order_number)
    expect(page.get_by_text("Анна")).to_be_visible()
    page.get_by_role("button", name="Подтвердить").click()
    buyer.page.reload()
    expect(buyer.page.get_by_text("Магазин подтвердил заказ и собирает его.")).to_be_visible()
