"""What a new shop gets, and what is left of one that is gone: nothing."""

from sqlalchemy.ext.asyncio import AsyncSession

from tochka_shop.catalogue import public as catalogue
from tochka_shop.locales.catalogs import DEFAULT_LANGUAGE, LANGUAGES, catalog
from tochka_shop.locales.formats import DEFAULT_OFFSET
from tochka_shop.orders import public as orders
from tochka_shop.owners import Owner
from tochka_shop.settings import public as settings
from tochka_shop.settings.schemas import ACCENTS, SettingsRead
from tochka_shop.wording import one_line


async def open_shop(session: AsyncSession, owner: Owner, *, name: str, locale: str) -> None:
    """Settings, a counter for orders, a first category. A shop that is open already stays as it is."""
    language = locale if locale in LANGUAGES else DEFAULT_LANGUAGE
    phrase = catalog(language).say
    initial = SettingsRead(
        name=one_line(name)[:60] or phrase("provisioning.name"),
        tagline="",
        about="",
        accent=ACCENTS[owner.installation_id.int % len(ACCENTS)],
        locale=language,
        utc_offset=DEFAULT_OFFSET,
        phone="",
        email="",
        hours="",
        legal_details="",
        pickup_enabled=True,
        pickup_address="",
        delivery_enabled=False,
        delivery_price=0,
        delivery_note="",
    )
    if await settings.create(session, owner, initial):
        await orders.start_numbering(session, owner)
        await catalogue.add_first_category(session, phrase("provisioning.category"), owner)


async def close_shop(session: AsyncSession, owner: Owner) -> None:
    """Delete every row of a shop that is gone; of one that never was, there is none."""
    await orders.forget(session, owner)
    await catalogue.forget(session, owner)
    await settings.forget(session, owner)
