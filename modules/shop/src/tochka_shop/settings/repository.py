"""Queries on settings."""

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects.postgresql import insert

from tochka_shop.owners import Repository
from tochka_shop.settings.models import ShopSettings


class SettingsRepository(Repository):
    """The one row of an installation."""

    def _mine(self) -> Select[ShopSettings]:
        return select(ShopSettings).where(
            ShopSettings.tenant_id == self._owner.tenant_id,
            ShopSettings.installation_id == self._owner.installation_id,
        )

    async def find(self) -> ShopSettings | None:
        """The settings of this shop."""
        return (await self._session.scalars(self._mine())).one_or_none()

    async def lock(self) -> ShopSettings | None:
        """The settings, held until the transaction ends."""
        return (await self._session.scalars(self._mine().with_for_update())).one_or_none()

    async def add(self, **columns: object) -> bool:
        """Make the row; False if it is there already."""
        statement = (
            insert(ShopSettings)
            .values(**self._own, **columns)
            .on_conflict_do_nothing()
            .returning(ShopSettings.id)
        )
        return (await self._session.execute(statement)).first() is not None

    async def forget(self) -> None:
        """Delete the row."""
        statement = delete(ShopSettings).where(
            ShopSettings.tenant_id == self._owner.tenant_id,
            ShopSettings.installation_id == self._owner.installation_id,
        )
        await self._session.execute(statement, execution_options={"synchronize_session": False})
