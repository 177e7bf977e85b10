"""Tables of carts and orders. An order keeps its own copy of titles and prices: the catalogue moves on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column
from tochka_sdk.clock import now

from tochka_shop.tables import Model, Owned, moment


class Cart(Owned, Model):
    """What a browser has put aside. Known by the hash of its cookie; nobody's name is attached."""

    __tablename__ = "carts"

    token_hash: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        UniqueConstraint("tenant_id", "installation_id", "token_hash"),
        Index("ix_carts_updated_at", "tenant_id", "installation_id", "updated_at"),
    )


class CartLine(Owned, Model):
    """So many pieces of a variant."""

    __tablename__ = "cart_lines"

    cart_id: Mapped[UUID]
    variant_id: Mapped[UUID]
    quantity: Mapped[int]
    created_at: Mapped[datetime] = moment()

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "cart_id"], ["carts.tenant_id", "carts.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["tenant_id", "variant_id"], ["variants.tenant_id", "variants.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("tenant_id", "installation_id", "cart_id", "variant_id"),
        Index("ix_cart_lines_variant", "tenant_id", "variant_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )


class OrderCounter(Owned, Model):
    """The last order number of an installation; its row lock is the only queue that orders stand in."""

    __tablename__ = "order_counters"

    last_number: Mapped[int]

    __table_args__ = (UniqueConstraint("tenant_id", "installation_id"),)


class Order(Owned, Model):
    """A buyer's order."""

    __tablename__ = "orders"

    number: Mapped[int]
    status: Mapped[str]
    link: Mapped[str]
    checkout_key: Mapped[UUID]
    cart_id: Mapped[UUID]
    buyer_name: Mapped[str]
    buyer_phone: Mapped[str]
    comment: Mapped[str]
    method: Mapped[str]
    address: Mapped[str]
    goods_total: Mapped[int] = mapped_column(BigInteger)
    delivery_price: Mapped[int]
    total: Mapped[int] = mapped_column(BigInteger)
    pieces: Mapped[int]
    language: Mapped[str]
    visitor: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = moment()

    __table_args__ = (
        UniqueConstraint("tenant_id", "installation_id", "number"),
        UniqueConstraint("tenant_id", "installation_id", "link"),
        UniqueConstraint("tenant_id", "installation_id", "checkout_key"),
        Index("ix_orders_status", "tenant_id", "installation_id", "status", "number"),
        Index("ix_orders_phone", "tenant_id", "installation_id", "buyer_phone", "number"),
        Index("ix_orders_visitor", "tenant_id", "installation_id", "visitor", "created_at"),
        CheckConstraint("method IN ('pickup', 'delivery')", name="method"),
        CheckConstraint("total = goods_total + delivery_price", name="total"),
    )


class OrderLine(Owned, Model):
    """What was bought, as it was called and priced then."""

    __tablename__ = "order_lines"

    order_id: Mapped[UUID]
    product_id: Mapped[UUID]
    variant_id: Mapped[UUID]
    position: Mapped[int]
    product_title: Mapped[str]
    variant_title: Mapped[str]
    price: Mapped[int]
    quantity: Mapped[int]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["orders.tenant_id", "orders.id"], ondelete="CASCADE"
        ),
        Index("ix_order_lines_order", "tenant_id", "installation_id", "order_id", "position"),
        CheckConstraint("quantity > 0", name="quantity"),
    )


class OrderChange(Owned, Model):
    """One step in the life of an order: who, when, from where to where."""

    __tablename__ = "order_changes"

    order_id: Mapped[UUID]
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    actor: Mapped[str]
    actor_id: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = moment()

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["orders.tenant_id", "orders.id"], ondelete="CASCADE"
        ),
        Index("ix_order_changes_order", "tenant_id", "installation_id", "order_id", "created_at", "id"),
    )
