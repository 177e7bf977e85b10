"""Rules for settings: there is one row per shop, made at provisioning."""

from dataclasses import asdict, fields

from sqlalchemy.ext.asyncio import AsyncSession

from tochka_shop.owners import Owner
from tochka_shop.settings.errors import ShopNotProvisioned
from tochka_shop.settings.models import ShopSettings
from tochka_shop.settings.repository import SettingsRepository
from tochka_shop.settings.schemas import SettingsRead


async def get(session: AsyncSession) -> SettingsRead:
    """The settings of the shop being served."""
    return _read(await SettingsRepository(session).find())


async def create(session: AsyncSession, owner: Owner, initial: SettingsRead) -> bool:
    """Make the settings of a new shop; False if it has them already."""
    return await SettingsRepository(session, owner).add(**asdict(initial))


async def change(session: AsyncSession, wanted: SettingsRead) -> None:
    """Save the settings form."""
    row = await SettingsRepository(session).lock()
    if row is None:
        raise ShopNotProvisioned
    for name, value in asdict(wanted).items():
        setattr(row, name, value)
    await session.flush()


async def take_turn(session: AsyncSession) -> None:
    """Wait until nobody else counts and changes the shelves of this shop, until the transaction ends."""
    if await SettingsRepository(session).lock() is None:
        raise ShopNotProvisioned


def _read(row: ShopSettings | None) -> SettingsRead:
    if row is None:
        raise ShopNotProvisioned
    return SettingsRead(**{field.name: getattr(row, field.name) for field in fields(SettingsRead)})


async def forget(session: AsyncSession, owner: Owner) -> None:
    """Delete the settings of an installation that is gone."""
    await SettingsRepository(session, owner).forget()
