"""What the desk shows, gathered from the slices below."""

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from tochka_sdk.installations import current_installation
from tochka_sdk.module import SignedInAdmin
from tochka_sdk.runtime import runtime_of

from tochka_shop.admin.schemas import Desk, FirstStep, Overview
from tochka_shop.catalogue import public as catalogue
from tochka_shop.locales.choice import asked_language
from tochka_shop.orders import public as orders
from tochka_shop.orders.schemas import OrderFilter, Status
from tochka_shop.settings import public as settings

PRODUCTS = "products"
_UNDER_WAY = (Status.CONFIRMED, Status.READY, Status.SHIPPED)


async def get_desk(session: AsyncSession, request: Request, user: SignedInAdmin) -> Desk:
    """The shop around a page of the admin: two statements."""
    shop = await settings.get(session)
    counts = await orders.count_by_status(session)
    installation = current_installation()
    language = asked_language(request) or (user.locale if user.locale in ("ru", "en") else shop.locale)
    return Desk(
        user=user,
        shop=shop,
        language=language,
        new_orders=counts[Status.NEW],
        takes_orders=installation.license.access == "full",
        storefront_url=installation.url.rstrip("/") + "/",
    )


def product_limit(request: Request) -> float | None:
    """How many products the license allows; a license that does not say so means the manifest's default."""
    held = current_installation().license
    if PRODUCTS in held.entitlements:
        return held.limit(PRODUCTS)
    manifest = runtime_of(request).manifest
    default = manifest.entitlements_of(held.plan).get(PRODUCTS)
    return float(default) if default is not None else None


async def get_overview(session: AsyncSession, desk: Desk, limit: float | None) -> Overview:
    """What waits, what runs out, what a new shop still needs."""
    counts = await orders.count_by_status(session)
    waiting = await orders.list_orders(session, OrderFilter(status=Status.NEW, size=5))
    products = await catalogue.count_products(session)
    published = await catalogue.count_products(session, only_published=True)
    return Overview(
        waiting=waiting.items,
        new=counts[Status.NEW],
        under_way=sum(counts[status] for status in _UNDER_WAY),
        products=products,
        published=published,
        limit=None if limit is None else int(limit),
        low=tuple(await catalogue.low_stock(session)),
        steps=(
            FirstStep("product", products > 0, "/admin/products/new"),
            FirstStep("publish", published > 0, "/admin/products"),
            FirstStep("contacts", desk.shop.can_be_reached, "/admin/settings#contacts"),
            FirstStep("handover", desk.shop.says_where, "/admin/settings#handover"),
        ),
    )
