"""Dates as a reader expects them, in the shop's own hour."""

from datetime import datetime, timedelta, timezone

from babel.dates import format_date, format_datetime

DEFAULT_OFFSET = 180  # Moscow; Russia has no summer time, so an offset says all there is to say
OFFSETS = tuple(range(120, 721, 60))


def date_and_time(moment: datetime, language: str, offset_minutes: int) -> str:
    """«27 ноября, 14:05», with the year when it is not obvious."""
    local = moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
    pattern = "d MMMM, HH:mm" if language == "ru" else "d MMM, HH:mm"
    if local.year != datetime.now(local.tzinfo).year:
        pattern = pattern.replace(",", " y,")
    return format_datetime(local, pattern, locale=language)


def day(moment: datetime, language: str, offset_minutes: int) -> str:
    """«27 ноября 2026 г.»."""
    local = moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
    return format_date(local.date(), "long", locale=language)
