"""The tables of the queue: deliveries, attempts, replays, and what each receiver has been counted up to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Computed,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tochka_core.base import Base

READY = "CASE WHEN due_at IS NOT NULL THEN greatest(due_at, blocked_until) END"
UNSETTLED = "status IN ('pending', 'accepted')"


class ReceiverPosition(Base):
    """How many deliveries a receiver has been given, over all tenants."""

    __tablename__ = "receiver_positions"

    receiver: Mapped[str] = mapped_column(Text, primary_key=True)
    last_position: Mapped[int] = mapped_column(BigInteger)


class ReceiverSequence(Base):
    """How many of one tenant's events a receiver has been given."""

    __tablename__ = "receiver_sequences"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    receiver: Mapped[str] = mapped_column(Text, primary_key=True)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    digested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    digested_sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")

    __table_args__ = (Index("ix_receiver_sequences_digested_at", "digested_at"),)


class DeliveryQueue(Base):
    """What one tenant has for one receiver. `due_at` is at most the least of its pending deliveries': a
    queue may be looked at too early, and never too late. None: it has none. Until `blocked_until` the
    receiver takes nothing: its gate is shut. `epoch` counts how often its owner wanted it to be asked anew.
    """

    __tablename__ = "delivery_queues"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    receiver: Mapped[str] = mapped_column(Text, primary_key=True)
    command: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    endpoint_id: Mapped[UUID | None]
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    blocked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    epoch: Mapped[int] = mapped_column(Integer, server_default="0")
    ready_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), Computed(READY))

    __table_args__ = (
        Index(
            "ix_delivery_queues_ready", "command", "ready_at", postgresql_where=text("ready_at IS NOT NULL")
        ),
    )


class Delivery(Base):
    """One event for one receiver. While somebody sends it, `due_at` is when the lease ends. `resource` is
    what its endpoint's order is kept by; until an earlier one of it is settled, `due_at` is infinite. Each
    month's lie in a partition; which one is told by `id`.
    """

    __tablename__ = "deliveries"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    receiver: Mapped[str] = mapped_column(Text)
    endpoint_id: Mapped[UUID | None]
    position: Mapped[int] = mapped_column(BigInteger)
    sequence: Mapped[int] = mapped_column(BigInteger)
    installation_id: Mapped[UUID | None]
    type: Mapped[str] = mapped_column(Text)
    command: Mapped[bool] = mapped_column(Boolean)
    status: Mapped[str] = mapped_column(Text, server_default="pending")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    deferrals: Mapped[int] = mapped_column(Integer, server_default="0")
    replays: Mapped[int] = mapped_column(Integer, server_default="0")
    resource: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    deadline_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "event_id"], ["events.tenant_id", "events.id"], name="fk_deliveries_event_id_events"
        ),
        Index(
            "ix_deliveries_due",
            *("tenant_id", "receiver", "command", "due_at"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_deliveries_deadline",
            "deadline_at",
            postgresql_where=text(f"{UNSETTLED} AND deadline_at IS NOT NULL"),
        ),
        Index("ix_deliveries_unsettled", "tenant_id", "installation_id", postgresql_where=text(UNSETTLED)),
        Index("ix_deliveries_event_id", "tenant_id", "event_id"),
        Index("ix_deliveries_sequence", "tenant_id", "receiver", "sequence"),
        Index("ix_deliveries_receiver", "receiver", "position"),
        Index(
            "ix_deliveries_resource",
            *("tenant_id", "receiver", "resource", "sequence"),
            postgresql_where=text("status = 'pending' AND resource IS NOT NULL"),
        ),
        Index("ix_deliveries_held", "tenant_id", "receiver", postgresql_where=text("status = 'held'")),
        Index(
            "ix_deliveries_endpoint_id",
            *("tenant_id", "endpoint_id", "id"),
            postgresql_where=text("endpoint_id IS NOT NULL"),
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )


class Attempt(Base):
    """One try to deliver, and what came back. It lies beside its delivery, in the same month."""

    __tablename__ = "attempts"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    duration_ms: Mapped[int] = mapped_column(Integer)
    response_status: Mapped[int | None] = mapped_column(SmallInteger)
    error: Mapped[str | None] = mapped_column(Text)
    response_body: Mapped[str | None] = mapped_column(Text)
    response_headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    timings: Mapped[dict[str, float] | None] = mapped_column(JSONB)
    address: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("ix_attempts_delivery_id", "tenant_id", "delivery_id", "number"),
        {"postgresql_partition_by": "RANGE (delivery_id)"},
    )


class Replay(Base):
    """A job that sends an endpoint's deliveries again, so many a second; `last_sequence` is how far it is,
    and `until_sequence` where it ends. None: with the history, or it is about one delivery.
    """

    __tablename__ = "replays"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    endpoint_id: Mapped[UUID]
    delivery_id: Mapped[UUID | None]
    since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    event_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    statuses: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rate_per_second: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(Text, server_default="running")
    total: Mapped[int] = mapped_column(BigInteger)
    done: Mapped[int] = mapped_column(BigInteger, server_default="0")
    last_sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    until_sequence: Mapped[int | None] = mapped_column(BigInteger)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "endpoint_id"],
            ["webhook_endpoints.tenant_id", "webhook_endpoints.id"],
            name="fk_replays_endpoint_id_webhook_endpoints",
            ondelete="CASCADE",
        ),
        Index("ix_replays_due", "due_at", postgresql_where=text("status = 'running'")),
        Index("ix_replays_endpoint_id", "tenant_id", "endpoint_id", "id"),
    )
