"""Categories: all on one page, since a shop has few."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response
from tochka_sdk.module import InstallationSession

from tochka_shop.admin.api.frame import PAGE, CurrentDesk, SentForm, go, path_id, phrase, show
from tochka_shop.admin.schemas import Desk
from tochka_shop.catalogue import public as catalogue
from tochka_shop.pages.forms import Form

router = APIRouter(prefix="/admin/categories", default_response_class=HTMLResponse)


@router.api_route("", methods=PAGE)
async def list_categories(request: Request, session: InstallationSession, desk: CurrentDesk) -> Response:
    """Every category, in the order of the storefront."""
    return await _page(request, session, desk, Form())


@router.post("")
async def add_category(
    request: Request, form: SentForm, session: InstallationSession, desk: CurrentDesk
) -> Response:
    """Add a category."""
    title = form.line("title", limit=60, required=True)
    if not form.is_valid:
        return await _page(request, session, desk, form)
    await catalogue.add_category(session, title)
    return go("/admin/categories", "created")


@router.post("/{category_id}")
async def change_category(
    request: Request, form: SentForm, session: InstallationSession, desk: CurrentDesk, category_id: str
) -> Response:
    """Rename a category, move it forward, or delete it: the button says which."""
    category = path_id(category_id)
    deed = form.choice("deed", ("rename", "raise", "remove"), "rename")
    if deed == "remove":
        await catalogue.remove_category(session, category)
        return go("/admin/categories", "removed")
    if deed == "raise":
        await catalogue.raise_category(session, category)
        return go("/admin/categories")
    title = form.line("title", limit=60, required=True)
    if not form.is_valid:
        return await _page(request, session, desk, form)
    await catalogue.rename_category(session, category, title)
    return go("/admin/categories", "saved")


async def _page(request: Request, session: InstallationSession, desk: Desk, form: Form) -> Response:
    return show(
        request,
        desk,
        "categories",
        phrase(desk, "desk.categories"),
        status=422 if form.errors else 200,
        form=form,
        categories=await catalogue.list_categories(session, only_published=False),
    )
