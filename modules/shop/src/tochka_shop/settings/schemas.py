"""Settings as pages read them and as the form writes them."""

from dataclasses import dataclass

ACCENTS = ("sea", "clay", "plum", "forest", "sky", "ink")


@dataclass(frozen=True, slots=True)
class SettingsRead:
    """Everything an owner says of the shop."""

    name: str
    tagline: str
    about: str
    accent: str
    locale: str
    utc_offset: int
    phone: str
    email: str
    hours: str
    legal_details: str
    pickup_enabled: bool
    pickup_address: str
    delivery_enabled: bool
    delivery_price: int
    delivery_note: str

    @property
    def can_be_reached(self) -> bool:
        """Whether a buyer finds any contact."""
        return bool(self.phone or self.email)

    @property
    def can_hand_over(self) -> bool:
        """Whether an order can reach its buyer; where to pick it up can be said by telephone."""
        return self.delivery_enabled or self.pickup_enabled

    @property
    def says_where(self) -> bool:
        """Whether a buyer reads how to get the order."""
        return self.delivery_enabled or bool(self.pickup_enabled and self.pickup_address)
