"""The first page of the admin."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response
from tochka_sdk.module import InstallationSession

from tochka_shop.admin import service
from tochka_shop.admin.api.frame import PAGE, CurrentDesk, phrase, show

router = APIRouter(default_response_class=HTMLResponse)


@router.api_route("/admin", methods=PAGE)
async def dashboard(request: Request, session: InstallationSession, desk: CurrentDesk) -> Response:
    """What waits, what runs out, what a new shop still needs."""
    overview = await service.get_overview(session, desk, service.product_limit(request))
    return show(request, desk, "dashboard", phrase(desk, "desk.home"), overview=overview)
