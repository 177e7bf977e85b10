"""The README's pictures: a shop with a few things on its shelves, and the panel of its owner."""

from pathlib import Path

from playwright.sync_api import FilePayload, expect

from tests.browser import journey
from tests.browser.conftest import Visitors
from tests.browser.running_stack import RunningStack
from tests.browser.visitor import Visitor

SHELF = [
    ("Круассан с миндалём", "165", "🥐", "#f6e7d2"),
    ("Багет деревенский", "120", "🥖", "#e9e2d0"),
    ("Брецель с солью", "95", "🥨", "#f3ddd0"),
    ("Торт «Прага»", "1890", "🎂", "#f7dfe6"),
    ("Печенье овсяное", "240", "🍪", "#e6e9d8"),
    ("Капкейк ягодный", "190", "🧁", "#e4def0"),
    ("Пирог с вишней", "640", "🥧", "#f4e0d4"),
]


def still_life(visitors: Visitors, emoji: str, ground: str) -> FilePayload:
    """A picture of one thing on a soft ground, drawn by the browser itself."""
    context = visitors.browser.new_context(viewport={"width": 900, "height": 900})
    page = context.new_page()
    page.set_content(
        f"<body style='margin:0;height:100vh;display:grid;place-items:center;font-size:430px;"
        f"background:radial-gradient(circle at 50% 40%,#fff,{ground})'>"
        f"<span style='filter:drop-shadow(0 30px 30px #0003)'>{emoji}</span>"
    )
    drawn = page.screenshot(type="png")
    context.close()
    return {"name": "picture.png", "mimeType": "image/png", "buffer": drawn}


def take_pictures(
    visitors: Visitors, owner: Visitor, stack: RunningStack, shop_url: str, folder: Path
) -> None:
    """Fill the shelves, then photograph the storefront and the panel."""
    folder.mkdir(parents=True, exist_ok=True)
    for title, price, emoji, ground in reversed(SHELF):
        journey.add_product(owner.page, title, price, still_life(visitors, emoji, ground))
    guest = visitors.desktop("guest")
    page = guest.open(shop_url)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=folder / "storefront.png", clip={"x": 0, "y": 0, "width": 1280, "height": 680})
    owner.page.goto(f"{stack.url}/dashboard")
    expect(owner.page.get_by_test_id("installation")).to_have_count(1)
    owner.page.wait_for_load_state("networkidle")
    owner.page.screenshot(path=folder / "panel.png", clip={"x": 0, "y": 0, "width": 1280, "height": 520})
