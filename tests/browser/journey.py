"""The steps of the main job, as a person takes them: by what stands on buttons and fields."""

import itertools
import re
import secrets
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.running_stack import RunningStack
from tests.browser.visitor import Visitor

LIVE = 30_000
_numbers = itertools.count(secrets.randbelow(9_000_000))


def fresh_phone() -> str:
    """A mobile number that nobody has used."""
    return f"+7999{next(_numbers) % 10_000_000:07d}"


def fresh_label(word: str) -> str:
    """An address that nobody has taken."""
    return f"{word}-{secrets.token_hex(3)}"


def picture(name: str = "bread.png") -> FilePayload:
    """A photograph, as far as a shop can tell."""
    image = Image.new("RGB", (1200, 900), "#efe3cf")
    pen = ImageDraw.Draw(image)
    pen.ellipse((220, 190, 980, 730), fill="#b5713a", outline="#8a5226", width=14)
    for x in range(360, 900, 130):
        pen.arc((x - 60, 260, x + 120, 640), 150, 250, fill="#f2d5a4", width=18)
    stream = BytesIO()
    image.save(stream, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": stream.getvalue()}


@dataclass(frozen=True)
class Words:
    """What stands on the panel in one language."""

    start: str
    phone: str
    channel: str
    business: str
    get_code: str
    code: str
    pick: str
    address: str
    free: str
    launch: str
    enter: str
    to_modules: str
    inbox: str


RU = Words(
    start="Начать бесплатно",
    phone="Номер телефона",
    channel="Telegram",
    business="Название бизнеса",
    get_code="Получить код",
    code="Код из сообщения",
    pick="Выбрать: Интернет-магазин",
    address="Адрес",
    free="Адрес свободен",
    launch="Запустить",
    enter="Войти в управление",
    to_modules="К моим модулям",
    inbox="Входящие для разработки",
)


def ask_for_code(visitor: Visitor, number: str, words: Words = RU, business: str | None = None) -> None:
    """Type the phone number and ask for a code over Telegram."""
    page = visitor.page
    page.get_by_role("textbox", name=words.phone).fill(number.removeprefix("+7"))
    page.get_by_role("radio", name=words.channel).check(force=True)
    if business is not None:
        page.get_by_role("textbox", name=words.business).fill(business)
    page.get_by_role("button", name=words.get_code).click()


def type_code_from_inbox(visitor: Visitor, words: Words = RU) -> None:
    """Open the development inbox in a second tab, read the newest code there, type it here."""
    page = visitor.page
    code_field = page.get_by_role("textbox", name=words.code)
    expect(code_field).to_be_visible()
    inbox = visitor.opens_tab(page.get_by_role("link", name=words.inbox).click)
    code = inbox.locator(".code").first.inner_text().strip()
    assert re.fullmatch(r"\d{6}", code), code
    inbox.close()
    code_field.fill(code)


def choose_shop(visitor: Visitor, stack: RunningStack, label: str, words: Words = RU) -> None:
    """Choose the module and its address; ends on the page of its progress."""
    page = visitor.page
    page.get_by_role("link", name=words.pick).click()
    page.get_by_role("textbox", name=words.address, exact=True).fill(label)
    expect(page.get_by_test_id("address-status")).to_have_attribute("data-state", "available")
    expect(page.get_by_test_id("address-status")).to_contain_text(words.free)
    expect(page.get_by_test_id("address-preview")).to_contain_text(f"{label}.localhost{stack.port_suffix}")
    page.get_by_role("button", name=words.launch).click()
    expect(page.get_by_test_id("progress")).to_have_attribute("data-status", "live", timeout=LIVE)


def add_product(page: Page, title: str, price: str, stock: str) -> None:
    """From any page of the shop's admin: a product with a picture, on the shelf at once."""
    page.get_by_role("navigation", name="Меню").get_by_role("link", name="Товары").click()
    page.get_by_role("link", name="Добавить товар").first.click()
    page.get_by_label("Название").fill(title)
    page.get_by_label("Описание").fill("Ржаной, на закваске. Печём каждое утро.")
    page.get_by_label("Цена, ₽").first.fill(price)
    page.get_by_label("Остаток").first.fill(stock)
    page.locator("input[type=file]").set_input_files(picture())
    page.get_by_role("button", name="Сохранить").click()
    expect(page.get_by_role("status").filter(has_text="Добавлено")).to_be_visible()


def expect_loaded_picture(page: Page, description: str) -> None:
    """The picture with this description is there and could be decoded."""
    image = page.get_by_role("img", name=description).first
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 100


def order(visitor: Visitor, shop_url: str, title: str, buyer: str, number: str) -> str:
    """Find a product, put it into the cart and order it; gives the order's number."""
    page = visitor.open(shop_url)
    page.get_by_role("searchbox", name="Поиск").fill(title.split()[0].lower())
    page.get_by_role("button", name="Найти").click()
    page.get_by_role("link", name=title).click()
    expect_loaded_picture(page, title)
    page.get_by_role("button", name="В корзину").first.click()
    added = page.get_by_role("status").filter(has_text="Добавлено в корзину")
    added.get_by_role("link", name="Оформить").click()
    page.get_by_role("link", name="Оформить заказ").click()
    page.get_by_label("Имя").fill(buyer)
    page.get_by_label("Телефон").fill(number)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Заказать").click()
    expect(page.get_by_role("heading", name="Спасибо, заказ принят!")).to_be_visible()
    found = re.search(r"Заказ № (\S+)", page.get_by_role("heading", name="Заказ №").inner_text())
    assert found is not None
    return found[1]
