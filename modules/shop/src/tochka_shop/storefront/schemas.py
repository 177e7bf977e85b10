"""What every page of the storefront has around it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from tochka_shop.catalogue.schemas import CategoryRead
from tochka_shop.settings.schemas import SettingsRead


@dataclass(frozen=True, slots=True)
class Shell:
    """The shop around a page: its settings, its shelves, the cart's count, the reader's language."""

    shop: SettingsRead
    categories: tuple[CategoryRead, ...]
    pieces: int
    language: str
    origin: str
    takes_orders: bool
    other_language_url: str

    def address(self, path: str, language: str = "", **query: object) -> str:
        """The public address of a page; the shop's own language needs no mention."""
        spoken = language or self.language
        if spoken != self.shop.locale:
            query["lang"] = spoken
        return f"{self.origin}{path}{'?' if query else ''}{urlencode(query)}"
