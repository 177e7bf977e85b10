"""What stands around every page, and what a page says of itself to search engines."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from tochka_sdk.installations import current_installation
from tochka_sdk.runtime import runtime_of

from tochka_shop.catalogue import public as catalogue
from tochka_shop.catalogue.schemas import CardPage, CategoryRead, ProductRead
from tochka_shop.locales.catalogs import LANGUAGES, catalog
from tochka_shop.locales.choice import chosen_language
from tochka_shop.money import decimal_price, format_roubles
from tochka_shop.orders import public as orders
from tochka_shop.pages.view import Meta
from tochka_shop.settings import public as settings
from tochka_shop.storefront.schemas import Shell

_EXCERPT = 160


def cart_cookie(request: Request) -> str:
    """The name of the cart's cookie; under https no neighbouring shop can set it."""
    return "__Host-cart" if runtime_of(request).settings.is_secure else "cart"


async def get_shell(session: AsyncSession, request: Request) -> Shell:
    """The shop around a page: three statements."""
    shop = await settings.get(session)
    categories = await catalogue.list_categories(session)
    pieces = await orders.count_pieces(session, request.cookies.get(cart_cookie(request)))
    language = chosen_language(request, shop.locale)
    installation = current_installation()
    kept = {name: value for name, value in request.query_params.items() if name in ("q", "page")}
    other = next(choice for choice in LANGUAGES if choice != language)
    return Shell(
        shop=shop,
        categories=tuple(category for category in categories if category.products),
        pieces=pieces,
        language=language,
        origin=installation.url.rstrip("/"),
        takes_orders=installation.license.access == "full",
        other_language_url=f"/{request.url.path.lstrip('/')}?{urlencode({**kept, 'lang': other})}",
    )


def meta(shell: Shell, path: str, title: str, description: str = "", **more: Any) -> Meta:
    """The head of a page that search engines may show."""
    page = more.pop("page", 1)
    query = {"page": page} if page > 1 else {}
    return Meta(
        title=title,
        description=description,
        canonical=shell.address(path, **query),
        is_indexed=True,
        languages={
            **{language: shell.address(path, language, **query) for language in LANGUAGES},
            "x-default": shell.address(path, shell.shop.locale, **query),
        },
        **more,
    )


def _cover(shell: Shell, cards: CardPage) -> str:
    """The picture that messengers show beside a link to a list: that of the first product that has one."""
    return next((shell.origin + card.cover.url(800) for card in cards.items if card.cover), "")


def home_meta(shell: Shell, cards: CardPage) -> Meta:
    """The head of the first page: the shop itself."""
    shop = shell.shop
    store: dict[str, Any] = {"@context": "https://schema.org", "@type": "Store", "name": shop.name}
    store["url"] = f"{shell.origin}/"
    if shop.phone:
        store["telephone"] = shop.phone
    if shop.pickup_enabled and shop.pickup_address:
        store["address"] = shop.pickup_address
    words = catalog(shell.language)
    title = f"{shop.name}: {shop.tagline}" if shop.tagline else shop.name
    description = shop.tagline or excerpt(shop.about) or words.say("home.description", shop=shop.name)
    image = _cover(shell, cards)
    return meta(shell, "/", title[:120], description, page=cards.number, image=image, structured=(store,))


def category_meta(shell: Shell, category: CategoryRead, cards: CardPage) -> Meta:
    """The head of a category's page."""
    words = catalog(shell.language)
    description = words.say("list.description", title=category.title, shop=shell.shop.name)
    path = f"/c/{category.slug}"
    crumbs = _crumbs(shell, (category.title, path))
    return meta(
        shell,
        path,
        f"{category.title} — {shell.shop.name}",
        description,
        page=cards.number,
        image=_cover(shell, cards),
        structured=(crumbs,),
    )


def product_meta(shell: Shell, product: ProductRead) -> Meta:
    """The head of a product's page, with the product as data."""
    path = f"/p/{product.slug}"
    image = shell.origin + product.pictures[0].url(800) if product.pictures else ""
    price = format_roubles(product.price_from, shell.language)
    words = catalog(shell.language)
    fallback = words.say("product.meta", title=product.title, price=price, shop=shell.shop.name)
    description = excerpt(product.description) or fallback
    trail = [(product.title, path)]
    if product.category is not None:
        trail.insert(0, (product.category.title, f"/c/{product.category.slug}"))
    return meta(
        shell,
        path,
        f"{product.title} — {shell.shop.name}",
        description,
        kind="product",
        image=image,
        structured=(_product(shell, product, path, description), _crumbs(shell, *trail)),
    )


def _product(shell: Shell, product: ProductRead, path: str, description: str) -> Mapping[str, Any]:
    offer: dict[str, Any] = {
        "priceCurrency": "RUB",
        "availability": f"https://schema.org/{'InStock' if product.stock else 'OutOfStock'}",
        "url": f"{shell.origin}{path}",
    }
    if product.price_to > product.price_from:
        offer |= {
            "@type": "AggregateOffer",
            "lowPrice": decimal_price(product.price_from),
            "highPrice": decimal_price(product.price_to),
            "offerCount": len(product.variants),
        }
    else:
        offer |= {"@type": "Offer", "price": decimal_price(product.price_from)}
    return {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.title,
        "description": description,
        "image": [shell.origin + picture.url(1600) for picture in product.pictures],
        "sku": str(product.id),
        "offers": offer,
    }


def _crumbs(shell: Shell, *trail: tuple[str, str]) -> Mapping[str, Any]:
    steps = [(catalog(shell.language).say("page.home"), "/"), *trail]
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": number, "name": name, "item": f"{shell.origin}{path}"}
            for number, (name, path) in enumerate(steps, start=1)
        ],
    }


def excerpt(text: str) -> str:
    """The beginning of a text, cut between words."""
    line = " ".join(text.split())
    if len(line) <= _EXCERPT:
        return line
    return line[: line.rfind(" ", 0, _EXCERPT)].rstrip(" ,.;:—-") + "…"
