"""What every page of the admin has around it, and what its first page tells."""

from dataclasses import dataclass

from tochka_sdk.module import SignedInAdmin

from tochka_shop.catalogue.schemas import LowStock
from tochka_shop.orders.schemas import OrderCard
from tochka_shop.settings.schemas import SettingsRead


@dataclass(frozen=True, slots=True)
class Desk:
    """The person at the desk, the shop, and what waits."""

    user: SignedInAdmin
    shop: SettingsRead
    language: str
    new_orders: int
    takes_orders: bool
    storefront_url: str

    @property
    def may_manage(self) -> bool:
        """Whether settings are theirs to change."""
        return self.user.role in ("owner", "admin")


@dataclass(frozen=True, slots=True)
class FirstStep:
    """Something that a new shop still needs. `name` is also the key of its phrase."""

    name: str
    is_done: bool
    link: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page."""

    waiting: tuple[OrderCard, ...]
    new: int
    under_way: int
    products: int
    published: int
    limit: int | None
    low: tuple[LowStock, ...]
    steps: tuple[FirstStep, ...]

    @property
    def is_set_up(self) -> bool:
        """Whether the first steps are behind."""
        return all(step.is_done for step in self.steps)


@dataclass(frozen=True, slots=True)
class VariantRow:
    """A variant as the form shows it: texts, right or wrong."""

    index: int
    id: str = ""
    title: str = ""
    price: str = ""
    stock: str = ""
    seen: str = "0"
