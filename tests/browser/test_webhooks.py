"""Webhooks: an owner names an address, keeps its secret, and looks after it, on a phone and at a laptop."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import journey
from tests.browser.conftest import Visitors
from tests.browser.running_stack import RunningStack

pytestmark = pytest.mark.browser
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


def _keep_secret(page: Page) -> str:
    """Read the secret that is shown once, and close what shows it."""
    expect(page.get_by_test_id("secret")).to_have_text(SECRET)
    secret = page.get_by_test_id("secret").inner_text()
    page.get_by_role("button", name="Готово").click()
    expect(page.get_by_text(secret)).to_have_count(0)
    return secret


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_an_owner_looks_after_a_webhook(stack: RunningStack, visitors: Visitors, device: str) -> None:
    owner = visitors.phone("owner") if device == "phone" else visitors.desktop("owner")
    journey.register(owner, stack, journey.fresh_phone(), "Пекарня")
    page = owner.open(f"{stack.url}/dashboard")
    page.get_by_role("button", name="Меню профиля").click()
    page.get_by_role("menuitem", name="Вебхуки").click()
    page.get_by_role("button", name="Добавить вебхук").click()
    page.get_by_role("textbox", name="Адрес").fill("https://crm.example.com/hooks/tochka")
    page.get_by_role("textbox", name="Описание").fill("CRM")
    page.get_by_role("radio", name="Только выбранные").check()
    page.get_by_role("checkbox", name="Новый участник команды").check()
    page.get_by_role("button", name="Добавить", exact=True).click()
    first = _keep_secret(page)
    endpoint = page.get_by_test_id("endpoint")
    expect(endpoint).to_contain_text("1 событие")
    assert _fits(page)

    endpoint.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("crm.example.com")
    assert _fits(page)
    page.get_by_role("button", name="Сменить секрет").click()
    page.get_by_role("combobox", name="Прежний секрет").select_option("604800")
    page.get_by_role("button", name="Сменить", exact=True).click()
    assert _keep_secret(page) != first
    expect(page.get_by_text("Подписывает вместе с новым")).to_be_visible()

    page.get_by_role("button", name="Изменить", exact=True).click()
    page.get_by_role("radio", name="Все").check()
    page.get_by_text("Дополнительно").click()
    page.get_by_role("checkbox", name="Строго по порядку").check()
    page.get_by_role("button", name="Сохранить").click()
    expect(page.get_by_text("Строгий")).to_be_visible()
    page.get_by_role("button", name="Отключить").click()
    expect(page.get_by_role("status").filter(has_text="Вебхук отключили вы")).to_be_visible()

    page.get_by_role("button", name="Удалить").click()
    page.get_by_role("dialog").get_by_role("button", name="Удалить").click()
    expect(page.get_by_test_id("endpoint")).to_have_count(0)
    page.goto(f"{stack.url}/audit")
    deeds = page.get_by_test_id("audit-entry")
    expect(deeds.first).to_contain_text("Удалён вебхук на crm.example.com")
    expect(deeds.filter(has_text="Сменён секрет вебхука")).to_have_count(1)
    expect(page.get_by_text(first)).to_have_count(0)
