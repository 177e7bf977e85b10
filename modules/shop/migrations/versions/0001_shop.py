"""The SDK's tables and the shop's: settings, catalogue, carts, orders. Each is walled off as it is made.

Revision: 0001, the first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from tochka_sdk import migrations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "shop_settings",
    "categories",
    "products",
    "variants",
    "pictures",
    "carts",
    "cart_lines",
    "order_counters",
    "orders",
    "order_lines",
    "order_changes",
)


def upgrade() -> None:
    """Apply."""
    migrations.create_sdk_tables()
    _settings()
    _categories_and_products()
    _variants_and_pictures()
    _carts()
    _orders()
    _order_parts()
    for table in TABLES:
        migrations.protect(table)


def downgrade() -> None:
    """Undo."""
    for table in reversed(TABLES):
        op.drop_table(table)
    migrations.drop_sdk_tables()


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    """A table of an installation: its owner's columns, its own, and the key that leads with the tenant."""
    op.create_table(
        name,
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("installation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{name}"),
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _uuid(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _moment(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    own = ("tenant_id", "installation_id", *columns)
    return sa.UniqueConstraint(*own, name=f"uq_{table}_{'_'.join(own)}")


def _part_of(table: str, column: str, parent: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{parent}.tenant_id", f"{parent}.id"],
        name=f"fk_{table}_tenant_id_{column}",
        ondelete=ondelete,
    )


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _index(name: str, table: str, *columns: str) -> None:
    op.create_index(name, table, ["tenant_id", "installation_id", *columns])


def _settings() -> None:
    table = "shop_settings"
    _table(
        table,
        *(_text(name) for name in ("name", "tagline", "about", "accent", "locale")),
        _number("utc_offset"),
        *(_text(name) for name in ("phone", "email", "hours", "legal_details")),
        _flag("pickup_enabled"),
        _text("pickup_address"),
        _flag("delivery_enabled"),
        _number("delivery_price"),
        _text("delivery_note"),
        _moment("created_at"),
        _unique(table),
        _check(table, "locale", "locale IN ('ru', 'en')"),
        _check(table, "delivery_price", "delivery_price >= 0"),
    )


def _categories_and_products() -> None:
    _table(
        "categories",
        _text("title"),
        _text("slug"),
        _number("position"),
        _moment("created_at"),
        _unique("categories", "slug"),
    )
    _index("ix_categories_position", "categories", "position", "id")
    _table(
        "products",
        _uuid("category_id", nullable=True),
        *(_text(name) for name in ("title", "slug", "description")),
        _flag("is_published"),
        _text("search_text"),
        sa.Column(
            "search_vector",
            postgresql.TSVECTOR(),
            sa.Computed("to_tsvector('russian'::regconfig, search_text)", persisted=True),
            nullable=False,
        ),
        _moment("created_at"),
        _moment("updated_at"),
        _unique("products", "slug"),
        _part_of("products", "category_id", "categories", "SET NULL (category_id)"),
    )
    _index("ix_products_newest", "products", "is_published", "created_at", "id")
    _index("ix_products_category", "products", "category_id", "is_published", "created_at", "id")


def _variants_and_pictures() -> None:
    _table(
        "variants",
        _uuid("product_id"),
        _text("title"),
        _number("price"),
        _number("stock"),
        _number("position"),
        _part_of("variants", "product_id", "products"),
        _check("variants", "stock", "stock >= 0"),
        _check("variants", "price", "price >= 0"),
    )
    _index("ix_variants_product", "variants", "product_id", "position")
    _index("ix_variants_stock", "variants", "stock")
    _table(
        "pictures",
        _uuid("product_id"),
        _text("content_hash"),
        _number("width"),
        _number("height"),
        sa.Column("widths", postgresql.ARRAY(sa.Integer()), nullable=False),
        _number("position"),
        _moment("created_at"),
        _part_of("pictures", "product_id", "products"),
    )
    _index("ix_pictures_product", "pictures", "product_id", "position", "id")


def _carts() -> None:
    _table("carts", _text("token_hash"), _moment("updated_at"), _unique("carts", "token_hash"))
    _index("ix_carts_updated_at", "carts", "updated_at")
    _table(
        "cart_lines",
        _uuid("cart_id"),
        _uuid("variant_id"),
        _number("quantity"),
        _moment("created_at"),
        _part_of("cart_lines", "cart_id", "carts"),
        _part_of("cart_lines", "variant_id", "variants"),
        _unique("cart_lines", "cart_id", "variant_id"),
        _check("cart_lines", "quantity", "quantity > 0"),
    )
    # For the foreign keys: they compare the tenant and the parent only.
    op.create_index("ix_cart_lines_variant", "cart_lines", ["tenant_id", "variant_id"])


def _orders() -> None:
    _table("order_counters", _number("last_number"), _unique("order_counters"))
    _table(
        "orders",
        _number("number"),
        _text("status"),
        _text("link"),
        _uuid("checkout_key"),
        _uuid("cart_id"),
        *(_text(name) for name in ("buyer_name", "buyer_phone", "comment", "method", "address")),
        sa.Column("goods_total", sa.BigInteger(), nullable=False),
        _number("delivery_price"),
        sa.Column("total", sa.BigInteger(), nullable=False),
        _number("pieces"),
        _text("language"),
        _moment("created_at"),
        _unique("orders", "number"),
        _unique("orders", "link"),
        _unique("orders", "checkout_key"),
        _check("orders", "method", "method IN ('pickup', 'delivery')"),
        _check("orders", "total", "total = goods_total + delivery_price"),
    )
    _index("ix_orders_status", "orders", "status", "number")
    _index("ix_orders_phone", "orders", "buyer_phone", "number")


def _order_parts() -> None:
    _table(
        "order_lines",
        *(_uuid(name) for name in ("order_id", "product_id", "variant_id")),
        _number("position"),
        _text("product_title"),
        _text("variant_title"),
        _number("price"),
        _number("quantity"),
        _part_of("order_lines", "order_id", "orders"),
        _check("order_lines", "quantity", "quantity > 0"),
    )
    _index("ix_order_lines_order", "order_lines", "order_id", "position")
    _table(
        "order_changes",
        _uuid("order_id"),
        sa.Column("from_status", sa.String(), nullable=True),
        _text("to_status"),
        _text("actor"),
        _uuid("actor_id", nullable=True),
        _text("note"),
        _moment("created_at"),
        _part_of("order_changes", "order_id", "orders"),
    )
    _index("ix_order_changes_order", "order_changes", "order_id", "created_at", "id")
