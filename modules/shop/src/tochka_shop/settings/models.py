"""The one row of settings that every installation has."""

from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tochka_shop.tables import Model, Owned, moment


class ShopSettings(Owned, Model):
    """Made when the shop is provisioned; edited in the admin."""

    __tablename__ = "shop_settings"

    name: Mapped[str]
    tagline: Mapped[str] = mapped_column(default="")
    about: Mapped[str] = mapped_column(default="")
    accent: Mapped[str]
    locale: Mapped[str]
    utc_offset: Mapped[int]
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    hours: Mapped[str] = mapped_column(default="")
    legal_details: Mapped[str] = mapped_column(default="")
    pickup_enabled: Mapped[bool] = mapped_column(default=True)
    pickup_address: Mapped[str] = mapped_column(default="")
    delivery_enabled: Mapped[bool] = mapped_column(default=False)
    delivery_price: Mapped[int] = mapped_column(default=0)
    delivery_note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = moment()

    __table_args__ = (
        UniqueConstraint("tenant_id", "installation_id"),
        CheckConstraint("locale IN ('ru', 'en')", name="locale"),
        CheckConstraint("delivery_price >= 0", name="delivery_price"),
    )
