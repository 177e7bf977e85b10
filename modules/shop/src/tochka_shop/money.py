"""Sums of money: integer kopecks inside, roubles on the page and in forms."""

import re
from decimal import Decimal, InvalidOperation

from babel.numbers import format_decimal

MAX_PRICE = 1_000_000_000  # ten million roubles; keeps a line of 999 pieces far inside bigint

_CLUTTER = re.compile(r"[\s\u00a0\u202f₽]|(?:руб|rub|р)\.?", re.IGNORECASE)
_AMOUNT = re.compile(r"[0-9]{1,8}(?:[.,][0-9]{1,2})?")


def parse_roubles(text: str) -> int | None:
    """Read what a person typed («1 290,50 ₽») as kopecks; None if it is not a sum we can keep."""
    bare = _CLUTTER.sub("", text)
    if not _AMOUNT.fullmatch(bare):
        return None
    try:
        kopecks = int(Decimal(bare.replace(",", ".")) * 100)
    except InvalidOperation:
        return None
    return kopecks if kopecks <= MAX_PRICE else None


def format_roubles(kopecks: int, locale: str) -> str:
    """Write kopecks for a reader: «1 290 ₽», and «1 290,50 ₽» only when there are kopecks to show."""
    pattern = "#,##0.00" if kopecks % 100 else "#,##0"
    return f"{format_decimal(Decimal(kopecks) / 100, format=pattern, locale=locale)}\u00a0₽"


def roubles_for_form(kopecks: int) -> str:
    """Write kopecks as the value of an input, without grouping: «1290» or «1290.50»."""
    roubles, rest = divmod(kopecks, 100)
    return f"{roubles}.{rest:02d}" if rest else str(roubles)


def decimal_price(kopecks: int) -> str:
    """Write kopecks as machines want them in structured data: «1290.00»."""
    return f"{kopecks // 100}.{kopecks % 100:02d}"
