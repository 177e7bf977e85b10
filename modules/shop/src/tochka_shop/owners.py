"""Whose shop is being served: the tenant and the installation that every row, file and query names."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from tochka_sdk.installations import current_installation


@dataclass(frozen=True, slots=True)
class Owner:
    """One installation of one tenant."""

    tenant_id: UUID
    installation_id: UUID


def current_owner() -> Owner:
    """The owner of the address being served."""
    here = current_installation()
    return Owner(here.tenant_id, here.id)


class Repository:
    """The base of repositories. Row-level security walls rows off; the queries name the owner all the same,
    because only then do they use the indexes, which lead with it.
    """

    def __init__(self, session: AsyncSession, owner: Owner | None = None) -> None:
        self._session = session
        self._owner = owner or current_owner()

    @property
    def _own(self) -> dict[str, UUID]:
        """The columns that every new row carries."""
        return {"tenant_id": self._owner.tenant_id, "installation_id": self._owner.installation_id}
