"""What the catalogue tells others, and what it is told; nothing here is tied to a session."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tochka_shop.pictures.schemas import PictureRef


@dataclass(frozen=True, slots=True)
class CategoryRead:
    """A category and how many products stand in it."""

    id: UUID
    title: str
    slug: str
    products: int = 0


@dataclass(frozen=True, slots=True)
class ProductCard:
    """A product as lists show it."""

    id: UUID
    title: str
    slug: str
    is_published: bool
    updated_at: datetime
    price_from: int
    price_to: int
    stock: int
    variants: int
    cover: PictureRef | None

    @property
    def in_stock(self) -> bool:
        """Whether any variant can be bought."""
        return self.stock > 0


@dataclass(frozen=True, slots=True)
class CardPage:
    """One page of a list, and how many there are in all."""

    items: tuple[ProductCard, ...]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class VariantRead:
    """A variant with its price and stock."""

    id: UUID
    title: str
    price: int
    stock: int


@dataclass(frozen=True, slots=True)
class ProductRead:
    """A product with everything on its page."""

    id: UUID
    title: str
    slug: str
    description: str
    is_published: bool
    updated_at: datetime
    category: CategoryRead | None
    variants: tuple[VariantRead, ...]
    pictures: tuple[PictureRef, ...]

    @property
    def price_from(self) -> int:
        """The lowest price."""
        return min((variant.price for variant in self.variants), default=0)

    @property
    def price_to(self) -> int:
        """The highest price."""
        return max((variant.price for variant in self.variants), default=0)

    @property
    def stock(self) -> int:
        """Pieces of all variants."""
        return sum(variant.stock for variant in self.variants)


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant as a cart or an order sees it: what it is, what it costs now, how many there are."""

    variant_id: UUID
    product_id: UUID
    product_title: str
    product_slug: str
    variant_title: str
    price: int
    stock: int
    is_published: bool
    cover: PictureRef | None = None

    @property
    def available(self) -> int:
        """How many can be bought now."""
        return self.stock if self.is_published else 0


@dataclass(frozen=True, slots=True)
class VariantDraft:
    """A variant as the form says it. `stock_seen` is what the form showed: stock is saved as a difference."""

    id: UUID | None
    title: str
    price: int
    stock: int
    stock_seen: int = 0


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """A product as the form says it."""

    title: str
    description: str
    category_id: UUID | None
    is_published: bool
    variants: tuple[VariantDraft, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class LowStock:
    """A variant that will run out."""

    product_id: UUID
    product_title: str
    variant_title: str
    stock: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What to list: of which category, containing which words, published or all."""

    page: int = 1
    size: int = 24
    category_id: UUID | None = None
    words: tuple[str, ...] = ()
    only_published: bool = True


@dataclass(frozen=True, slots=True)
class SitemapEntry:
    """An address for search engines."""

    slug: str
    updated_at: datetime
