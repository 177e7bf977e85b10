"""Breakers as one process knows them: what Redis said of shut gates, and what it saw itself."""

import random
import time
from dataclasses import dataclass

from tochka_core.outbound.schemas import Closed, Grant, Report, Want

MOST_NAMES = 10_000
JITTER = 0.2


@dataclass(slots=True)
class _State:
    failures: int = 0
    shut_until: float = 0.0
    open_for: float = 0.0
    why: Closed = ""


class Breakers:
    """By name; times are those of `time.monotonic`, in seconds."""

    def __init__(self, failures: int, open_s: float, longest_s: float) -> None:
        self._most = failures
        self._open_s = open_s
        self._longest_s = longest_s
        self._states: dict[str, _State] = {}

    def shut(self, name: str) -> tuple[float, Closed]:
        """For how many seconds a gate is still shut, and why; 0 when it is not known to be."""
        state = self._states.get(name)
        left = 0.0 if state is None else state.shut_until - time.monotonic()
        return (left, state.why) if state is not None and left > 0 else (0.0, "")

    def remember(self, name: str, seconds: float, why: Closed) -> None:
        """Everybody's gate is shut for so long."""
        state = self._state(name)
        state.shut_until, state.why = time.monotonic() + seconds, why

    def follow(self, name: str, seconds: float) -> None:
        """Everybody's gate is shut for so long, or not at all: what was seen here alone counts no more."""
        state = self._states.get(name)
        if state is not None:
            state.shut_until = time.monotonic() + seconds if seconds > 0 else 0.0
            state.why = state.why or "open"

    def take(self, want: Want) -> Grant:
        """Without Redis: all that is wanted, or one try when the pause is over."""
        state = self._states.get(want.name)
        is_trying = state is not None and state.open_for > 0
        count = min(want.count, 1) if is_trying else want.count
        ids = tuple(f"own{number}" for number in range(count))
        return Grant(want.name, ids, 0.0 if count == want.count else 1.0, "probing" if is_trying else "")

    def tell(self, told: Report) -> None:
        """Count what became of requests."""
        if told.succeeded:
            self._states.pop(told.name, None)
        elif told.failed:
            self._fail(told)
        if told.pause_s > 0:
            self.remember(told.name, told.pause_s, "asked")

    def _fail(self, told: Report) -> None:
        state = self._state(told.name)
        if state.shut_until > time.monotonic():
            return
        state.failures += told.failed
        if state.failures >= self._most:
            longer = min(state.open_for * 2, self._longest_s)
            state.open_for = longer or self._open_s
            state.shut_until, state.why = time.monotonic() + state.open_for * self.spread(), "open"

    def spread(self) -> float:
        """A factor, so that not everybody comes back at once."""
        return random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  jitter is no secret

    def _state(self, name: str) -> _State:
        if len(self._states) >= MOST_NAMES and name not in self._states:
            now = time.monotonic()
            self._states = {known: state for known, state in self._states.items() if state.shut_until > now}
        return self._states.setdefault(name, _State())
