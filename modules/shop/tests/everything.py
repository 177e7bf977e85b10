"""Every address that a shop has, and something of every kind to ask for there."""

import re
from collections.abc import Iterator

from fastapi import APIRouter
from starlette.routing import Route
from tochka_shop.admin.api import router as admin_router
from tochka_shop.storefront.api import router as storefront_router

from modules.shop.tests.driving import Buyer, Desk
from modules.shop.tests.pictures import files


def _leaves(router: APIRouter) -> Iterator[Route]:
    """Every route, those of included routers too."""
    for route in router.routes:
        included = getattr(route, "original_router", None)
        if isinstance(included, APIRouter):
            yield from _leaves(included)
        elif isinstance(route, Route):
            yield route


def routes() -> set[tuple[str, str]]:
    """Every method and path of the shop."""
    return {
        (method, route.path)
        for router in (admin_router, storefront_router)
        for route in _leaves(router)
        for method in route.methods or ()
        if method != "HEAD"
    }


async def things_of(desk: Desk, buyer: Buyer) -> dict[str, str]:
    """Something of every kind in a shop, by the name that routes have for it."""
    picture = files.encode(files.photo(64, 64), "PNG")
    goods = await desk.add("Чужой чай", pictures=[("a.png", picture)])
    page = await desk.page(f"/admin/products/{goods.id}")
    image = re.search(r"/media/([0-9a-f-]+)/([0-9a-f]+-\d+\.webp)", page)
    category = re.search(r'<option value="([0-9a-f-]{36})"', page)
    await buyer.put(goods.variant, 2)
    link = await buyer.order()
    (order,) = await desk.order_ids()
    await buyer.put(goods.variant)
    assert image is not None
    assert category is not None
    return {
        "product_id": str(goods.id),
        "slug": goods.slug,
        "variant": str(goods.variant),
        "picture_id": image[1],
        "name": image[2],
        "category_id": category[1],
        "order_id": str(order),
        "link": link.rsplit("/", 1)[1],
    }
