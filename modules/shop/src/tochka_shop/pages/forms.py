"""Reading what people typed: values come out clean, and what is wrong is said beside its field."""

from collections.abc import Collection
from uuid import UUID

from starlette.datastructures import FormData, UploadFile

from tochka_shop import wording
from tochka_shop.money import parse_roubles
from tochka_shop.phones import parse_phone

MAX_STOCK = 999_999


class Form:
    """A submitted form. `errors` maps a field to the key of the phrase that says what is wrong with it."""

    def __init__(self, data: FormData | None = None) -> None:
        """`data` is what was sent; a form that nobody sent yet is empty."""
        self._data = data if data is not None else FormData()
        self.errors: dict[str, str] = {}

    @property
    def was_sent(self) -> bool:
        """Whether this is what somebody typed, rather than an empty form."""
        return bool(self._data)

    @property
    def is_valid(self) -> bool:
        """Whether nothing was wrong so far."""
        return not self.errors

    def raw(self, name: str) -> str:
        """What was typed, to be shown again."""
        value = self._data.get(name, "")
        return value if isinstance(value, str) else ""

    def files(self, name: str) -> list[UploadFile]:
        """The files that were sent under a name."""
        return [value for value in self._data.getlist(name) if isinstance(value, UploadFile)]

    def names(self) -> list[str]:
        """The fields that were sent."""
        return list(self._data.keys())

    def refuse(self, name: str, phrase: str) -> None:
        """Say what is wrong with a field; the first word stands."""
        self.errors.setdefault(name, phrase)

    def line(self, name: str, *, limit: int = 120, required: bool = False) -> str:
        """A text of one line."""
        return self._bounded(name, wording.one_line(self.raw(name)), limit, required)

    def prose(self, name: str, *, limit: int = 10_000, required: bool = False) -> str:
        """A text of several lines."""
        return self._bounded(name, wording.paragraphs(self.raw(name)), limit, required)

    def _bounded(self, name: str, text: str, limit: int, required: bool) -> str:
        if required and not text:
            self.refuse(name, "form.required")
        if len(text) > limit:
            self.refuse(name, "form.too_long")
        return text

    def flag(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.raw(name))

    def choice(self, name: str, choices: Collection[str], default: str = "") -> str:
        """One of the choices."""
        value = self.raw(name) or default
        if value not in choices:
            self.refuse(name, "form.choose")
            return default
        return value

    def roubles(self, name: str, *, required: bool = False) -> int:
        """A sum of money, in kopecks."""
        text = self.raw(name).strip()
        if not text:
            if required:
                self.refuse(name, "form.required")
            return 0
        kopecks = parse_roubles(text)
        if kopecks is None:
            self.refuse(name, "form.not_a_price")
        return kopecks or 0

    def integer(self, name: str, *, least: int = 0, most: int = MAX_STOCK, default: int = 0) -> int:
        """A whole number within bounds."""
        text = self.raw(name).strip()
        if not text:
            return default
        if not text.isascii() or not text.isdecimal() or len(text) > 9 or not least <= int(text) <= most:
            self.refuse(name, "form.not_a_number")
            return default
        return int(text)

    def phone(self, name: str, *, required: bool = False) -> str:
        """A telephone number, in E.164."""
        text = self.raw(name).strip()
        if not text:
            if required:
                self.refuse(name, "form.required")
            return ""
        number = parse_phone(text)
        if number is None:
            self.refuse(name, "form.not_a_phone")
        return number or ""

    def uuid(self, name: str) -> UUID | None:
        """An identifier that one of our pages put there; None if it is missing or not one."""
        return parse_uuid(self.raw(name))


def parse_uuid(text: str) -> UUID | None:
    """An identifier, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def page_number(text: str | None) -> int:
    """The number of a page of a list; whatever is not one is the first."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 4:
        return 1
    return max(1, int(text))
