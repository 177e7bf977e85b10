"""The form of a product with its pictures: read, rendered and kept before the transaction of the request.

Reading waits for the owner's network, rendering for a processor: neither may hold a transaction.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from tochka_sdk.admin import signed_in_admin
from tochka_sdk.module import current_installation
from tochka_sdk.runtime import runtime_of

from tochka_shop.admin.api.frame import MAX_FIELDS, MAX_PART
from tochka_shop.admin.product_form import read_product
from tochka_shop.catalogue.public import MAX_PICTURES
from tochka_shop.catalogue.schemas import ProductDraft
from tochka_shop.owners import current_owner
from tochka_shop.pages.forms import Form
from tochka_shop.pictures.errors import PictureRefused
from tochka_shop.pictures.public import pictures_of
from tochka_shop.pictures.schemas import Rendered


@dataclass(frozen=True, slots=True)
class ProductSubmission:
    """What was sent. Without a draft the form says what is wrong, and no picture was kept."""

    form: Form
    draft: ProductDraft | None = None
    pictures: Mapping[UUID, Rendered] = field(default_factory=dict)


async def _submission(request: Request) -> AsyncIterator[ProductSubmission]:
    async with runtime_of(request).database.session(current_installation().scope) as session:
        await signed_in_admin(request, session)  # a transaction of its own: strangers' files are not read
    async with request.form(max_files=MAX_PICTURES, max_fields=MAX_FIELDS, max_part_size=MAX_PART) as data:
        form = Form(data)
        draft, rendered = read_product(form), await _render(request, form)
    if draft is None or not form.is_valid:
        yield ProductSubmission(form)
        return
    async with pictures_of(request.app).keeping(current_owner(), rendered) as kept:
        yield ProductSubmission(form, draft, kept)


SentProduct = Annotated[ProductSubmission, Depends(_submission, scope="function")]
"""The form of a product; stands before the session among the parameters, and outlives its commit."""


async def _render(request: Request, form: Form) -> list[Rendered]:
    """The uploaded pictures; if one is refused the form says why, and none is taken."""
    files = [file for file in form.files("pictures") if file.filename]
    try:
        return await pictures_of(request.app).render(files)
    except PictureRefused as refusal:
        form.refuse("pictures", f"error.{refusal.code}")
        return []
