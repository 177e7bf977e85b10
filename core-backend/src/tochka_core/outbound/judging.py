"""What an answer says of the health of whoever gave it. Pure: no clock, no network."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tochka_core.outbound.schemas import Answer, Report

LONGEST_PAUSE_S = 24 * 3600.0


def report_of(name: str, ids: Sequence[str], answer: Answer, now: datetime) -> Report:
    """The report of one exchange.

    A failure is whatever kept a status from coming, and a 5xx. A 429 or 503 that says when to come again
    asks for a pause and counts as nothing, and so does a fault of ours. Anything else is a success, a 404 as
    well: somebody is there.
    """
    if answer.is_own_fault:
        return Report(name, tuple(ids))
    pause_s = retry_after_s(answer.retry_after, now) if answer.status in {429, 503} else 0.0
    if pause_s > 0:
        return Report(name, tuple(ids), pause_s=pause_s)
    if answer.status is None or answer.status >= 500:
        return Report(name, tuple(ids), failed=1)
    return Report(name, tuple(ids), succeeded=1)


def retry_after_s(header: str | None, now: datetime) -> float:
    """`Retry-After` in seconds, of a day at most: a number or an HTTP date; anything else is no wish."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_PAUSE_S)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_PAUSE_S)
