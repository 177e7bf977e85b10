"""Tables of people: users, their sessions, the challenges they answered."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Integer, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from tochka_core.base import Base

MOMENT = DateTime(timezone=True)


class User(Base):
    """A person, known by a phone."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("phone"),
        CheckConstraint(r"phone ~ '^\+[1-9][0-9]{6,14}$'", name="phone"),
        CheckConstraint("char_length(name) <= 120", name="name"),
        CheckConstraint("locale IN ('ru', 'en')", name="locale"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text, server_default="")
    locale: Mapped[str] = mapped_column(Text, server_default="ru")
    created_at: Mapped[datetime] = mapped_column(MOMENT, server_default=func.now())


class Session(Base):
    """One sign-in. `counter` is that of the refresh token that is good now; each use counts it up."""

    __tablename__ = "sessions"
    __table_args__ = (CheckConstraint("char_length(user_agent) <= 400", name="user_agent"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    counter: Mapped[int] = mapped_column(Integer, server_default="0")
    user_agent: Mapped[str] = mapped_column(Text, server_default="")
    ip: Mapped[IPv4Address | IPv6Address | None] = mapped_column(INET)
    created_at: Mapped[datetime] = mapped_column(MOMENT, server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(MOMENT, server_default=func.now())
    rotated_at: Mapped[datetime | None] = mapped_column(MOMENT)
    idle_expires_at: Mapped[datetime] = mapped_column(MOMENT)
    expires_at: Mapped[datetime] = mapped_column(MOMENT)
    revoked_at: Mapped[datetime | None] = mapped_column(MOMENT)


class ConfirmedChallenge(Base):
    """An answered challenge: its unique id makes this row the arbiter of who answered first."""

    __tablename__ = "confirmed_challenges"

    challenge_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    confirmed_at: Mapped[datetime] = mapped_column(MOMENT, server_default=func.now())
