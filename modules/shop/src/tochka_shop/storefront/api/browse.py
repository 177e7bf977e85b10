"""Looking around: home, categories, search, products, about."""

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from tochka_sdk.errors import NotFound
from tochka_sdk.module import InstallationSession

from tochka_shop.catalogue import public as catalogue
from tochka_shop.catalogue.schemas import CardPage, Listing
from tochka_shop.locales.catalogs import catalog
from tochka_shop.orders.schemas import MAX_QUANTITY
from tochka_shop.pages.forms import page_number
from tochka_shop.pages.view import Meta
from tochka_shop.storefront import service
from tochka_shop.storefront.api.frame import PAGE, CurrentShell, show
from tochka_shop.wording import search_words

FEW = 5

router = APIRouter(default_response_class=HTMLResponse)


def _link(path: str, **query: str) -> Callable[[int], str]:
    """The address of another page of the same list."""

    def link(number: int) -> str:
        wanted = {**query, "page": str(number)} if number > 1 else query
        return f"{path}?{urlencode(wanted)}" if wanted else path

    return link


def _beyond(page: CardPage) -> bool:
    """Whether a page was asked for that the list does not reach."""
    return page.number > page.pages


@router.api_route("/", methods=PAGE)
async def home(request: Request, session: InstallationSession, shell: CurrentShell) -> Response:
    """The newest products, under the shop's own words."""
    page = await catalogue.list_cards(session, Listing(page=page_number(request.query_params.get("page"))))
    if _beyond(page):
        return RedirectResponse("/", 303)
    return show(request, shell, "home", service.home_meta(shell, page), page=page, link=_link("/"))


@router.api_route("/c/{slug}", methods=PAGE)
async def category(
    request: Request, session: InstallationSession, shell: CurrentShell, slug: str
) -> Response:
    """One shelf."""
    shelf = await catalogue.get_category(session, slug)
    number = page_number(request.query_params.get("page"))
    page = await catalogue.list_cards(session, Listing(page=number, category_id=shelf.id))
    if _beyond(page):
        return RedirectResponse(f"/c/{slug}", 303)
    return show(
        request,
        shell,
        "listing",
        service.category_meta(shell, shelf, page),
        page=page,
        heading=shelf.title,
        crumb=shelf.title,
        is_search=False,
        link=_link(f"/c/{slug}"),
    )


@router.api_route("/search", methods=PAGE)
async def search(request: Request, session: InstallationSession, shell: CurrentShell) -> Response:
    """What has all the words in it, or their forms."""
    query = " ".join(request.query_params.get("q", "")[:100].split())
    words = tuple(search_words(query))
    if not words:
        return RedirectResponse("/", 303)
    number = page_number(request.query_params.get("page"))
    page = await catalogue.list_cards(session, Listing(page=number, words=words))
    phrase = catalog(shell.language).say
    return show(
        request,
        shell,
        "listing",
        Meta(title=f"{phrase('search.title', query=query)} — {shell.shop.name}"),
        page=page,
        heading=phrase("search.title", query=query),
        crumb=phrase("search.label"),
        is_search=True,
        query=query,
        link=_link("/search", q=query),
    )


@router.api_route("/p/{slug}", methods=PAGE)
async def product(request: Request, session: InstallationSession, shell: CurrentShell, slug: str) -> Response:
    """One product: pictures, variants, price, the button."""
    found = await catalogue.get_published(session, slug)
    chosen = next((variant for variant in found.variants if variant.stock), None)
    few_left = found.stock if len(found.variants) == 1 and 0 < found.stock <= FEW else 0
    return show(
        request,
        shell,
        "product",
        service.product_meta(shell, found),
        product=found,
        chosen=chosen,
        few_left=few_left,
        most=min(found.stock, MAX_QUANTITY) if len(found.variants) == 1 else MAX_QUANTITY,
    )


@router.api_route("/about", methods=PAGE)
async def about(request: Request, shell: CurrentShell) -> Response:
    """Who sells here, how to reach them, how goods are handed over."""
    title = f"{catalog(shell.language).say('footer.about')} — {shell.shop.name}"
    description = service.excerpt(shell.shop.about)
    return show(request, shell, "about", service.meta(shell, "/about", title, description))


@router.api_route("/privacy", methods=PAGE)
async def privacy(request: Request, shell: CurrentShell) -> Response:
    """What is done with a buyer's name and telephone."""
    title = f"{catalog(shell.language).say('footer.privacy')} — {shell.shop.name}"
    return show(request, shell, "privacy", service.meta(shell, "/privacy", title))


@router.api_route("/{path:path}", methods=PAGE)
async def nowhere(_shell: CurrentShell, path: str) -> Response:
    """Everything else: not found."""
    raise NotFound("There is nothing at this address.", path=path[:80])
