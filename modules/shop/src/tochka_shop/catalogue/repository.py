"""Queries on the catalogue. Lists take a fixed number of statements, however long they are."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Uuid,
    Values,
    column,
    delete,
    func,
    or_,
    select,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.engine import Row

from tochka_shop.catalogue.models import Category, Picture, Product, Variant
from tochka_shop.catalogue.schemas import Listing
from tochka_shop.owners import Repository

SITEMAP_LENGTH = 40_000
_UNSYNCED = {"synchronize_session": False}


class CategoryRepository(Repository):
    """Queries on categories."""

    def _mine(self) -> Select[Category]:
        return select(Category).where(
            Category.tenant_id == self._owner.tenant_id,
            Category.installation_id == self._owner.installation_id,
        )

    async def list_with_counts(self, *, only_published: bool) -> Sequence[Row[Category, int]]:
        """Every category in its order, with the number of its products."""
        counted = (
            select(Product.category_id, func.count().label("products"))
            .where(
                Product.tenant_id == self._owner.tenant_id,
                Product.installation_id == self._owner.installation_id,
            )
            .group_by(Product.category_id)
        )
        if only_published:
            counted = counted.where(Product.is_published)
        counts = counted.subquery()
        statement = (
            select(Category, func.coalesce(counts.c.products, 0))
            .outerjoin(counts, counts.c.category_id == Category.id)
            .where(
                Category.tenant_id == self._owner.tenant_id,
                Category.installation_id == self._owner.installation_id,
            )
            .order_by(Category.position, Category.id)
        )
        rows: Sequence[Row[Category, int]] = (await self._session.execute(statement)).all()
        return rows

    async def find(self, category_id: UUID) -> Category | None:
        """A category by its id."""
        return (await self._session.scalars(self._mine().where(Category.id == category_id))).one_or_none()

    async def find_by_slug(self, slug: str) -> Category | None:
        """A category by its address."""
        return (await self._session.scalars(self._mine().where(Category.slug == slug))).one_or_none()

    async def slugs_like(self, slug: str) -> set[str]:
        """Which of this slug and its numbered kin are taken."""
        statement = select(Category.slug).where(
            Category.tenant_id == self._owner.tenant_id,
            Category.installation_id == self._owner.installation_id,
            Category.slug.startswith(slug, autoescape=True),
        )
        return set((await self._session.scalars(statement)).all())

    async def add(self, *, title: str, slug: str, position: int) -> Category | None:
        """Add a category; None if the slug was taken meanwhile."""
        statement = (
            insert(Category)
            .values(**self._own, title=title, slug=slug, position=position)
            .on_conflict_do_nothing()
            .returning(Category)
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def remove(self, category: Category) -> None:
        """Delete a category; its products stay, without one."""
        await self._session.delete(category)
        await self._session.flush()

    async def forget(self) -> None:
        """Delete every category of the owner."""
        statement = delete(Category).where(
            Category.tenant_id == self._owner.tenant_id,
            Category.installation_id == self._owner.installation_id,
        )
        await self._session.execute(statement, execution_options=_UNSYNCED)


class ProductRepository(Repository):
    """Queries on products, variants and pictures."""

    def _where(self, listing: Listing) -> list[ColumnElement[bool]]:
        wanted = [
            Product.tenant_id == self._owner.tenant_id,
            Product.installation_id == self._owner.installation_id,
        ]
        if listing.only_published:
            wanted.append(Product.is_published.is_(True))
        if listing.category_id is not None:
            wanted.append(Product.category_id == listing.category_id)
        if listing.words:
            wanted.append(_matches(listing.words))
        return wanted

    async def count(self, listing: Listing) -> int:
        """How many products a listing has in all."""
        statement = select(func.count()).select_from(Product).where(*self._where(listing))
        return (await self._session.execute(statement)).scalar_one()

    async def page(self, listing: Listing) -> Sequence[Product]:
        """One page of a listing, newest first."""
        statement = (
            select(Product)
            .where(*self._where(listing))
            .order_by(Product.created_at.desc(), Product.id.desc())
            .limit(listing.size)
            .offset((listing.page - 1) * listing.size)
        )
        return (await self._session.scalars(statement)).all()

    async def find(self, product_id: UUID) -> Product | None:
        """A product by its id."""
        statement = select(Product).where(
            Product.tenant_id == self._owner.tenant_id,
            Product.installation_id == self._owner.installation_id,
            Product.id == product_id,
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def find_by_slug(self, slug: str) -> Product | None:
        """A product by its address."""
        statement = select(Product).where(
            Product.tenant_id == self._owner.tenant_id,
            Product.installation_id == self._owner.installation_id,
            Product.slug == slug,
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def slugs_like(self, slug: str) -> set[str]:
        """Which of this slug and its numbered kin are taken."""
        statement = select(Product.slug).where(
            Product.tenant_id == self._owner.tenant_id,
            Product.installation_id == self._owner.installation_id,
            Product.slug.startswith(slug, autoescape=True),
        )
        return set((await self._session.scalars(statement)).all())

    async def add(self, **columns: object) -> Product:
        """Add a product."""
        product = Product(**self._own, **columns)
        self._session.add(product)
        await self._session.flush()  # meet the unique slug here, not at commit
        return product

    async def remove(self, product: Product) -> None:
        """Delete a product with its variants and pictures; orders keep their own copy."""
        await self._session.delete(product)
        await self._session.flush()

    async def forget(self) -> None:
        """Delete every product, with its variants and pictures, of the owner."""
        for table in (Picture, Variant, Product):
            mine = (table.tenant_id == self._owner.tenant_id) & (
                table.installation_id == self._owner.installation_id
            )
            await self._session.execute(delete(table).where(mine), execution_options=_UNSYNCED)

    async def sitemap(self) -> Sequence[Row[str, datetime]]:
        """Addresses of published products, newest first."""
        statement = (
            select(Product.slug, Product.updated_at)
            .where(*self._where(Listing()))
            .order_by(Product.created_at.desc(), Product.id.desc())
            .limit(SITEMAP_LENGTH)
        )
        return (await self._session.execute(statement)).all()


class VariantRepository(Repository):
    """Queries on variants: what is bought, and how many there are."""

    def _mine(self) -> Select[Variant]:
        return select(Variant).where(
            Variant.tenant_id == self._owner.tenant_id,
            Variant.installation_id == self._owner.installation_id,
        )

    async def of_products(self, product_ids: Sequence[UUID]) -> Sequence[Variant]:
        """The variants of some products, each product's in their order."""
        statement = (
            self._mine()
            .where(Variant.product_id.in_(product_ids))
            .order_by(Variant.product_id, Variant.position, Variant.id)
        )
        return (await self._session.scalars(statement)).all()

    async def add(self, product_id: UUID, **columns: object) -> None:
        """Add a variant to a product."""
        self._session.add(Variant(**self._own, product_id=product_id, **columns))
        await self._session.flush()

    async def change(self, variant_id: UUID, *, stock_change: int, **columns: object) -> None:
        """Change a variant; stock by a difference, so that what buyers took meanwhile stays taken."""
        statement = (
            update(Variant)
            .where(
                Variant.tenant_id == self._owner.tenant_id,
                Variant.installation_id == self._owner.installation_id,
                Variant.id == variant_id,
            )
            .values(stock=func.greatest(Variant.stock + stock_change, 0), **columns)
        )
        await self._session.execute(statement, execution_options=_UNSYNCED)

    async def remove(self, variant_ids: Sequence[UUID]) -> None:
        """Delete variants; carts lose them too."""
        statement = delete(Variant).where(
            Variant.tenant_id == self._owner.tenant_id,
            Variant.installation_id == self._owner.installation_id,
            Variant.id.in_(variant_ids),
        )
        await self._session.execute(statement, execution_options=_UNSYNCED)

    async def offers(
        self, variant_ids: Sequence[UUID], *, lock: bool = False
    ) -> Sequence[Row[Variant, Product]]:
        """Variants with their products. Locked, they are taken in the order of their ids: two orders for
        the same things wait for each other and never in a circle.
        """
        statement = (
            select(Variant, Product)
            .join(Product, (Product.tenant_id == Variant.tenant_id) & (Product.id == Variant.product_id))
            .where(
                Variant.tenant_id == self._owner.tenant_id,
                Variant.installation_id == self._owner.installation_id,
                Variant.id.in_(variant_ids),
            )
            .order_by(Variant.id)
        )
        if lock:
            statement = statement.with_for_update(of=Variant)
        fresh = {"populate_existing": True}
        return (await self._session.execute(statement, execution_options=fresh)).all()

    async def take(self, quantities: Mapping[UUID, int]) -> set[UUID]:
        """Take pieces from the shelf wherever there are enough, in one statement; which were taken."""
        wanted = _quantities(quantities)
        statement = (
            update(Variant)
            .where(
                Variant.tenant_id == self._owner.tenant_id,
                Variant.installation_id == self._owner.installation_id,
                Variant.id == wanted.c.id,
                Variant.stock >= wanted.c.quantity,
            )
            .values(stock=Variant.stock - wanted.c.quantity)
            .returning(Variant.id)
        )
        return set((await self._session.scalars(statement, execution_options=_UNSYNCED)).all())

    async def give_back(self, quantities: Mapping[UUID, int]) -> None:
        """Put pieces back; variants deleted meanwhile are passed over. Lock the offers first."""
        returned = _quantities(quantities)
        statement = (
            update(Variant)
            .where(
                Variant.tenant_id == self._owner.tenant_id,
                Variant.installation_id == self._owner.installation_id,
                Variant.id == returned.c.id,
            )
            .values(stock=Variant.stock + returned.c.quantity)
        )
        await self._session.execute(statement, execution_options=_UNSYNCED)

    async def low(self, at_most: int, limit: int) -> Sequence[Row[UUID, str, str, int]]:
        """Published variants that will run out."""
        statement = (
            select(Product.id, Product.title, Variant.title, Variant.stock)
            .join(Product, (Product.tenant_id == Variant.tenant_id) & (Product.id == Variant.product_id))
            .where(
                Variant.tenant_id == self._owner.tenant_id,
                Variant.installation_id == self._owner.installation_id,
                Variant.stock <= at_most,
                Product.is_published,
            )
            .order_by(Variant.stock, Variant.id)
            .limit(limit)
        )
        return (await self._session.execute(statement)).all()


class PictureRepository(Repository):
    """Queries on pictures."""

    def _mine(self) -> Select[Picture]:
        return select(Picture).where(
            Picture.tenant_id == self._owner.tenant_id,
            Picture.installation_id == self._owner.installation_id,
        )

    async def of_product(self, product_id: UUID) -> Sequence[Picture]:
        """The pictures of a product, the cover first."""
        statement = self._mine().where(Picture.product_id == product_id)
        return (await self._session.scalars(statement.order_by(Picture.position, Picture.id))).all()

    async def covers(self, product_ids: Sequence[UUID]) -> Sequence[Picture]:
        """The first picture of each product."""
        statement = (
            self._mine()
            .where(Picture.product_id.in_(product_ids))
            .ext(distinct_on(Picture.product_id))
            .order_by(Picture.product_id, Picture.position, Picture.id)
        )
        return (await self._session.scalars(statement)).all()

    async def add(self, product_id: UUID, **columns: object) -> None:
        """Add a picture to a product."""
        self._session.add(Picture(**self._own, product_id=product_id, **columns))
        await self._session.flush()

    async def remove(self, picture: Picture) -> None:
        """Delete a picture."""
        await self._session.delete(picture)
        await self._session.flush()


def _quantities(quantities: Mapping[UUID, int]) -> Values:
    """Pieces by variant, as a table to join with."""
    columns = (column("id", Uuid), column("quantity", Integer))
    return values(*columns, name="quantities").data(sorted(quantities.items()))


def _matches(words: Sequence[str]) -> ColumnElement[bool]:
    """Every word stands somewhere in the text, or the whole is found by Russian word forms.

    Neither can use an index ahead of row-level security (LIKE and @@ are not leakproof): the products of
    one shop are read by their index and filtered, which is what a shop's size allows.
    """
    by_forms = Product.search_vector.bool_op("@@")(func.plainto_tsquery("russian", " ".join(words)))
    by_parts = [Product.search_text.contains(word, autoescape=True) for word in words]
    every_part = by_parts[0]
    for part in by_parts[1:]:
        every_part = every_part & part
    return or_(every_part, by_forms)
