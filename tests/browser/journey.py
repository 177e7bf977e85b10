"""The steps of the main job, as a person takes them: by what stands on buttons and fields."""

import itertools
import re
import secrets
from io import BytesIO

from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.running_stack import RunningStack
from tests.browser.visitor import Visitor
from tests.browser.words import PANEL_RU, SHOP_RU, PanelWords, ShopWords

LIVE = 120_000
PASSWORD = "корабль лампа осень"
_numbers = itertools.count(secrets.randbelow(9_000_000))


def fresh_phone() -> str:
    """A mobile number that nobody has used."""
    return f"+7999{next(_numbers) % 10_000_000:07d}"


def shown(number: str) -> str:
    """A Russian number as people write it."""
    return f"{number[:2]} {number[2:5]} {number[5:8]}-{number[8:10]}-{number[10:]}"


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


def press(page: Page, name: str) -> None:
    """A button of the page, or of the dialog that lies over it."""
    page.get_by_role("button", name=name, exact=True).click()


def set_password(visitor: Visitor, stack: RunningStack) -> None:
    """As an owner does it, who has never had one."""
    page = visitor.open(f"{stack.url}/account")
    press(page, "Задать пароль")
    field = page.get_by_label("Новый пароль", exact=True)
    field.fill("12345678")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("слишком простой")
    field.fill(PASSWORD)
    field.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Пароль сохранён")).to_be_visible()


def ask_for_code(
    visitor: Visitor, number: str, words: PanelWords = PANEL_RU, business: str | None = None
) -> None:
    """Type the phone number and ask for a code over Telegram."""
    page = visitor.page
    page.get_by_role("textbox", name=words.phone).fill(number)
    page.get_by_role("radio", name="Telegram").check(force=True)  # the visible part is its label
    if business is not None:
        page.get_by_role("textbox", name=words.business).fill(business)
    page.get_by_role("button", name=words.get_code).click()
    expect(page.get_by_role("textbox", name=words.code)).to_be_visible()


def code_from_inbox(visitor: Visitor, words: PanelWords = PANEL_RU) -> str:
    """Follow the link to the development inbox into a second tab and read the newest code there."""
    inbox = visitor.opens_tab(visitor.page.get_by_role("link", name=words.inbox).click)
    code = inbox.locator(".code").first.inner_text().strip()
    assert re.fullmatch(r"\d{6}", code), code
    inbox.close()
    return code


def type_code(visitor: Visitor, code: str, words: PanelWords = PANEL_RU) -> None:
    """The form sends itself at the last digit."""
    visitor.page.get_by_role("textbox", name=words.code).fill(code)


def register(
    visitor: Visitor, stack: RunningStack, number: str, business: str, words: PanelWords = PANEL_RU
) -> None:
    """From the landing page to the choice of a module."""
    page = visitor.page if words is not PANEL_RU else visitor.open(stack.url)
    expect(page.get_by_role("heading", level=1)).to_have_text(words.promise)
    page.get_by_role("link", name=words.start).first.click()
    ask_for_code(visitor, number, words, business)
    type_code(visitor, code_from_inbox(visitor, words), words)
    expect(page.get_by_role("heading", name=words.modules)).to_be_visible()


def choose_shop(visitor: Visitor, stack: RunningStack, label: str, words: PanelWords = PANEL_RU) -> None:
    """Choose the module and its address, and wait until it is live."""
    page = visitor.page
    page.get_by_role("link", name=words.pick).click()
    page.get_by_role("textbox", name=words.address, exact=True).fill(label)
    expect(page.get_by_test_id("address-status")).to_have_attribute("data-state", "available")
    expect(page.get_by_test_id("address-status")).to_contain_text(words.free)
    expect(page.get_by_test_id("address-preview")).to_contain_text(f"{label}.localhost{stack.port_suffix}")
    page.get_by_role("button", name=words.launch).click()
    expect(page.get_by_test_id("progress")).to_have_attribute("data-status", "live", timeout=LIVE)


def enter_admin(visitor: Visitor, shop_url: str, words: PanelWords = PANEL_RU) -> Page:
    """One click from the panel into the shop's admin."""
    visitor.page.get_by_role("button", name=words.enter).click()
    visitor.page.wait_for_url(re.compile(re.escape(shop_url) + "/admin"))
    return visitor.page


def go_to(page: Page, place: str, words: ShopWords = SHOP_RU) -> None:
    """One of the places in the admin's menu."""
    page.get_by_role("navigation", name=words.menu).get_by_role("link", name=place).click()


def add_product(
    page: Page, title: str, price: str, image: FilePayload | None = None, words: ShopWords = SHOP_RU
) -> None:
    """From any page of the shop's admin: a product with a picture, five of it, on the shelf at once."""
    go_to(page, words.products, words)
    page.get_by_role("link", name=words.add).first.click()
    page.get_by_label(words.title).fill(title)
    page.get_by_label(words.description).fill("На закваске. Печём каждое утро.")
    page.get_by_label(words.price).first.fill(price)
    page.get_by_label(words.stock).first.fill("5")
    page.locator("input[type=file]").set_input_files(image or picture())
    page.get_by_role("button", name=words.save).click()
    expect(page.get_by_role("status").filter(has_text=words.added)).to_be_visible()


def expect_loaded_picture(page: Page, description: str) -> None:
    """The picture with this description is there and could be decoded."""
    image = page.get_by_role("img", name=description).first
    image.scroll_into_view_if_needed()
    image.evaluate("image => image.decode()")
    assert image.evaluate("image => image.naturalWidth") > 100


def order(visitor: Visitor, shop_url: str, title: str, words: ShopWords = SHOP_RU) -> str:
    """Find a product, put it into the cart and order it as Anna; gives the order's number."""
    page = visitor.open(shop_url)
    page.get_by_role("searchbox", name=words.search).fill(title.split(maxsplit=1)[0].lower())
    page.get_by_role("button", name=words.find).click()
    page.get_by_role("link", name=title).click()
    expect_loaded_picture(page, title)
    page.get_by_role("button", name=words.buy).filter(visible=True).first.click()
    added = page.get_by_role("status").filter(has_text=words.in_cart)
    added.get_by_role("link", name=words.cart).click()
    page.get_by_role("link", name=words.checkout, exact=True).click()
    page.get_by_role("textbox", name=words.name).fill("Анна")
    page.get_by_role("textbox", name=words.phone).fill("+7 916 123-45-67")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name=words.submit).click()
    expect(page.get_by_role("heading", name=words.thanks)).to_be_visible()
    heading = page.get_by_role("heading", name=words.number).inner_text()
    return heading.removeprefix(words.number)


def confirm_order(page: Page, number: str, words: ShopWords = SHOP_RU) -> None:
    """The owner finds the order in the admin and confirms it."""
    go_to(page, words.orders, words)
    page.get_by_role("link", name=number).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(number)
    expect(page.get_by_text("Анна")).to_be_visible()
    page.get_by_role("button", name=words.confirm).click()
