"""When to try again, and what an answer means. Pure: no clock, no database, no network."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tochka_core.outbound.public import Answer, retry_after_s

REQUESTED = "installation.requested"
REMOVED = "installation.removed"
JITTER = 0.2
LONGEST = timedelta(hours=24)

# seconds after the first, second… failed attempt
COMMAND_STEPS = (1, 1, 2, 3, 5, 8)
# Standard Webhooks' ten attempts over three days: at once, then after 5 s, 5 min, 30 min, 2 h… 24 h
NEWS_STEPS = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
FEW = 4  # steps, so five attempts within three hours, where waiting promises little
PASSING = frozenset({408, 425, 429})
REMOVED_STEPS = (*COMMAND_STEPS, *NEWS_STEPS[1:])
# how long a loop of the dispatcher rests after its first, second… failure in a row, in seconds
PAUSES_S = (0.2, 0.4, 0.8, 1.6, 3.2, 5.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery. `delay` is set for `pending` alone: when to try again."""

    status: Literal["delivered", "accepted", "refused", "expired", "pending"]
    delay: timedelta | None = None


def pause_after(failures: int) -> float:
    """How long a loop rests after so many failures in a row, which may go on for days."""
    return PAUSES_S[min(failures, len(PAUSES_S)) - 1]


def judge(command: str | None, attempts: int, answer: Answer, now: datetime) -> Verdict:
    """What `answer` to the attempt number `attempts` means: for a command of this type, or for news."""
    if answer.error == "misshapen":
        return Verdict("refused")
    match command, answer.status:
        case "installation.requested", 202:
            return Verdict("accepted")
        case _, int(status) if 200 <= status < 300:
            return Verdict("delivered")
        case str(), (409 | 422):
            return Verdict("refused")
        case None, 410:
            return Verdict("refused")
    return _again(command, attempts, answer, now)


def _again(command: str | None, attempts: int, answer: Answer, now: datetime) -> Verdict:
    """The next attempt. Commands are never given up here: a deadline ends `requested`, nothing `removed`."""
    steps: tuple[int, ...]
    if command == REQUESTED:
        steps, longest = COMMAND_STEPS, timedelta(seconds=COMMAND_STEPS[-1])
    elif command == REMOVED:
        steps, longest = REMOVED_STEPS, LONGEST
    else:
        steps, longest = NEWS_STEPS if _may_pass(answer.status) else NEWS_STEPS[:FEW], LONGEST
        if attempts > len(steps):
            return Verdict("expired")
    planned = steps[min(attempts, len(steps)) - 1]
    spread = planned * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  jitter is no secret
    wished = min(timedelta(seconds=retry_after_s(answer.retry_after, now)), longest)
    return Verdict("pending", max(timedelta(seconds=spread), wished))


def _may_pass(status: int | None) -> bool:
    """Whether waiting may help: nobody answered, or somebody who is overloaded or broken. Any other 4xx is
    said of the request, and a redirect has to be mended by the receiver's owner.
    """
    return status is None or status >= 500 or status in PASSING
