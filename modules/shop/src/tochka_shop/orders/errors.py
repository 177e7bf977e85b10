"""What can go wrong between cart and doorstep; each `code` has a sentence in every language."""

from tochka_sdk.errors import Conflict, Forbidden, Malformed, NotFound, TooManyRequests


class OrderNotFound(NotFound):
    """No such order in this shop."""

    code = "orders.not_found"

    def __init__(self) -> None:
        super().__init__("There is no such order.")


class VariantNotForSale(NotFound):
    """What was put into the cart is not sold (any more)."""

    code = "orders.not_for_sale"

    def __init__(self) -> None:
        super().__init__("This is not for sale.")


class CartFull(Conflict):
    """A cart holds only so many different things."""

    code = "orders.cart_full"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A cart holds {limit} different things.", limit=limit)


class CartEmpty(Conflict):
    """There is nothing to order."""

    code = "orders.cart_empty"

    def __init__(self) -> None:
        super().__init__("The cart is empty.")


class MethodUnavailable(Malformed):
    """The shop does not hand goods over in this way."""

    code = "orders.method_unavailable"

    def __init__(self) -> None:
        super().__init__("The shop does not hand goods over in this way.")


class IllegalStep(Conflict):
    """An order does not go from where it is to there."""

    code = "orders.illegal_step"

    def __init__(self, present: str, wanted: str) -> None:
        super().__init__(
            f"An order that is {present} cannot become {wanted}.", present=present, wanted=wanted
        )


class OrdersNotAccepted(Forbidden):
    """The license does not allow new orders now."""

    code = "orders.not_accepted"

    def __init__(self) -> None:
        super().__init__("The shop takes no orders at the moment.")


class OutOfStock(Conflict):
    """Somebody was faster: nothing of this order was taken."""

    code = "orders.out_of_stock"

    def __init__(self) -> None:
        super().__init__("There is not enough left for the whole order.")


class TooManyOrders(TooManyRequests):
    """So many orders of one person look like a flood; none of this one was stored."""

    code = "orders.too_many"

    def __init__(self, retry_after: float) -> None:
        super().__init__("Too many orders in a row.", retry_after=retry_after)
