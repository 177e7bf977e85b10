"""From the cart to the order's page."""

from dataclasses import replace
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from tochka_sdk.module import InstallationSession
from tochka_sdk.runtime import runtime_of

from tochka_shop.locales.catalogs import catalog
from tochka_shop.orders import public as orders
from tochka_shop.orders.errors import OrdersNotAccepted, VariantNotForSale
from tochka_shop.orders.schemas import (
    MAX_QUANTITY,
    CartChange,
    CartRead,
    CheckoutDraft,
    CheckoutResult,
    Method,
    Status,
)
from tochka_shop.owners import current_owner
from tochka_shop.pages.forms import Form
from tochka_shop.pages.view import Meta
from tochka_shop.settings.schemas import SettingsRead
from tochka_shop.storefront.api.frame import PAGE, PRIVATE, CurrentShell, SentForm, same_origin, show
from tochka_shop.storefront.schemas import Shell
from tochka_shop.storefront.service import cart_cookie

METHODS: tuple[Method, ...] = ("pickup", "delivery")
_DAY = 24 * 3600

router = APIRouter(default_response_class=HTMLResponse, dependencies=[Depends(same_origin)])


def _token(request: Request) -> str | None:
    return request.cookies.get(cart_cookie(request))


def _keep(request: Request, response: Response, token: str) -> Response:
    """Give the browser its cart for another while."""
    response.set_cookie(
        cart_cookie(request),
        token,
        max_age=orders.CART_DAYS * _DAY,
        path="/",
        secure=runtime_of(request).settings.is_secure,
        httponly=True,
        samesite="lax",
    )
    return response


def _titled(shell: Shell, phrase: str, **values: object) -> Meta:
    return Meta(title=f"{catalog(shell.language).say(phrase, **values)} — {shell.shop.name}")


@router.post("/cart/add")
async def add_to_cart(request: Request, form: SentForm, session: InstallationSession) -> Response:
    """Put something into the cart; the page's script asks for JSON and stays where it is."""
    variant_id = form.uuid("variant")
    quantity = form.integer("quantity", least=1, most=MAX_QUANTITY, default=1)
    if variant_id is None:
        raise VariantNotForSale
    token, added = await orders.put_into_cart(session, _token(request), variant_id, quantity)
    if "application/json" in request.headers.get("accept", ""):
        pieces = await orders.count_pieces(session, token)
        return _keep(request, JSONResponse({"pieces": pieces, "added": added}, headers=PRIVATE), token)
    return _keep(request, RedirectResponse(f"/cart?added={min(added, 1)}", 303), token)


@router.post("/cart/set")
async def set_in_cart(request: Request, form: SentForm, session: InstallationSession) -> Response:
    """Have so many of something in the cart; 0 takes it out."""
    variant_id = form.uuid("variant")
    quantity = form.integer("quantity", most=MAX_QUANTITY, default=1)
    if variant_id is not None and form.is_valid:
        await orders.set_quantity(session, _token(request), variant_id, quantity)
    return RedirectResponse("/cart", 303)


@router.api_route("/cart", methods=PAGE)
async def cart(request: Request, session: InstallationSession, shell: CurrentShell) -> Response:
    """What was put aside, at today's prices."""
    found = await orders.get_cart(session, _token(request))
    told = {"1": "cart.added", "0": "cart.no_more"}.get(request.query_params.get("added", ""), "")
    return _cart_page(request, shell, found, told=told)


def _cart_page(
    request: Request,
    shell: Shell,
    found: CartRead,
    *,
    told: str = "",
    changes: tuple[CartChange, ...] = (),
) -> Response:
    return show(
        request,
        replace(shell, pieces=found.pieces),
        "cart",
        _titled(shell, "cart.title"),
        status=409 if changes else 200,
        headers=PRIVATE,
        cart=found,
        told=told if found.items else "",
        changes=changes,
    )


@router.api_route("/checkout", methods=PAGE)
async def checkout(request: Request, session: InstallationSession, shell: CurrentShell) -> Response:
    """One page: who, how, how much."""
    found = await orders.get_cart(session, _token(request))
    if not (found.can_be_ordered and shell.takes_orders and shell.shop.can_hand_over):
        return RedirectResponse("/cart", 303)
    return _checkout_page(request, shell, found, Form(), key=str(uuid4()))


def _checkout_page(
    request: Request,
    shell: Shell,
    found: CartRead,
    form: Form,
    *,
    key: str,
    changes: tuple[CartChange, ...] = (),
) -> Response:
    status = 409 if changes else 422 if form.errors else 200
    return show(
        request,
        replace(shell, pieces=found.pieces),
        "checkout",
        _titled(shell, "checkout.title"),
        status=status,
        headers=PRIVATE,
        cart=found,
        form=form,
        key=key,
        seen=orders.fingerprint(found, shell.shop),
        changes=changes,
        method=_method(form, shell.shop),
    )


def _method(form: Form, shop: SettingsRead) -> str:
    """The chosen way, or the one that is offered first."""
    wanted = form.raw("method")
    return wanted if wanted in METHODS else "pickup" if shop.pickup_enabled else "delivery"


@router.post("/checkout")
async def submit(
    request: Request, form: SentForm, session: InstallationSession, shell: CurrentShell
) -> Response:
    """Order. What the buyer typed wrong, and what changed meanwhile, is said on the same page."""
    if not shell.takes_orders:
        raise OrdersNotAccepted
    draft = _draft(request, form, shell)
    result = CheckoutResult()
    if draft is not None:
        limits = orders.order_limits(is_relaxed=runtime_of(request).settings.is_relaxed)
        result = await orders.place(session, _token(request), draft, limits)
        if result.link:
            return RedirectResponse(f"/orders/{result.link}", 303, PRIVATE)
    found = await orders.get_cart(session, _token(request))
    if not found.items and not result.changes:
        return RedirectResponse("/cart", 303, PRIVATE)
    if not found.items:
        return _cart_page(request, shell, found, changes=result.changes)
    key = str(form.uuid("key") or uuid4())
    return _checkout_page(request, shell, found, form, key=key, changes=result.changes)


def _draft(request: Request, form: Form, shell: Shell) -> CheckoutDraft | None:
    """What the form says, or None and the form knows why not."""
    method: Method = "delivery" if form.choice("method", METHODS, "pickup") == "delivery" else "pickup"
    name = form.line("name", limit=80, required=True)
    phone = form.phone("phone", required=True)
    address = form.line("address", limit=300, required=method == "delivery")
    comment = form.prose("comment", limit=1000)
    if not form.flag("consent"):
        form.refuse("consent", "form.consent")
    key = form.uuid("key")
    if key is None:
        form.refuse("key", "form.mend")
    if key is None or not form.is_valid:
        return None
    return CheckoutDraft(
        key=key,
        name=name,
        phone=phone,
        method=method,
        address=address,
        comment=comment,
        language=shell.language,
        seen=form.raw("seen"),
        visitor=_visitor(request),
    )


def _visitor(request: Request) -> str:
    """What stands for the buyer's network address."""
    secret = runtime_of(request).settings.private_key.get_secret_value().encode()
    return orders.visitor_of(request.client.host if request.client else "", current_owner(), secret)


@router.api_route("/orders/{link}", methods=PAGE)
async def order(request: Request, session: InstallationSession, shell: CurrentShell, link: str) -> Response:
    """The buyer's order, for whoever has its link; the link is told to nobody else."""
    found = await orders.get_by_link(session, link)
    road = Status.road(found.method)
    return show(
        request,
        shell,
        "order",
        _titled(shell, "order.title", number=found.number),
        headers={**PRIVATE, "Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex"},
        order=found,
        road=road,
        reached=road.index(found.status) if found.status in road else -1,
    )
