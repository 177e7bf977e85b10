"""The table of events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tochka_core.base import Base


class Event(Base):
    """One fact, once; `fanned_out_at` is when its deliveries were made."""

    __tablename__ = "events"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    installation_id: Mapped[UUID | None]
    module_id: Mapped[str | None] = mapped_column(Text)
    endpoint_id: Mapped[UUID | None]
    schema_version: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    deadline_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    fanned_out_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("ix_events_id", "id", postgresql_using="brin"),
        Index("ix_events_waiting", "id", postgresql_where=text("fanned_out_at IS NULL")),
        Index("ix_events_waiting_tenant", "tenant_id", "id", postgresql_where=text("fanned_out_at IS NULL")),
    )
