"""From a phone number to the first order, as the owner and a buyer live through it."""

import pytest
from playwright.sync_api import expect

from tests.browser import journey
from tests.browser.conftest import Visitors
from tests.browser.options import IMAGES
from tests.browser.readme_pictures import take_pictures
from tests.browser.running_stack import RunningStack
from tests.browser.words import PANEL_EN, SHOP_EN, SHOP_RU

pytestmark = pytest.mark.browser
BREAD = "Бородинский хлеб"


def test_from_a_phone_number_to_the_first_order(stack: RunningStack, visitors: Visitors) -> None:
    owner, buyer = visitors.desktop("owner"), visitors.phone("buyer")
    label = "pekarnya" if IMAGES else journey.fresh_label("pekarnya")
    shop_url = stack.storefront(label)

    journey.register(owner, stack, journey.fresh_phone(), "Пекарня «Тёплый хлеб»")
    journey.choose_shop(owner, stack, label)
    storefront = owner.opens_tab(owner.page.get_by_role("link", name="Открыть витрину").click)
    assert storefront.url.rstrip("/") == shop_url
    expect(storefront.get_by_role("heading", level=1)).to_contain_text("Тёплый хлеб")
    storefront.close()

    admin = journey.enter_admin(owner, shop_url)
    journey.add_product(admin, BREAD, "189,50")
    number = journey.order(buyer, shop_url, BREAD)
    journey.confirm_order(admin, number)
    buyer.page.reload()
    expect(buyer.page.get_by_text(SHOP_RU.confirmed)).to_be_visible()

    if IMAGES:
        take_pictures(visitors, owner, stack, shop_url, IMAGES)


def test_the_same_in_english_with_the_owner_on_a_phone(stack: RunningStack, visitors: Visitors) -> None:
    owner, buyer = visitors.phone("owner", "en-US"), visitors.desktop("buyer", "en-US")
    label = journey.fresh_label("bakery")
    shop_url = stack.storefront(label)

    owner.open(stack.url)
    journey.register(owner, stack, journey.fresh_phone(), "Warm Bread", PANEL_EN)
    journey.choose_shop(owner, stack, label, PANEL_EN)
    admin = journey.enter_admin(owner, shop_url, PANEL_EN)
    desk = SHOP_EN  # the language in which the owner signed up
    journey.add_product(admin, "Rye loaf", "189.50", words=desk)
    number = journey.order(buyer, shop_url, "Rye loaf", SHOP_EN)
    journey.confirm_order(admin, number, desk)
    buyer.page.reload()
    expect(buyer.page.get_by_text(SHOP_EN.confirmed)).to_be_visible()
