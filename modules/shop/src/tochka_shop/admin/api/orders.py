"""Orders: the list, one order, and its next step."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response
from tochka_sdk.module import InstallationSession

from tochka_shop.admin.api.frame import PAGE, CurrentDesk, SentForm, go, page_link, path_id, phrase, show
from tochka_shop.orders import public as orders
from tochka_shop.orders.schemas import Actor, OrderFilter, Status
from tochka_shop.pages.forms import page_number
from tochka_shop.phones import parse_phone

router = APIRouter(prefix="/admin/orders", default_response_class=HTMLResponse)


@router.api_route("", methods=PAGE)
async def list_orders(request: Request, session: InstallationSession, desk: CurrentDesk) -> Response:
    """Orders, newest first; by status, by number, by telephone."""
    status = request.query_params.get("status", "")
    query = request.query_params.get("q", "").strip()[:40]
    chosen = Status(status) if status in list(Status) else None
    is_number = query.isascii() and query.isdecimal() and len(query) <= 9
    wanted = OrderFilter(
        page=page_number(request.query_params.get("page")),
        status=chosen,
        number=int(query) if is_number else None,
        phone=(parse_phone(query) or "nobody") if query and not is_number else None,
    )
    kept = {**({"status": chosen.value} if chosen else {}), **({"q": query} if query else {})}
    return show(
        request,
        desk,
        "orders",
        phrase(desk, "desk.orders"),
        page=await orders.list_orders(session, wanted),
        counts=await orders.count_by_status(session),
        chosen=chosen,
        query=query,
        link=page_link("/admin/orders", **kept),
    )


@router.api_route("/{order_id}", methods=PAGE)
async def one_order(
    request: Request, session: InstallationSession, desk: CurrentDesk, order_id: str
) -> Response:
    """One order with its history."""
    order = await orders.get_order(session, path_id(order_id))
    title = phrase(desk, "order.title", number=order.number)
    return show(request, desk, "order", title, order=order, road=Status.road(order.method))


@router.post("/{order_id}/status")
async def move_order(
    form: SentForm, session: InstallationSession, desk: CurrentDesk, order_id: str
) -> Response:
    """Take an order one step further."""
    order = path_id(order_id)
    to = Status(form.choice("to", list(Status), Status.CONFIRMED))
    note = form.line("note", limit=300)
    if form.is_valid:
        await orders.move(session, order, to, Actor(desk.user.role, desk.user.user_id), note)
    return go(f"/admin/orders/{order}", "saved" if form.is_valid else "")
