"""Tables of people: users, their sessions, the challenges they answered."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from tochka_core.base import Base

MOMENT = DateTime(timezone=True)
IMPORTED = (
    r"hash ~ '^\$2[aby]\$(0[4-9]|1[0-2])\$[./A-Za-z0-9]{53}$'"  # bcrypt hashes of the costs that are taken
)


class User(Base):
    """A person, known by a phone: without one since somebody else has proven to hold `released_phone`.

    `phone_since` is when the phone was given to the person; NULL: it is the first.
    """

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("phone"),
        CheckConstraint(r"phone ~ '^\+[1-9][0-9]{6,14}$'", name="phone"),
        CheckConstraint("char_length(name) <= 120", name="name"),
        CheckConstraint("locale IN ('ru', 'en')", name="locale"),
        Index(
            "ix_users_released_phone", "released_phone", postgresql_where=text("released_phone IS NOT NULL")
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone: Mapped[str | None] = mapped_column(Text)
    released_phone: Mapped[str | None] = mapped_column(Text)
    phone_since: Mapped[datetime | None] = mapped_column(MOMENT)
    name: Mapped[str] = mapped_column(Text, server_default="")
    locale: Mapped[str] = mapped_column(Text, server_default="ru")
    created_at: Mapped[datetime] = mapped_column(MOMENT, server_default=func.now())


class Session(Base):
    """One sign-in. `counter` is that of the refresh token that is good now; each use counts it up.

    `authenticated_at` and `method` tell when and how the person was last asked for more than a token; NULL:
    at the beginning. `tenant_id` is the tenant that its tokens are for, as long as the person is a member.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("char_length(user_agent) <= 400", name="user_agent"),
        CheckConstraint("method IN ('otp', 'pwd')", name="method"),
    )

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
    authenticated_at: Mapped[datetime | None] = mapped_column(MOMENT)
    method: Mapped[str] = mapped_column(Text, server_default="otp")
    tenant_id: Mapped[UUID | None]


class ConfirmedChallenge(Base):
    """An answered challenge: its unique id makes this row the arbiter of who answered first."""

    __tablename__ = "confirmed_challenges"

    challenge_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    confirmed_at: Mapped[datetime] = mapped_column(MOMENT, server_default=func.now())


class Password(Base):
    """The hash of somebody's password, for those who want one."""

    __tablename__ = "passwords"
    __table_args__ = (
        CheckConstraint(r"hash ~ '^\$(argon2id|2[aby])\$' AND octet_length(hash) <= 256", name="hash"),
        Index("ix_passwords_bcrypt", text("substr(hash, 5, 2)"), postgresql_where=text(IMPORTED)),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(MOMENT, server_default=func.now())


class MessengerAccount(Base):
    """The account of a messenger with which somebody has signed in; `chat` is the messenger's id of it."""

    __tablename__ = "messenger_accounts"
    __table_args__ = (
        CheckConstraint("kind IN ('max', 'telegram')", name="kind"),
        CheckConstraint("octet_length(chat) BETWEEN 1 AND 64", name="chat"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    chat: Mapped[str] = mapped_column(Text)
    linked_at: Mapped[datetime] = mapped_column(MOMENT, server_default=func.now())


class PhoneChange(Base):
    """Somebody's way to another phone, which is proven already; carried out when it is due, unless before.

    `notice_at` is when the old phone is to be told of it; NULL: it was.
    """

    __tablename__ = "phone_changes"
    __table_args__ = (
        CheckConstraint(r"phone ~ '^\+[1-9][0-9]{6,14}$'", name="phone"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closed"),
        CheckConstraint("outcome IN ('done', 'cancelled', 'replaced', 'refused')", name="outcome"),
        Index("uq_phone_changes_open", "user_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("ix_phone_changes_due_at", "due_at", postgresql_where=text("closed_at IS NULL")),
        Index("ix_phone_changes_notice_at", "notice_at", postgresql_where=text("notice_at IS NOT NULL")),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(Text)
    asked_in: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(MOMENT, server_default=func.now())
    due_at: Mapped[datetime] = mapped_column(MOMENT)
    notice_at: Mapped[datetime | None] = mapped_column(MOMENT)
    closed_at: Mapped[datetime | None] = mapped_column(MOMENT)
    outcome: Mapped[str | None] = mapped_column(Text)
