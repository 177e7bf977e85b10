"""How much of the machine other programs took while something was measured: what a figure is worth."""

import os
import time
from dataclasses import dataclass, field

import psutil


def _busy() -> float:
    """Seconds of work of all processors so far."""
    times: dict[str, float] = psutil.cpu_times()._asdict()
    return sum(times.get(kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq", "steal"))


def _ours() -> float:
    """Seconds of work of this process and of all that it started, ended ones included."""
    total = 0.0
    root = psutil.Process()
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


@dataclass
class Others:
    """A stopwatch for the work of others: from its making until `share`."""

    busy: float = field(default_factory=_busy)
    ours: float = field(default_factory=_ours)
    started: float = field(default_factory=time.monotonic)

    def share(self) -> float:
        """The part of all processors' time that went to others, between 0 and 1."""
        theirs = (_busy() - self.busy) - (_ours() - self.ours)
        available = (time.monotonic() - self.started) * (os.cpu_count() or 1)
        return min(1.0, max(0.0, theirs / available))
