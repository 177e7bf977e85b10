"""Whether the SDK's own tables are those that this SDK works with."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from tochka_sdk.tables import feed


class TablesOutdated(RuntimeError):
    """The tables were made by an older SDK. Nothing was changed."""


async def check_tables(session: AsyncSession) -> None:
    """Raise `TablesOutdated` when a migration of the module is missing."""
    if await session.scalar(select(func.to_regclass(feed.name).is_(None))):
        raise TablesOutdated(
            "the SDK's tables are older than the SDK: add a revision that calls"
            " `migrations.upgrade_sdk_tables()`, and run `migrate`"
        )
