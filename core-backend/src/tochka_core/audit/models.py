"""The tables of what was done, what of it waits for a seal, and the chain of seals."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tochka_core.base import Base


class AuditEntry(Base):
    """One deed. It refers to nothing: what it tells of may be gone, and the entry stays.

    Without a tenant it is a person's own matter, without a person too it is the platform's.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        CheckConstraint("octet_length(data::text) <= 4096", name="data"),
        Index("ix_audit_entries_tenant_id", "tenant_id", "id"),
        Index("ix_audit_entries_user_id", "user_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID | None]
    address: Mapped[IPv4Address | IPv6Address | None] = mapped_column(INET)
    request_id: Mapped[str | None] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class AuditWaiting(Base):
    """An entry that no seal holds yet. Written by a trigger with the entry, taken off by the sealer."""

    __tablename__ = "audit_waiting"

    id: Mapped[UUID] = mapped_column(primary_key=True)


class AuditSeal(Base):
    """One link of the platform's chain: see `audit.seals`."""

    __tablename__ = "audit_seals"
    __table_args__ = (UniqueConstraint("first_number"),)

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    first_number: Mapped[int] = mapped_column(BigInteger)
    entry_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    leaves: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    checkpoint: Mapped[str] = mapped_column(Text)
