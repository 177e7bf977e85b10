"""The product's form: variants are rows of fields `variants-<n>-…`, of which empty ones do not count."""

import re

from tochka_shop.admin.schemas import VariantRow
from tochka_shop.catalogue.schemas import ProductDraft, ProductRead, VariantDraft
from tochka_shop.money import roubles_for_form
from tochka_shop.pages.forms import Form, parse_uuid

MAX_VARIANTS = 30
_PRICE = re.compile(r"variants-(\d{1,3})-price")


def read_product(form: Form) -> ProductDraft | None:
    """The product that the form describes, or None and the form knows what is wrong."""
    title = form.line("title", limit=120, required=True)
    description = form.prose("description", limit=10_000)
    category = form.raw("category")
    category_id = parse_uuid(category)
    if category and category_id is None:
        form.refuse("category", "form.choose")
    variants = _read_variants(form)
    if not form.is_valid:
        return None
    return ProductDraft(
        title=title,
        description=description,
        category_id=category_id,
        is_published=form.flag("is_published"),
        variants=tuple(variants),
    )


def _read_variants(form: Form) -> list[VariantDraft]:
    rows = [row for row in form_rows(form) if not form.flag(f"variants-{row.index}-remove")]
    if not rows:
        form.refuse("variants", "form.needs_variant")
    if len(rows) > MAX_VARIANTS:
        form.refuse("variants", "form.too_many_variants")
    return [_read_variant(form, row, needs_title=len(rows) > 1) for row in rows[:MAX_VARIANTS]]


def _read_variant(form: Form, row: VariantRow, *, needs_title: bool) -> VariantDraft:
    name = f"variants-{row.index}"
    return VariantDraft(
        id=parse_uuid(row.id),
        title=form.line(f"{name}-title", limit=80, required=needs_title),
        price=form.roubles(f"{name}-price", required=True),
        stock=form.integer(f"{name}-stock"),
        stock_seen=form.integer(f"{name}-seen"),
    )


def form_rows(form: Form) -> list[VariantRow]:
    """The rows as they were sent, those left empty aside."""
    numbers = sorted({int(found[1]) for name in form.names() if (found := _PRICE.fullmatch(name))})
    rows = [
        VariantRow(
            index=number,
            id=form.raw(f"variants-{number}-id"),
            title=form.raw(f"variants-{number}-title"),
            price=form.raw(f"variants-{number}-price"),
            stock=form.raw(f"variants-{number}-stock"),
            seen=form.raw(f"variants-{number}-seen"),
        )
        for number in numbers
    ]
    return [row for row in rows if row.id or row.title.strip() or row.price.strip() or row.index == 0]


def product_rows(product: ProductRead) -> list[VariantRow]:
    """The rows of a stored product."""
    return [
        VariantRow(
            index=number,
            id=str(variant.id),
            title=variant.title,
            price=roubles_for_form(variant.price),
            stock=str(variant.stock),
            seen=str(variant.stock),
        )
        for number, variant in enumerate(product.variants)
    ]


def blank_row(rows: list[VariantRow]) -> VariantRow:
    """One more row, to be filled in."""
    return VariantRow(max((row.index for row in rows), default=-1) + 1)
