"""The tables of modules, their manifests and their plans: the platform's, not a tenant's."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKey, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tochka_core.base import Base


class Module(Base):
    """One registered module; `version` names its current manifest."""

    __tablename__ = "modules"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    base_url: Mapped[str] = mapped_column(Text)
    public_key: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="published")
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))


class ModuleVersion(Base):
    """One manifest as it was fetched."""

    __tablename__ = "module_versions"

    module_id: Mapped[str] = mapped_column(Text, ForeignKey("modules.id"), primary_key=True)
    version: Mapped[str] = mapped_column(Text, primary_key=True)
    manifest: Mapped[dict[str, Any]] = mapped_column(JSONB)
    fetched_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))


class Plan(Base):
    """What a module is sold under; one that is no longer `offered` stays for those who have it."""

    __tablename__ = "plans"

    module_id: Mapped[str] = mapped_column(Text, ForeignKey("modules.id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[dict[str, Any]] = mapped_column(JSONB)
    trial_days: Mapped[int] = mapped_column(SmallInteger)
    entitlements: Mapped[dict[str, Any]] = mapped_column(JSONB)
    price_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    currency: Mapped[str] = mapped_column(Text, server_default="RUB")
    offered: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
