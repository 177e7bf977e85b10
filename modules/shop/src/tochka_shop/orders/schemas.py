"""Carts and orders as pages read them, and what a checkout says."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from tochka_shop.catalogue.schemas import Offer

MAX_QUANTITY = 99

Method = Literal["pickup", "delivery"]


class Status(StrEnum):
    """Where an order is on its way."""

    NEW = "new"
    CONFIRMED = "confirmed"
    READY = "ready"
    SHIPPED = "shipped"
    COMPLETED = "completed"
    CANCELLED = "cancelled"

    def steps(self, method: str) -> tuple["Status", ...]:
        """Where an order may go from here: picked-up goods get ready, delivered goods are shipped."""
        on_its_way = Status.READY if method == "pickup" else Status.SHIPPED
        return {
            Status.NEW: (Status.CONFIRMED, Status.CANCELLED),
            Status.CONFIRMED: (on_its_way, Status.CANCELLED),
            Status.READY: (Status.COMPLETED, Status.CANCELLED),
            Status.SHIPPED: (Status.COMPLETED, Status.CANCELLED),
        }.get(self, ())

    @staticmethod
    def road(method: str) -> tuple["Status", ...]:
        """The whole way of an order that is not cancelled."""
        on_its_way = Status.READY if method == "pickup" else Status.SHIPPED
        return (Status.NEW, Status.CONFIRMED, on_its_way, Status.COMPLETED)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something to an order: the buyer, or a person of the shop."""

    kind: Literal["buyer", "owner", "admin", "staff"]
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CartItem:
    """A line of a cart, priced as of now."""

    offer: Offer
    quantity: int

    @property
    def total(self) -> int:
        """The price of the line."""
        return self.offer.price * self.quantity

    @property
    def is_short(self) -> bool:
        """Whether there are fewer than wanted."""
        return self.offer.available < self.quantity

    @property
    def most(self) -> int:
        """The most that can be asked for."""
        return min(self.offer.available, MAX_QUANTITY)


@dataclass(frozen=True, slots=True)
class CartRead:
    """A cart, priced as of now."""

    items: tuple[CartItem, ...] = ()

    @property
    def pieces(self) -> int:
        """How many things are in it."""
        return sum(item.quantity for item in self.items)

    @property
    def total(self) -> int:
        """What the goods cost together."""
        return sum(item.total for item in self.items)

    @property
    def can_be_ordered(self) -> bool:
        """Whether there is something in it, and enough of everything."""
        return bool(self.items) and not any(item.is_short for item in self.items)


@dataclass(frozen=True, slots=True)
class CheckoutDraft:
    """What the checkout form says. `key` is good for one order; `seen` is what the form showed; `visitor`
    stands for where it came from.
    """

    key: UUID
    name: str
    phone: str
    method: Method
    address: str
    comment: str
    language: str
    seen: str
    visitor: str


@dataclass(frozen=True, slots=True)
class CartChange:
    """Something that is not as the buyer saw it. `kind` is also the key of its phrase."""

    kind: Literal["gone", "fewer", "price", "delivery", "cart"]
    title: str = ""
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class CheckoutResult:
    """Either the link of the order, or what changed since the buyer saw the form."""

    link: str = ""
    changes: tuple[CartChange, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderCard:
    """An order as lists show it."""

    id: UUID
    number: int
    status: Status
    buyer_name: str
    method: str
    pieces: int
    total: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of orders, and how many there are in all."""

    items: tuple[OrderCard, ...]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class OrderItem:
    """What was bought, as it was called and priced then."""

    product_title: str
    variant_title: str
    price: int
    quantity: int

    @property
    def total(self) -> int:
        """The price of the line."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class OrderStep:
    """One step in the life of an order."""

    status: Status
    actor: str
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OrderRead:
    """An order with everything on its page."""

    id: UUID
    number: int
    status: Status
    link: str
    buyer_name: str
    buyer_phone: str
    comment: str
    method: str
    address: str
    goods_total: int
    delivery_price: int
    total: int
    language: str
    created_at: datetime
    items: tuple[OrderItem, ...]
    steps: tuple[OrderStep, ...]

    @property
    def next_steps(self) -> tuple[Status, ...]:
        """Where it may go from here."""
        return self.status.steps(self.method)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders to list."""

    page: int = 1
    size: int = 20
    status: Status | None = None
    number: int | None = None
    phone: str | None = None
