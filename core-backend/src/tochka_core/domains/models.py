"""The tables of addresses and of those in quarantine."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tochka_core.base import Base


class Domain(Base):
    """One host of one installation, from its reservation on; the row goes when the host is free again."""

    __tablename__ = "domains"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(Text)
    installation_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text, server_default="subdomain")
    status: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    live_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("host"),
        ForeignKeyConstraint(
            ["tenant_id", "installation_id"],
            ["installations.tenant_id", "installations.id"],
            name="fk_domains_installation_id_installations",
        ),
        Index("ix_domains_installation_id", "tenant_id", "installation_id"),
    )


class QuarantinedHost(Base):
    """A host that was once live: free for its last tenant at once, for others from `free_at` on."""

    __tablename__ = "quarantined_hosts"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(Text, primary_key=True)
    released_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    free_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index("ix_quarantined_hosts_host", "host", "free_at"),)
