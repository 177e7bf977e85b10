"""What every table of the shop has in common: whose rows they are, and how constraints are named."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tochka_sdk.clock import now
from tochka_sdk.db import new_metadata
from tochka_sdk.ids import uuid7


class Model(DeclarativeBase):
    """The base of the shop's tables."""

    metadata = new_metadata()


class Owned:
    """A row of one installation. The key leads with the tenant, so that tables can be spread by tenant."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-3)
    installation_id: Mapped[UUID] = mapped_column(sort_order=-2)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-1)


def moment() -> Mapped[datetime]:
    """A column with the time of a row's making."""
    return mapped_column(DateTime(timezone=True), default=now)
