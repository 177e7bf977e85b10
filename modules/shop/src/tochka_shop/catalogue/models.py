"""Tables of the catalogue. Prices are kopecks; stock never goes below zero."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, deferred, mapped_column
from tochka_sdk.clock import now

from tochka_shop.tables import Model, Owned, moment


class Category(Owned, Model):
    """A shelf with a name."""

    __tablename__ = "categories"

    title: Mapped[str]
    slug: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = moment()

    __table_args__ = (
        UniqueConstraint("tenant_id", "installation_id", "slug"),
        Index("ix_categories_position", "tenant_id", "installation_id", "position", "id"),
    )


class Product(Owned, Model):
    """Something for sale. It has at least one variant; price and stock are the variants'."""

    __tablename__ = "products"

    category_id: Mapped[UUID | None]
    title: Mapped[str]
    slug: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    is_published: Mapped[bool] = mapped_column(default=False)
    search_text: Mapped[str]
    search_vector: Mapped[str] = deferred(
        mapped_column(TSVECTOR, Computed("to_tsvector('russian'::regconfig, search_text)", persisted=True)),
        raiseload=True,
    )
    created_at: Mapped[datetime] = moment()
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)

    __table_args__ = (
        UniqueConstraint("tenant_id", "installation_id", "slug"),
        ForeignKeyConstraint(
            ["tenant_id", "category_id"],
            ["categories.tenant_id", "categories.id"],
            ondelete="SET NULL (category_id)",
        ),
        Index("ix_products_newest", "tenant_id", "installation_id", "is_published", "created_at", "id"),
        Index(
            "ix_products_category",
            "tenant_id",
            "installation_id",
            "category_id",
            "is_published",
            "created_at",
            "id",
        ),
    )


class Variant(Owned, Model):
    """What is really bought: «red, M» with its price and how many are left."""

    __tablename__ = "variants"

    product_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(default="")
    price: Mapped[int] = mapped_column(Integer)
    stock: Mapped[int] = mapped_column(Integer, default=0)
    position: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "product_id"], ["products.tenant_id", "products.id"], ondelete="CASCADE"
        ),
        CheckConstraint("stock >= 0", name="stock"),
        CheckConstraint("price >= 0", name="price"),
        Index("ix_variants_product", "tenant_id", "installation_id", "product_id", "position"),
        Index("ix_variants_stock", "tenant_id", "installation_id", "stock"),
    )


class Picture(Owned, Model):
    """A picture of a product; the files lie in the picture storage under its id."""

    __tablename__ = "pictures"

    product_id: Mapped[UUID]
    content_hash: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    widths: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = moment()

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "product_id"], ["products.tenant_id", "products.id"], ondelete="CASCADE"
        ),
        Index("ix_pictures_product", "tenant_id", "installation_id", "product_id", "position", "id"),
    )
