"""The table of installations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tochka_core.base import Base


class Installation(Base):
    """One tenant's copy of one module. `step` says how far a provisioning one has come."""

    __tablename__ = "installations"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    module_id: Mapped[str] = mapped_column(Text, ForeignKey("modules.id"))
    subscription_id: Mapped[UUID]
    host: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    step: Mapped[str] = mapped_column(Text, server_default="requested")
    requested_by: Mapped[UUID]
    failure_code: Mapped[str | None] = mapped_column(Text)
    failure_detail: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    deadline_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    live_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "subscription_id"],
            ["subscriptions.tenant_id", "subscriptions.id"],
            name="fk_installations_subscription_id_subscriptions",
        ),
        Index("ix_installations_module_id", "module_id", "id"),
        Index("ix_installations_subscription_id", "tenant_id", "subscription_id"),
    )
