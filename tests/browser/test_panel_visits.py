"""What else happens on the way: coming back, a wrong code, an address that cannot be had."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import journey
from tests.browser.conftest import Visitors
from tests.browser.running_stack import RunningStack
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_the_same_phone_comes_back_to_the_same_shop(stack: RunningStack, visitors: Visitors) -> None:
    number, label = journey.fresh_phone(), journey.fresh_label("sad")
    before = visitors.desktop("before")
    journey.register(before, stack, number, "Сад")
    journey.choose_shop(before, stack, label)

    after = visitors.phone("after")
    page = after.open(f"{stack.url}/login")
    journey.ask_for_code(after, number)
    journey.type_code(after, journey.code_from_inbox(after))
    expect(page.get_by_role("heading", name="Мои модули")).to_be_visible()
    installation = page.get_by_test_id("installation")
    expect(installation).to_have_count(1)
    expect(installation).to_contain_text(label)
    page.reload()  # the session outlives the page
    expect(installation).to_have_attribute("data-status", "live")
    journey.enter_admin(after, stack.storefront(label))

    page.goto(f"{stack.url}/dashboard")
    page.get_by_role("button", name="Меню профиля").click()
    page.get_by_role("menuitem", name="Выйти").click()
    page.goto(f"{stack.url}/dashboard")
    page.wait_for_url(re.compile("/login"))


def test_a_wrong_code_is_said_to_be_wrong_and_the_right_one_still_works(
    stack: RunningStack, desktop: Visitor
) -> None:
    page = desktop.open(f"{stack.url}/register")
    journey.ask_for_code(desktop, journey.fresh_phone())
    right = journey.code_from_inbox(desktop)
    journey.type_code(desktop, f"{(int(right) + 1) % 1_000_000:06d}")
    expect(page.get_by_role("alert")).to_be_visible()
    journey.type_code(desktop, right)
    expect(page.get_by_role("heading", name="Выберите модуль")).to_be_visible()


def test_an_address_that_cannot_be_had_is_refused_while_it_is_typed(
    stack: RunningStack, visitors: Visitors
) -> None:
    label = journey.fresh_label("tea")
    first, second = visitors.desktop("first"), visitors.phone("second")
    journey.register(first, stack, journey.fresh_phone(), "Чайная")
    journey.choose_shop(first, stack, label)

    journey.register(second, stack, journey.fresh_phone(), "Вторая чайная")
    page = second.page
    page.get_by_role("link", name="Выбрать: Интернет-магазин").click()
    status = page.get_by_test_id("address-status")
    for wish, reason in (
        (label, "уже занят"),
        ("admin", "зарезервирован"),
        ("tea-", "Дефис не может стоять"),
    ):
        page.get_by_role("textbox", name="Адрес", exact=True).fill(wish)
        expect(status).to_have_attribute("data-state", "refused")
        expect(status).to_contain_text(reason)


@pytest.mark.parametrize(
    ("locale", "title"),
    [("ru-RU", "По этому адресу никого нет"), ("en-US", "Nobody lives at this address")],
)
def test_an_address_that_nobody_has_is_a_decent_page_on_a_phone(
    stack: RunningStack, visitors: Visitors, locale: str, title: str
) -> None:
    visitor = visitors.phone("visitor", locale)
    response = visitor.page.goto(stack.storefront(journey.fresh_label("nobody")))
    assert response is not None
    assert response.status == 404
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(title)
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visitor.page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius") == "20px"


@pytest.mark.parametrize("path", ["/", "/register", "/login", "/nothing-here"])
def test_public_pages_fit_a_phone(stack: RunningStack, phone: Visitor, path: str) -> None:
    page = phone.open(f"{stack.url}{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
