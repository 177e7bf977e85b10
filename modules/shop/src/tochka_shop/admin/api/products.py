"""Products: the list, the form, the pictures."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, Response
from tochka_sdk.module import InstallationSession

from tochka_shop.admin import service
from tochka_shop.admin.api.frame import (
    PAGE,
    CurrentDesk,
    SentForm,
    go,
    page_link,
    path_id,
    phrase,
    show,
)
from tochka_shop.admin.api.uploads import SentProduct
from tochka_shop.admin.product_form import blank_row, form_rows, product_rows
from tochka_shop.admin.schemas import Desk, VariantRow
from tochka_shop.catalogue import public as catalogue
from tochka_shop.catalogue.schemas import Listing, ProductRead
from tochka_shop.owners import current_owner
from tochka_shop.pages.forms import Form, page_number
from tochka_shop.pictures.public import pictures_of
from tochka_shop.pictures.schemas import Rendered
from tochka_shop.wording import search_words

router = APIRouter(prefix="/admin/products", default_response_class=HTMLResponse)


@router.api_route("", methods=PAGE)
async def list_products(request: Request, session: InstallationSession, desk: CurrentDesk) -> Response:
    """Every product, newest first; search by words."""
    query = request.query_params.get("q", "")[:100]
    listing = Listing(
        page=page_number(request.query_params.get("page")),
        size=20,
        words=tuple(search_words(query)),
        only_published=False,
    )
    page = await catalogue.list_cards(session, listing)
    limit = service.product_limit(request)
    return show(
        request,
        desk,
        "products",
        phrase(desk, "desk.products"),
        page=page,
        query=query,
        limit=None if limit is None else int(limit),
        link=page_link("/admin/products", **({"q": query} if query else {})),
    )


@router.api_route("/new", methods=PAGE)
async def new_product(request: Request, session: InstallationSession, desk: CurrentDesk) -> Response:
    """An empty form."""
    return await _page(request, session, desk, None, Form(), [VariantRow(0)])


@router.post("/new")
async def create_product(
    request: Request, sent: SentProduct, session: InstallationSession, desk: CurrentDesk
) -> Response:
    """Put a product on the shelf, pictures and all."""
    if sent.draft is None:
        return await _page(request, session, desk, None, sent.form, form_rows(sent.form))
    product_id = await catalogue.create_product(session, sent.draft, service.product_limit(request))
    await _hang(session, product_id, sent.pictures)
    return go(f"/admin/products/{product_id}", "created")


@router.api_route("/{product_id}", methods=PAGE)
async def edit_product(
    request: Request, session: InstallationSession, desk: CurrentDesk, product_id: str
) -> Response:
    """The form of a product."""
    product = await catalogue.get_product(session, path_id(product_id))
    return await _page(request, session, desk, product, Form(), product_rows(product))


@router.post("/{product_id}")
async def save_product(
    request: Request, sent: SentProduct, session: InstallationSession, desk: CurrentDesk, product_id: str
) -> Response:
    """Save the form of a product."""
    product = await catalogue.get_product(session, path_id(product_id))
    if sent.draft is None:
        return await _page(request, session, desk, product, sent.form, form_rows(sent.form))
    await catalogue.change_product(session, product.id, sent.draft)
    await _hang(session, product.id, sent.pictures)
    return go(f"/admin/products/{product.id}", "saved")


@router.post("/{product_id}/remove")
async def remove_product(
    request: Request, session: InstallationSession, _desk: CurrentDesk, product_id: str
) -> Response:
    """Take a product off for good; the files of its pictures go once that is committed."""
    picture_ids = await catalogue.remove_product(session, path_id(product_id))
    response = go("/admin/products", "removed")
    response.background = BackgroundTask(pictures_of(request.app).drop, current_owner(), picture_ids)
    return response


@router.post("/{product_id}/pictures")
async def change_pictures(
    request: Request, form: SentForm, session: InstallationSession, _desk: CurrentDesk, product_id: str
) -> Response:
    """Take a picture down, or put it first."""
    product, removed, first = path_id(product_id), form.uuid("remove"), form.uuid("first")
    response = go(f"/admin/products/{product}", "saved")
    if removed is not None:
        await catalogue.remove_picture(session, product, removed)
        response.background = BackgroundTask(pictures_of(request.app).drop, current_owner(), [removed])
    elif first is not None:
        await catalogue.make_cover(session, product, first)
    return response


async def _hang(session: InstallationSession, product_id: UUID, pictures: Mapping[UUID, Rendered]) -> None:
    for picture_id, rendered in pictures.items():
        await catalogue.add_picture(session, product_id, picture_id, rendered)


async def _page(
    request: Request,
    session: InstallationSession,
    desk: Desk,
    product: ProductRead | None,
    form: Form,
    rows: list[VariantRow],
) -> Response:
    title = product.title if product else phrase(desk, "product_form.new")
    return show(
        request,
        desk,
        "product",
        title,
        status=422 if form.errors else 200,
        product=product,
        form=form,
        rows=rows,
        blank=blank_row(rows),
        categories=await catalogue.list_categories(session, only_published=False),
        can_add_pictures=len(product.pictures) < catalogue.MAX_PICTURES if product else True,
    )
