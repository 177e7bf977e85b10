"""The orders' face to other slices."""

from tochka_shop.orders.limits import order_limits, visitor_of
from tochka_shop.orders.service import (
    CART_DAYS,
    count_by_status,
    count_pieces,
    fingerprint,
    forget,
    get_by_link,
    get_cart,
    get_order,
    list_orders,
    move,
    place,
    put_into_cart,
    set_quantity,
    start_numbering,
)

__all__ = [
    "CART_DAYS",
    "count_by_status",
    "count_pieces",
    "fingerprint",
    "forget",
    "get_by_link",
    "get_cart",
    "get_order",
    "list_orders",
    "move",
    "order_limits",
    "place",
    "put_into_cart",
    "set_quantity",
    "start_numbering",
    "visitor_of",
]
