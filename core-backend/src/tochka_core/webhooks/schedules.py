"""When to try again, and what an answer means. Pure: no clock, no database, no network."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

REQUESTED = "installation.requested"
REMOVED = "installation.removed"
JITTER = 0.2
LONGEST = timedelta(hours=24)

# seconds after the first, second… failed attempt
COMMAND_STEPS = (1, 1, 2, 3, 5, 8)
# Standard Webhooks' ten attempts over three days: at once, then after 5 s, 5 min, 30 min, 2 h… 24 h
NEWS_STEPS = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
REMOVED_STEPS = (*COMMAND_STEPS, *NEWS_STEPS[1:])
# how long a loop of the dispatcher rests after its first, second… failure in a row, in seconds
PAUSES_S = (0.2, 0.4, 0.8, 1.6, 3.2, 5.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a receiver: a status, or the kind of `error` that kept it from coming."""

    status: int | None
    body: bytes = b""
    retry_after: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery. `delay` is set for `pending` alone: when to try again."""

    status: Literal["delivered", "accepted", "refused", "expired", "pending"]
    delay: timedelta | None = None


def pause_after(failures: int) -> float:
    """How long a loop rests after so many failures in a row, which may go on for days."""
    return PAUSES_S[min(failures, len(PAUSES_S)) - 1]


def judge(type: str, attempts: int, answer: Answer, now: datetime) -> Verdict:
    """What `answer` to the attempt number `attempts` means for a delivery of this type."""
    match type, answer.status:
        case "installation.requested", 202:
            return Verdict("accepted")
        case _, int(status) if 200 <= status < 300:
            return Verdict("delivered")
        case (("installation.requested" | "installation.removed"), (409 | 422)):
            return Verdict("refused")
        case (("installation.requested" | "installation.removed"), _):
            pass
        case _, 410:
            return Verdict("refused")
    return _again(type, attempts, answer, now)


def _again(type: str, attempts: int, answer: Answer, now: datetime) -> Verdict:
    """The next attempt. Commands are never given up here: a deadline ends `requested`, nothing `removed`."""
    steps: tuple[int, ...]
    if type == REQUESTED:
        steps, longest = COMMAND_STEPS, timedelta(seconds=COMMAND_STEPS[-1])
    elif type == REMOVED:
        steps, longest = REMOVED_STEPS, LONGEST
    elif attempts <= len(NEWS_STEPS):
        steps, longest = NEWS_STEPS, LONGEST
    else:
        return Verdict("expired")
    planned = steps[min(attempts, len(steps)) - 1]
    spread = planned * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  jitter is no secret
    wished = min(_retry_after(answer.retry_after, now), longest)
    return Verdict("pending", max(timedelta(seconds=spread), wished))


def _retry_after(header: str | None, now: datetime) -> timedelta:
    """`Retry-After` as a span: seconds or an HTTP date; anything else is no wish."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), LONGEST.total_seconds()))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return timedelta()
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(timedelta(), moment - now)
