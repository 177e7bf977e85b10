"""The one clock: aware datetimes in UTC."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment as an aware datetime in UTC, with microseconds."""
    return datetime.now(UTC)
