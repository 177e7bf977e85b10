"""What else happens on the way: coming back, a wrong code, an address that cannot be had."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import journey
from tests.browser.conftest import Visitors
from tests.browser.running_stack import RunningStack
from tests.browser.visitor import Visitor
from tests.browser.words import PANEL_EN, PANEL_RU

pytestmark = pytest.mark.browser

PANEL = {"ru-RU": PANEL_RU, "en-US": PANEL_EN}
PRODUCT = {"ru-RU": "Точка Роста", "en-US": "Tochka Rosta"}


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


@pytest.mark.parametrize(
    ("locale", "promise", "question"),
    [
        ("ru-RU", "Ваше дело в интернете — за минуту", "Сколько это стоит?"),
        ("en-US", "Your business online in a minute", "What does it cost?"),
    ],
)
def test_the_landing_can_be_read_without_scripts(
    stack: RunningStack, browser: Browser, locale: str, promise: str, question: str
) -> None:
    context = browser.new_context(locale=locale, java_script_enabled=False)
    page = context.new_page()
    complaints: list[str] = []
    context.on("console", lambda message: complaints.append(message.text))
    page.goto(stack.url)
    expect(page.locator("html")).to_have_attribute("lang", locale[:2])
    expect(page).to_have_title(re.compile(PRODUCT[locale]))
    expect(page.locator("meta[name=description]")).to_have_attribute("content", re.compile("магазин|shop"))
    expect(page.get_by_role("heading", level=1)).to_have_text(promise)
    page.get_by_text(question).click()
    expect(page.get_by_role("link", name=PANEL[locale].start).first).to_have_attribute("href", "/register")
    expect(page.get_by_role("status")).to_have_count(0)  # nothing that would load for ever
    context.close()
    assert complaints == []


@pytest.mark.parametrize("locale", ["ru-RU", "en-US"])
def test_the_landing_is_taken_over_as_it_was_written(
    stack: RunningStack, visitors: Visitors, locale: str
) -> None:
    visitor = visitors.desktop("visitor", locale)
    visitor.context.add_init_script(
        "new MutationObserver(() => { window.written ??= document.querySelector('h1') })"
        ".observe(document, { childList: true, subtree: true })"
    )
    page = visitor.open(stack.url)
    expect(page.get_by_test_id("module-shop")).to_be_visible()
    assert page.evaluate(
        "window.written instanceof HTMLElement && window.written === document.querySelector('h1')"
    )


def test_the_panel_speaks_the_language_of_the_browser_until_another_is_chosen(
    stack: RunningStack, visitors: Visitors
) -> None:
    visitor = visitors.phone("visitor", "en-US")
    page = visitor.open(f"{stack.url}/login")
    expect(page.get_by_role("textbox", name=PANEL_EN.phone)).to_be_visible()
    page.get_by_role("button", name="Русский").click()
    expect(page.get_by_role("textbox", name=PANEL_RU.phone)).to_be_visible()
    page.goto(stack.url)
    expect(page.get_by_role("heading", level=1)).to_have_text(PANEL_RU.promise)


def test_the_panel_asks_nobody_but_its_own_house(stack: RunningStack, phone: Visitor) -> None:
    asked: list[str] = []
    phone.context.on("request", lambda request: asked.append(request.url))
    page = phone.open(stack.url)
    expect(page.get_by_test_id("module-shop")).to_be_visible()
    page.get_by_role("link", name=PANEL_RU.start).first.click()
    expect(page.get_by_role("textbox", name=PANEL_RU.phone)).to_be_visible()
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith(f"{stack.url}/")] == []
