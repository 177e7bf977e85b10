"""Rules of carts and orders. Every function runs inside its caller's one transaction."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.clock import now
from tochka_sdk.ids import uuid7

from tochka_shop.catalogue import public as catalogue
from tochka_shop.catalogue.schemas import Offer
from tochka_shop.orders.errors import (
    CartEmpty,
    CartFull,
    IllegalStep,
    MethodUnavailable,
    OrderNotFound,
    OutOfStock,
    TooManyOrders,
    VariantNotForSale,
)
from tochka_shop.orders.limits import OrderLimits
from tochka_shop.orders.models import Cart, CartLine, Order
from tochka_shop.orders.repository import CartRepository, OrderRepository
from tochka_shop.orders.schemas import (
    MAX_QUANTITY,
    Actor,
    CartChange,
    CartItem,
    CartRead,
    CheckoutDraft,
    CheckoutResult,
    OrderCard,
    OrderFilter,
    OrderItem,
    OrderPage,
    OrderRead,
    OrderStep,
    Status,
)
from tochka_shop.owners import Owner
from tochka_shop.settings import public as settings
from tochka_shop.settings.schemas import SettingsRead

MAX_LINES = 50
CART_DAYS = 30
_SWEEP = 20
_LINK = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def count_pieces(session: AsyncSession, token: str | None) -> int:
    """How many things are in the cart of a cookie."""
    return await CartRepository(session).pieces(_hash(token)) if token else 0


async def get_cart(session: AsyncSession, token: str | None) -> CartRead:
    """The cart of a cookie, priced as of now; what is no longer sold is left out."""
    cart = await CartRepository(session).find(_hash(token)) if token else None
    if cart is None:
        return CartRead()
    lines = await CartRepository(session).lines(cart.id)
    offers = await catalogue.get_offers(session, [line.variant_id for line in lines])
    return _priced(lines, offers)


def _priced(lines: Sequence[CartLine], offers: Mapping[UUID, Offer]) -> CartRead:
    items = (
        CartItem(offers[line.variant_id], line.quantity)
        for line in lines
        if line.variant_id in offers and offers[line.variant_id].is_published
    )
    return CartRead(tuple(items))


async def put_into_cart(
    session: AsyncSession, token: str | None, variant_id: UUID, quantity: int
) -> tuple[str, int]:
    """Put more of a variant into the cart, as many as there are at most; the cart's token, old or new, and
    how many pieces really went in.
    """
    offer = (await catalogue.get_offers(session, [variant_id])).get(variant_id)
    if offer is None or offer.available == 0:
        raise VariantNotForSale
    carts = CartRepository(session)
    token, cart = await _cart(session, token)
    lines = {line.variant_id: line.quantity for line in await carts.lines(cart.id)}
    if variant_id not in lines and len(lines) >= MAX_LINES:
        raise CartFull(MAX_LINES)
    present = lines.get(variant_id, 0)
    wanted = min(present + quantity, offer.available, MAX_QUANTITY)
    await carts.set_line(cart.id, variant_id, wanted)
    return token, wanted - present


async def _cart(session: AsyncSession, token: str | None) -> tuple[str, Cart]:
    """The cart of a cookie, or a fresh one under a fresh token: tokens are ours to choose."""
    carts = CartRepository(session)
    cart = await carts.find(_hash(token), lock=True) if token else None
    if cart is not None and token is not None:
        cart.updated_at = now()
        return token, cart
    await carts.sweep(now() - timedelta(days=CART_DAYS), _SWEEP)
    fresh = secrets.token_urlsafe(24)
    return fresh, await carts.add(_hash(fresh))


async def set_quantity(session: AsyncSession, token: str | None, variant_id: UUID, quantity: int) -> None:
    """Have so many pieces of a variant in the cart, as many as there are at most; 0 takes it out."""
    carts = CartRepository(session)
    cart = await carts.find(_hash(token), lock=True) if token else None
    if cart is None:
        return
    if variant_id not in {line.variant_id for line in await carts.lines(cart.id)}:
        return
    offer = (await catalogue.get_offers(session, [variant_id])).get(variant_id)
    available = offer.available if offer else 0
    await carts.set_line(cart.id, variant_id, min(quantity, available, MAX_QUANTITY))
    cart.updated_at = now()


def fingerprint(cart: CartRead, shop: SettingsRead) -> str:
    """What a checkout form shows, for the form to carry: what, how many, at what price, and the delivery."""
    lines = (f"{item.offer.variant_id}.{item.quantity}.{item.offer.price}" for item in cart.items)
    return "~".join([*lines, f"delivery.{shop.delivery_price}"])


async def place(
    session: AsyncSession, token: str | None, draft: CheckoutDraft, limits: OrderLimits
) -> CheckoutResult:
    """Make an order of the cart: the whole of it, once, at today's prices, or not at all.

    The cart's row is locked first, so that two submits of one form stand in line and the second finds the
    order of the first. The variants are locked next, in the order of their ids. The shop's counter comes
    last, since every order of the shop waits for it.
    """
    carts, orders = CartRepository(session), OrderRepository(session)
    cart = await carts.find(_hash(token), lock=True) if token else None
    if cart is None:
        raise CartEmpty
    made = await orders.find_by_key(draft.key)
    if made is not None and made.cart_id == cart.id:
        return CheckoutResult(link=made.link)
    lines = await carts.lines(cart.id)
    if not lines:
        return CheckoutResult(changes=(CartChange("gone"),))
    shop = await settings.get(session)
    _check_method(draft, shop)
    offers = await catalogue.get_offers(session, [line.variant_id for line in lines], lock=True)
    changes = await _settle(carts, cart, lines, offers)
    priced = _priced(await carts.lines(cart.id), offers)
    settled = bool(changes)  # what had to be taken out of the cart was told by its name already
    changes += [one for one in _differences(draft, priced, shop) if not (settled and one.kind == "cart")]
    if changes or not priced.items:
        return CheckoutResult(changes=tuple(changes))
    quantities = {item.offer.variant_id: item.quantity for item in priced.items}
    if await catalogue.take_stock(session, quantities) != set(quantities):
        raise OutOfStock
    number = await orders.next_number()
    await _check_limits(orders, draft, limits)  # exact, since nobody else has the counter
    link = await _write(orders, number, cart, draft, priced, shop)
    await carts.clear(cart.id)
    return CheckoutResult(link=link)


def _check_method(draft: CheckoutDraft, shop: SettingsRead) -> None:
    enabled = shop.delivery_enabled if draft.method == "delivery" else shop.pickup_enabled
    if not enabled:
        raise MethodUnavailable


async def _settle(
    carts: CartRepository, cart: Cart, lines: Sequence[CartLine], offers: Mapping[UUID, Offer]
) -> list[CartChange]:
    """Make the cart agree with the shelves; what had to be changed for it."""
    changes = []
    for line in lines:
        offer = offers.get(line.variant_id)
        available = offer.available if offer else 0
        if available >= line.quantity:
            continue
        title = offer.product_title if offer else ""
        kind: Literal["fewer", "gone"] = "fewer" if available else "gone"
        changes.append(CartChange(kind, title, before=line.quantity, after=available))
        await carts.set_line(cart.id, line.variant_id, available)
    return changes


def _differences(draft: CheckoutDraft, cart: CartRead, shop: SettingsRead) -> list[CartChange]:
    """What is not as the form showed it. A form that says nothing of what it showed is taken at its word."""
    seen = _parse(draft.seen)
    if not seen:
        return []
    changes = []
    delivery = seen.pop("delivery", (shop.delivery_price, 0))[0]
    if draft.method == "delivery" and delivery != shop.delivery_price:
        changes.append(CartChange("delivery", before=delivery, after=shop.delivery_price))
    for item in cart.items:
        quantity, price = seen.pop(str(item.offer.variant_id), (0, item.offer.price))
        if price != item.offer.price:
            changes.append(
                CartChange("price", item.offer.product_title, before=price, after=item.offer.price)
            )
        elif quantity != item.quantity:
            changes.append(CartChange("cart"))
    if seen:
        changes.append(CartChange("cart"))
    return list(dict.fromkeys(changes))


def _parse(seen: str) -> dict[str, tuple[int, int]]:
    """The fingerprint of a form; whatever does not look like one is left out."""
    parsed = {}
    for part in seen[: 80 * MAX_LINES].split("~"):
        name, *numbers = part.split(".")
        if numbers and len(numbers) <= 2 and all(number.isdecimal() for number in numbers):
            first, second = [int(number[:12]) for number in [*numbers, "0"]][:2]
            parsed[name] = (first, second)
    return parsed


async def _check_limits(orders: OrderRepository, draft: CheckoutDraft, limits: OrderLimits) -> None:
    if await orders.count_unanswered(draft.phone) >= limits.unanswered:
        raise TooManyOrders(limits.window.total_seconds())
    recent = await orders.count_since(draft.visitor, now() - limits.window) if draft.visitor else 0
    if recent >= limits.by_visitor:
        raise TooManyOrders(limits.window.total_seconds())


async def _write(
    orders: OrderRepository,
    number: int,
    cart: Cart,
    draft: CheckoutDraft,
    priced: CartRead,
    shop: SettingsRead,
) -> str:
    delivery_price = shop.delivery_price if draft.method == "delivery" else 0
    order = await orders.add(
        id=uuid7(),
        number=number,
        status=Status.NEW,
        link=secrets.token_urlsafe(24),
        checkout_key=draft.key,
        cart_id=cart.id,
        buyer_name=draft.name,
        buyer_phone=draft.phone,
        comment=draft.comment,
        method=draft.method,
        address=draft.address if draft.method == "delivery" else shop.pickup_address,
        goods_total=priced.total,
        delivery_price=delivery_price,
        total=priced.total + delivery_price,
        pieces=priced.pieces,
        language=draft.language,
        visitor=draft.visitor,
    )
    for position, item in enumerate(priced.items):
        await orders.add_line(
            order.id,
            product_id=item.offer.product_id,
            variant_id=item.offer.variant_id,
            position=position,
            product_title=item.offer.product_title,
            variant_title=item.offer.variant_title,
            price=item.offer.price,
            quantity=item.quantity,
        )
    await orders.add_change(order.id, from_status=None, to_status=Status.NEW, actor="buyer", actor_id=None)
    return order.link


async def start_numbering(session: AsyncSession, owner: Owner) -> None:
    """Give a new shop its order numbers; one that has them keeps them."""
    await OrderRepository(session, owner).start_counter()


async def list_orders(session: AsyncSession, wanted: OrderFilter) -> OrderPage:
    """One page of orders, newest first: two statements, however many rows."""
    orders = OrderRepository(session)
    rows = await orders.page(wanted)
    cards = (
        OrderCard(
            id=row.id,
            number=row.number,
            status=Status(row.status),
            buyer_name=row.buyer_name,
            method=row.method,
            pieces=row.pieces,
            total=row.total,
            created_at=row.created_at,
        )
        for row in rows
    )
    return OrderPage(tuple(cards), await orders.count(wanted), wanted.page, wanted.size)


async def count_by_status(session: AsyncSession) -> dict[Status, int]:
    """How many orders stand in each status; statuses without any are there with 0."""
    counts = await OrderRepository(session).count_by_status()
    return {status: counts.get(status, 0) for status in Status}


async def get_order(session: AsyncSession, order_id: UUID) -> OrderRead:
    """An order with its lines and history, for the people of the shop."""
    return await _whole(session, await OrderRepository(session).find(order_id))


async def get_by_link(session: AsyncSession, link: str) -> OrderRead:
    """An order for whoever has its link."""
    known = await OrderRepository(session).find_by_link(link) if _LINK.fullmatch(link) else None
    return await _whole(session, known)


async def _whole(session: AsyncSession, order: Order | None) -> OrderRead:
    if order is None:
        raise OrderNotFound
    orders = OrderRepository(session)
    lines, changes = await orders.lines(order.id), await orders.changes(order.id)
    return OrderRead(
        id=order.id,
        number=order.number,
        status=Status(order.status),
        link=order.link,
        buyer_name=order.buyer_name,
        buyer_phone=order.buyer_phone,
        comment=order.comment,
        method=order.method,
        address=order.address,
        goods_total=order.goods_total,
        delivery_price=order.delivery_price,
        total=order.total,
        language=order.language,
        created_at=order.created_at,
        items=tuple(
            OrderItem(line.product_title, line.variant_title, line.price, line.quantity) for line in lines
        ),
        steps=tuple(OrderStep(Status(row.to_status), row.actor, row.note, row.created_at) for row in changes),
    )


async def move(session: AsyncSession, order_id: UUID, to: Status, actor: Actor, note: str = "") -> None:
    """Take an order one step further and remember who did it. A cancelled order's goods return to the
    shelf. Pressing twice is one step.
    """
    orders = OrderRepository(session)
    order = await orders.find(order_id, lock=True)
    if order is None:
        raise OrderNotFound
    present = Status(order.status)
    if present == to:
        return
    if to not in present.steps(order.method):
        raise IllegalStep(present, to)
    order.status = to
    if to is Status.CANCELLED:
        lines = await orders.lines(order_id)
        await catalogue.return_stock(session, {line.variant_id: line.quantity for line in lines})
    await orders.add_change(
        order_id, from_status=present, to_status=to, actor=actor.kind, actor_id=actor.user_id, note=note
    )


async def forget(session: AsyncSession, owner: Owner) -> None:
    """Delete every cart and order of an installation that is gone."""
    await OrderRepository(session, owner).forget()
    await CartRepository(session, owner).forget()
