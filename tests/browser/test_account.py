"""An account in its owner's hands: a password, sessions, another number, and what was done in one's name."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import journey
from tests.browser.conftest import Visitors
from tests.browser.journey import PASSWORD, press, set_password
from tests.browser.running_stack import RunningStack
from tests.browser.visitor import Visitor
from tests.browser.words import PANEL_EN, PANEL_RU, PanelWords

pytestmark = pytest.mark.browser

FITS = "document.documentElement.scrollWidth <= innerWidth"


def sign_in_with_password(visitor: Visitor, stack: RunningStack, number: str, password: str) -> None:
    """The second way in."""
    page = visitor.open(f"{stack.url}/login")
    page.get_by_role("textbox", name=PANEL_RU.phone).fill(number)
    press(page, "Войти с паролем")
    page.get_by_label("Пароль", exact=True).fill(password)
    press(page, "Войти")


def read_code(visitor: Visitor) -> None:
    """Ask for a code, read it in the inbox, type it."""
    press(visitor.page, PANEL_RU.get_code)
    journey.type_code(visitor, journey.code_from_inbox(visitor))


def test_a_password_opens_the_account_elsewhere_and_that_session_can_be_ended(
    stack: RunningStack, visitors: Visitors
) -> None:
    number = journey.fresh_phone()
    owner, elsewhere = visitors.phone("owner"), visitors.desktop("elsewhere")
    journey.register(owner, stack, number, "Пекарня")
    set_password(owner, stack)

    sign_in_with_password(elsewhere, stack, number, "не тот пароль")
    expect(elsewhere.page.get_by_role("alert")).to_contain_text("Номер или пароль не подошли")
    sign_in_with_password(elsewhere, stack, number, PASSWORD)
    expect(elsewhere.page.get_by_role("heading", name=PANEL_RU.mine)).to_be_visible()

    page = owner.page
    page.reload()
    sessions = page.get_by_test_id("session")
    expect(sessions).to_have_count(2)
    expect(sessions.first).to_contain_text("Это устройство")
    sessions.nth(1).get_by_role("button").click()
    expect(sessions).to_have_count(1)
    expect(page.get_by_test_id("audit-entry").first).to_contain_text("Завершён сеанс")
    elsewhere.page.goto(f"{stack.url}/team")
    elsewhere.page.wait_for_url(re.compile("/login"))

    press(page, "Удалить пароль")
    press(page, "Удалить")
    expect(page.get_by_text("Не задан", exact=True)).to_be_visible()
    sign_in_with_password(elsewhere, stack, number, PASSWORD)
    expect(elsewhere.page.get_by_role("alert")).to_contain_text("Номер или пароль не подошли")


def test_a_number_is_changed_at_once_with_both_proofs_and_can_be_stopped_without(
    stack: RunningStack, visitors: Visitors
) -> None:
    old, new = journey.fresh_phone(), journey.fresh_phone()
    owner = visitors.phone("owner")
    journey.register(owner, stack, old, "Пекарня")
    page = owner.open(f"{stack.url}/account")
    pending = page.get_by_test_id("phone-change")
    for _ in range(2):
        press(page, "Сменить номер")
        page.get_by_role("textbox", name="Новый номер").fill(new)
        read_code(owner)
        expect(pending).to_contain_text("станет вашим номером")
        press(page, "Отменить смену")
        expect(pending).to_have_count(0)
        page.reload()
        expect(page.get_by_test_id("own-phone")).to_have_text(journey.shown(old))
    press(page, "Сменить номер")
    page.get_by_role("textbox", name="Новый номер").fill(new)
    read_code(owner)
    press(page, "Сменить сейчас")
    read_code(owner)
    expect(page.get_by_test_id("own-phone")).to_have_text(journey.shown(new))
    expect(page.get_by_role("dialog")).to_have_count(0)

    again = visitors.desktop("again")
    again.open(f"{stack.url}/login")
    journey.ask_for_code(again, new)
    journey.type_code(again, journey.code_from_inbox(again))
    expect(again.page.get_by_role("heading", name=PANEL_RU.mine)).to_be_visible()


def test_a_number_is_confirmed_again_over_the_real_line(stack: RunningStack, phone: Visitor) -> None:
    journey.register(phone, stack, journey.fresh_phone(), "Пекарня")
    page = phone.open(f"{stack.url}/account")
    press(page, "Подтвердить номер")
    read_code(phone)
    expect(page.get_by_role("status").filter(has_text="Номер подтверждён")).to_be_visible()
    expect(page.get_by_test_id("audit-entry").first).to_contain_text("Личность подтверждена кодом")


@pytest.mark.parametrize(("locale", "words"), [("ru-RU", PANEL_RU), ("en-US", PANEL_EN)])
def test_the_pages_of_an_owner_fit_every_screen(
    stack: RunningStack, visitors: Visitors, locale: str, words: PanelWords
) -> None:
    owner = visitors.phone("owner", locale)
    owner.open(stack.url)
    journey.register(owner, stack, journey.fresh_phone(), "Warm Bread", words)
    page = owner.page
    for path, what in (("/account", "session"), ("/team", "member"), ("/audit", "audit-entry")):
        page.goto(f"{stack.url}{path}")
        expect(page.get_by_test_id(what).first).to_be_visible()
        for width in (320, 390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate(FITS), f"{path} at {width}"
