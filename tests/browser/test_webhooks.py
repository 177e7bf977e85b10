"""Webhooks: an owner names an address, keeps its secret, and looks after it, on a phone and at a laptop."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import journey
from tests.browser.conftest import Visitors
from tests.browser.running_stack import RunningStack
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@dataclass
class Receiver:
    """A system of the owner's: what it was sent, and what it answers."""

    url: str = ""
    status: int = 200
    heard: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def _receiver() -> Iterator[Receiver]:
    """One that runs on this machine, which development allows."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            receiver.heard.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(receiver.status)
            self.end_headers()
            self.wfile.write(f"said {receiver.status}".encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _add(page: Page, url: str) -> None:
    """Add an endpoint that hears everything, and go to it."""
    page.get_by_role("button", name="Добавить вебхук").click()
    page.get_by_role("textbox", name="Адрес").fill(url)
    page.get_by_role("button", name="Добавить", exact=True).click()
    _keep_secret(page)
    page.get_by_test_id("endpoint").get_by_role("link").click()


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


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_an_owner_sees_what_was_sent_and_sends_it_again(
    stack: RunningStack, visitors: Visitors, device: str
) -> None:
    owner = visitors.phone("owner") if device == "phone" else visitors.desktop("owner")
    journey.register(owner, stack, journey.fresh_phone(), "Пекарня")
    page = owner.open(f"{stack.url}/webhooks")
    with _receiver() as receiver:
        _add(page, receiver.url)
        page.get_by_role("button", name="Проверить").click()
        expect(page.get_by_text("Адрес принял проверку: ответ 200.")).to_be_visible()
        delivery = page.get_by_test_id("delivery")
        expect(delivery).to_have_attribute("data-status", "delivered")

        receiver.status = 404
        page.get_by_role("button", name="Проверить").click()
        expect(page.get_by_text("Адрес не принял проверку: ответ 404")).to_be_visible()
        expect(delivery).to_have_count(2)
        expect(delivery.first).to_contain_text("Повторим")
        delivery.first.get_by_role("button").click()
        drawer = page.get_by_role("dialog")
        expect(drawer.get_by_label("Тело запроса")).to_contain_text('"type": "ping"')
        first = drawer.get_by_test_id("attempt").last
        first.get_by_text("1. ответ 404").click()
        expect(first.get_by_label("Тело ответа")).to_have_text("said 404")
        assert _fits(page)

        receiver.status = 200
        drawer.get_by_role("button", name="Повторить сейчас").click()
        expect(drawer.get_by_text("Доставлено")).to_be_visible()
        drawer.get_by_role("button", name="Закрыть").click()
        delivery.last.get_by_role("button").click()
        drawer.get_by_role("button", name="Отправить ещё раз").click()
        expect(drawer.get_by_test_id("attempt")).to_have_count(2)
        drawer.get_by_role("button", name="Закрыть").click()
        ids = [heard["webhook-id"] for heard in receiver.heard]
        assert ids[0] != ids[1]
        assert ids.count(ids[0]) == 2


def test_what_was_missed_while_a_webhook_was_disabled_is_sent_when_it_is_enabled(
    stack: RunningStack, visitors: Visitors
) -> None:
    owner = visitors.phone("owner")
    journey.register(owner, stack, journey.fresh_phone(), "Пекарня")
    page = owner.open(f"{stack.url}/webhooks")
    with _receiver() as receiver:
        _add(page, receiver.url)
        page.get_by_role("button", name="Отключить").click()
        expect(page.get_by_role("status").filter(has_text="Вебхук отключили вы")).to_be_visible()
        _invite_somebody(stack, visitors, owner)

        delivery = page.get_by_test_id("delivery")
        expect(delivery).to_have_attribute("data-status", "held")
        assert receiver.heard == []
        page.get_by_role("button", name="Включить").click()
        page.get_by_role("dialog").get_by_role("button", name="Включить").click()
        expect(page.get_by_test_id("replay")).to_contain_text("Отправлено: 1 из 1")
        expect(delivery).to_have_attribute("data-status", "delivered")
        assert len(receiver.heard) == 1


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_an_owner_who_does_not_look_for_webhooks_hears_of_one_that_was_disabled(
    stack: RunningStack, visitors: Visitors, device: str
) -> None:
    owner = visitors.phone("owner") if device == "phone" else visitors.desktop("owner")
    journey.register(owner, stack, journey.fresh_phone(), "Пекарня")
    page = owner.open(f"{stack.url}/webhooks")
    with _receiver() as receiver:
        _add(page, receiver.url)
        receiver.status = 410
        page.get_by_role("button", name="Проверить").click()
        expect(page.get_by_text("Адрес не принял проверку: ответ 410")).to_be_visible()
    page.goto(f"{stack.url}/dashboard")
    news = page.get_by_role("alert").filter(has_text="отключён с")
    assert _fits(page)
    news.get_by_role("link").click()
    expect(page.get_by_role("alert").filter(has_text="его больше нет")).to_be_visible()


def _invite_somebody(stack: RunningStack, visitors: Visitors, owner: Visitor) -> None:
    """Somebody joins the owner's team, which is news; the owner's page stays where it was."""
    number, newcomer = journey.fresh_phone(), visitors.desktop("newcomer")
    webhook = owner.page.url
    page = owner.open(f"{stack.url}/team")
    page.get_by_role("textbox", name="Номер телефона").fill(number)
    page.get_by_role("button", name="Пригласить", exact=True).click()
    expect(page.get_by_test_id("invitation")).to_have_count(1)
    journey.register(newcomer, stack, number, "Своё дело")
    theirs = newcomer.open(f"{stack.url}/dashboard")
    theirs.get_by_role("button", name="Принять").click()
    expect(theirs.get_by_test_id("invitation-to-me")).to_have_count(0)
    owner.open(webhook)
