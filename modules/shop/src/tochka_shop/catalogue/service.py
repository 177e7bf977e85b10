"""Rules of the shelves: what is shown, and how products and categories change. Runs inside its caller's
one transaction.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.ids import uuid7

from tochka_shop import wording
from tochka_shop.catalogue.errors import (
    CategoryLimitReached,
    CategoryNotFound,
    PictureLimitReached,
    PictureNotFound,
    ProductLimitReached,
    ProductNotFound,
)
from tochka_shop.catalogue.models import Category, Picture, Product, Variant
from tochka_shop.catalogue.repository import (
    CategoryRepository,
    PictureRepository,
    ProductRepository,
    VariantRepository,
)
from tochka_shop.catalogue.schemas import (
    CardPage,
    CategoryRead,
    Listing,
    LowStock,
    Offer,
    ProductCard,
    ProductDraft,
    ProductRead,
    SitemapEntry,
    VariantDraft,
    VariantRead,
)
from tochka_shop.owners import Owner
from tochka_shop.pictures.schemas import PictureRef, Rendered
from tochka_shop.settings import public as settings

MAX_CATEGORIES = 50
MAX_PICTURES = 12


def picture_ref(picture: Picture) -> PictureRef:
    """A stored picture as pages see it."""
    return PictureRef(
        id=picture.id,
        content_hash=picture.content_hash,
        width=picture.width,
        height=picture.height,
        widths=tuple(picture.widths),
    )


async def list_cards(session: AsyncSession, listing: Listing) -> CardPage:
    """One page of products as lists show them: four statements, however many rows."""
    products = ProductRepository(session)
    total = await products.count(listing)
    rows = await products.page(listing) if total else ()
    ids = [product.id for product in rows]
    variants: dict[UUID, list[Variant]] = {product_id: [] for product_id in ids}
    for variant in await VariantRepository(session).of_products(ids) if ids else ():
        variants[variant.product_id].append(variant)
    covers = await _covers(session, ids)
    items = tuple(_card(product, variants[product.id], covers.get(product.id)) for product in rows)
    return CardPage(items=items, total=total, number=listing.page, size=listing.size)


def _card(product: Product, variants: Sequence[Variant], cover: PictureRef | None) -> ProductCard:
    prices = [variant.price for variant in variants] or [0]
    return ProductCard(
        id=product.id,
        title=product.title,
        slug=product.slug,
        is_published=product.is_published,
        updated_at=product.updated_at,
        price_from=min(prices),
        price_to=max(prices),
        stock=sum(variant.stock for variant in variants),
        variants=len(variants),
        cover=cover,
    )


async def count_products(session: AsyncSession, *, only_published: bool = False) -> int:
    """How many products the shop has."""
    return await ProductRepository(session).count(Listing(only_published=only_published))


async def get_product(session: AsyncSession, product_id: UUID) -> ProductRead:
    """A product with everything on its page, published or not."""
    return await _whole(session, await ProductRepository(session).find(product_id))


async def get_published(session: AsyncSession, slug: str) -> ProductRead:
    """A published product by its address."""
    product = await ProductRepository(session).find_by_slug(slug) if wording.is_slug(slug) else None
    return await _whole(session, product if product is not None and product.is_published else None)


async def _whole(session: AsyncSession, product: Product | None) -> ProductRead:
    if product is None:
        raise ProductNotFound
    category = None
    if product.category_id is not None:
        category = await CategoryRepository(session).find(product.category_id)
    variants = await VariantRepository(session).of_products([product.id])
    pictures = await PictureRepository(session).of_product(product.id)
    return ProductRead(
        id=product.id,
        title=product.title,
        slug=product.slug,
        description=product.description,
        is_published=product.is_published,
        updated_at=product.updated_at,
        category=CategoryRead(category.id, category.title, category.slug) if category else None,
        variants=tuple(VariantRead(row.id, row.title, row.price, row.stock) for row in variants),
        pictures=tuple(picture_ref(picture) for picture in pictures),
    )


async def create_product(session: AsyncSession, draft: ProductDraft, limit: float | None) -> UUID:
    """Put a new product on the shelf, unless the license has no room for it."""
    await settings.take_turn(session)  # counting and adding is one step: products of a shop are made in turn
    products = ProductRepository(session)
    if limit is not None and await products.count(Listing(only_published=False)) >= limit:
        raise ProductLimitReached(int(limit))
    wanted = wording.slugify(draft.title, "product")
    product = await products.add(
        id=uuid7(),
        slug=wording.free_slug(wanted, await products.slugs_like(wanted)),
        **await _columns(session, draft),
    )
    await _save_variants(session, product.id, draft.variants)
    return product.id


async def change_product(session: AsyncSession, product_id: UUID, draft: ProductDraft) -> None:
    """Save a product's form. Its address stays what it was: others may have linked to it."""
    product = await ProductRepository(session).find(product_id)
    if product is None:
        raise ProductNotFound
    for name, value in (await _columns(session, draft)).items():
        setattr(product, name, value)
    await session.flush()
    await _save_variants(session, product_id, draft.variants)


async def _columns(session: AsyncSession, draft: ProductDraft) -> dict[str, object]:
    if draft.category_id is not None and await CategoryRepository(session).find(draft.category_id) is None:
        raise CategoryNotFound
    titles = (variant.title for variant in draft.variants)
    return {
        "title": draft.title,
        "description": draft.description,
        "category_id": draft.category_id,
        "is_published": draft.is_published,
        "search_text": wording.search_text(draft.title, *titles, draft.description),
    }


async def _save_variants(session: AsyncSession, product_id: UUID, drafts: Sequence[VariantDraft]) -> None:
    variants = VariantRepository(session)
    known = {variant.id for variant in await variants.of_products([product_id])}
    await variants.offers(list(known), lock=True)  # in the order in which orders lock them
    await variants.remove(list(known - {draft.id for draft in drafts}))
    for position, draft in enumerate(drafts):
        columns = {"title": draft.title, "price": draft.price, "position": position}
        if draft.id in known:
            await variants.change(draft.id, stock_change=draft.stock - draft.stock_seen, **columns)
        else:
            await variants.add(product_id, id=uuid7(), stock=draft.stock, **columns)


async def remove_product(session: AsyncSession, product_id: UUID) -> list[UUID]:
    """Take a product off for good; its pictures' ids, whose files go after the commit."""
    product = await ProductRepository(session).find(product_id)
    if product is None:
        raise ProductNotFound
    pictures = await PictureRepository(session).of_product(product_id)
    await ProductRepository(session).remove(product)
    return [picture.id for picture in pictures]


async def list_categories(session: AsyncSession, *, only_published: bool = True) -> list[CategoryRead]:
    """Every category with its number of products, in the shop's order."""
    rows = await CategoryRepository(session).list_with_counts(only_published=only_published)
    return [CategoryRead(category.id, category.title, category.slug, products) for category, products in rows]


async def get_category(session: AsyncSession, slug: str) -> CategoryRead:
    """A category by its address."""
    category = await CategoryRepository(session).find_by_slug(slug) if wording.is_slug(slug) else None
    if category is None:
        raise CategoryNotFound
    return CategoryRead(category.id, category.title, category.slug)


async def add_category(session: AsyncSession, title: str) -> None:
    """Add a category behind the others."""
    await settings.take_turn(session)
    categories = CategoryRepository(session)
    present = await categories.list_with_counts(only_published=False)
    if len(present) >= MAX_CATEGORIES:
        raise CategoryLimitReached(MAX_CATEGORIES)
    wanted = wording.slugify(title, "category")
    slug = wording.free_slug(wanted, await categories.slugs_like(wanted))
    position = max((category.position for category, _ in present), default=0) + 1
    await categories.add(title=title, slug=slug, position=position)


async def add_first_category(session: AsyncSession, title: str, owner: Owner) -> None:
    """The category that a new shop begins with: there is none yet, and nobody else at work."""
    slug = wording.slugify(title, "category")
    await CategoryRepository(session, owner).add(title=title, slug=slug, position=1)


async def rename_category(session: AsyncSession, category_id: UUID, title: str) -> None:
    """Rename a category; its address stays."""
    (await _category(session, category_id)).title = title
    await session.flush()


async def raise_category(session: AsyncSession, category_id: UUID) -> None:
    """Move a category one place towards the front."""
    await settings.take_turn(session)
    rows = await CategoryRepository(session).list_with_counts(only_published=False)
    order = [category for category, _ in rows]
    at = next((index for index, category in enumerate(order) if category.id == category_id), None)
    if at is None:
        raise CategoryNotFound
    if at:
        order[at - 1], order[at] = order[at], order[at - 1]
    for position, category in enumerate(order, start=1):
        category.position = position
    await session.flush()


async def remove_category(session: AsyncSession, category_id: UUID) -> None:
    """Delete a category; its products stay, without one."""
    await CategoryRepository(session).remove(await _category(session, category_id))


async def _category(session: AsyncSession, category_id: UUID) -> Category:
    category = await CategoryRepository(session).find(category_id)
    if category is None:
        raise CategoryNotFound
    return category


async def sitemap(session: AsyncSession) -> list[SitemapEntry]:
    """Addresses of published products."""
    rows = await ProductRepository(session).sitemap()
    return [SitemapEntry(slug, updated_at) for slug, updated_at in rows]


async def add_picture(session: AsyncSession, product_id: UUID, picture_id: UUID, rendered: Rendered) -> None:
    """Hang a picture, whose files are stored already, behind the product's others."""
    await settings.take_turn(session)
    product = await ProductRepository(session).find(product_id)
    if product is None:
        raise ProductNotFound
    pictures = PictureRepository(session)
    present = await pictures.of_product(product_id)
    if len(present) >= MAX_PICTURES:
        raise PictureLimitReached(MAX_PICTURES)
    await pictures.add(
        product_id,
        id=picture_id,
        content_hash=rendered.content_hash,
        width=rendered.largest.width,
        height=rendered.largest.height,
        widths=rendered.widths,
        position=max((picture.position for picture in present), default=0) + 1,
    )


async def remove_picture(session: AsyncSession, product_id: UUID, picture_id: UUID) -> None:
    """Take a picture down; its files go after the commit."""
    await PictureRepository(session).remove(await _picture(session, product_id, picture_id))


async def make_cover(session: AsyncSession, product_id: UUID, picture_id: UUID) -> None:
    """Put a picture before the product's others."""
    await settings.take_turn(session)
    picture = await _picture(session, product_id, picture_id)
    present = await PictureRepository(session).of_product(product_id)
    picture.position = min(other.position for other in present) - 1
    await session.flush()


async def _picture(session: AsyncSession, product_id: UUID, picture_id: UUID) -> Picture:
    for picture in await PictureRepository(session).of_product(product_id):
        if picture.id == picture_id:
            return picture
    raise PictureNotFound


async def get_offers(
    session: AsyncSession, variant_ids: Sequence[UUID], *, lock: bool = False
) -> dict[UUID, Offer]:
    """Variants as a cart sees them, with their covers; those that are gone are missing. Locked, price and
    stock stay as read until the transaction ends.
    """
    if not variant_ids:
        return {}
    rows = await VariantRepository(session).offers(variant_ids, lock=lock)
    product_ids = list({product.id for _, product in rows})
    covers = {} if lock else await _covers(session, product_ids)
    return {
        variant.id: Offer(
            variant_id=variant.id,
            product_id=product.id,
            product_title=product.title,
            product_slug=product.slug,
            variant_title=variant.title,
            price=variant.price,
            stock=variant.stock,
            is_published=product.is_published,
            cover=covers.get(product.id),
        )
        for variant, product in rows
    }


async def _covers(session: AsyncSession, product_ids: Sequence[UUID]) -> dict[UUID, PictureRef]:
    rows = await PictureRepository(session).covers(product_ids) if product_ids else ()
    return {picture.product_id: picture_ref(picture) for picture in rows}


async def take_stock(session: AsyncSession, quantities: Mapping[UUID, int]) -> set[UUID]:
    """Take pieces off the shelf; the variants of which there were enough. The caller, who holds the locks
    of `get_offers`, raises unless that is all of them.
    """
    return await VariantRepository(session).take(quantities)


async def return_stock(session: AsyncSession, quantities: Mapping[UUID, int]) -> None:
    """Put the pieces of a cancelled order back on the shelf."""
    if quantities:
        await VariantRepository(session).offers(list(quantities), lock=True)
        await VariantRepository(session).give_back(quantities)


async def low_stock(session: AsyncSession, at_most: int = 3, limit: int = 8) -> list[LowStock]:
    """Published variants that will run out."""
    rows = await VariantRepository(session).low(at_most, limit)
    return [LowStock(product_id, title, variant, stock) for product_id, title, variant, stock in rows]


async def forget(session: AsyncSession, owner: Owner) -> None:
    """Empty the shelves of an installation that is gone; the files are the picture storage's."""
    await ProductRepository(session, owner).forget()
    await CategoryRepository(session, owner).forget()
