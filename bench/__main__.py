"""`python -m bench`: measure, and print the figures. Nothing passes or fails by them."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from bench import (
    activation_rate,
    backlog,
    dead_peer,
    deliveries,
    growth,
    latency,
    live,
    memory,
    sealing,
    signins,
    starts,
)
from bench.report import Figure, print_facts, print_figures
from bench.running import fresh_folder, running

CHOICES = (
    *("live", "memory", "starts", "rate", "signins", "seals"),
    *("deliveries", "latency", "backlog", "growth", "peer"),
)
WIDTH = 120  # of a report that goes to a file


class Bench:
    """One run: how thorough, and where it says what it does."""

    def __init__(self, console: Console, *, quick: bool) -> None:
        self._console = console
        self._quick = quick

    def measure(self, chosen: Sequence[str]) -> Iterator[Figure]:
        """The chosen figures, in a fixed order."""
        if "live" in chosen or "memory" in chosen:
            yield from self._on_one_stack(chosen)
        if "starts" in chosen:
            self._heading("Starts")
            folders, restarts = (1, 1) if self._quick else (3, 2)
            yield from starts.measure(folders, restarts, self._say)
        if "rate" in chosen:
            self._heading("Activations beside pgbench")
            rounds, seconds = (2, 2) if self._quick else (8, 3)
            yield from activation_rate.measure(rounds, seconds, self._say)
        if "seals" in chosen:
            self._heading("The audit trail")
            rounds, seconds, entries = (1, 2, 5_000) if self._quick else (5, 3, 50_000)
            yield from sealing.measure(rounds, seconds, entries, self._say)
        if "signins" in chosen:
            self._heading("Sign-ins and requests beside better-auth")
            rounds, seconds = (1, 1) if self._quick else (5, 3)
            yield from signins.measure(rounds, seconds, self._say)
        if "deliveries" in chosen:
            self._heading("Webhooks")
            rounds, share = (1, 0.1) if self._quick else (5, 1.0)
            yield from deliveries.measure(rounds, share, self._say)
        if "latency" in chosen:
            self._heading("From commit to arrival")
            yield from latency.measure(3 if self._quick else 30, self._say)
        if "backlog" in chosen:
            self._heading("A tenant with a million deliveries")
            waiting, seconds = ((0, 50_000), 3) if self._quick else ((0, 50_000, 1_000_000), 30)
            yield from backlog.measure(waiting, seconds, self._say)
        if "peer" in chosen:
            self._heading("A dead peer")
            yield from dead_peer.measure(100 if self._quick else 2000, self._say)
        if "growth" in chosen:
            self._heading("A growing table")
            sizes = (10**4, 10**5) if self._quick else (10**4, 10**5, 10**6, 10**7)
            yield from growth.measure(sizes, self._say)

    def _on_one_stack(self, chosen: Sequence[str]) -> Iterator[Figure]:
        self._heading("A stack on an empty data directory")
        with fresh_folder() as folder, running(folder) as stack:
            if "memory" in chosen:
                usage = memory.measure(stack.tree())
                self._console.print(usage.table())
                yield Figure("memory of the idle stack, just started", str(usage), "< 600 MB", usage.note)
            if "live" in chosen:
                count, burst = (5, 48) if self._quick else (30, 320)
                yield from live.measure(stack.url, count, burst, self._say)
                usage = memory.measure(stack.tree())
                yield Figure("memory of the idle stack, after these", str(usage), "< 600 MB", usage.note)

    def _heading(self, text: str) -> None:
        self._console.print(f"\n{text}", style="bold")

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False)


def main() -> None:
    """Measure what the arguments choose, and print it; what was measured before a failure, too."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    choices = f"some of: {', '.join(CHOICES)}; all of them if none is named"
    parser.add_argument("figures", nargs="*", metavar="figure", help=choices)
    parser.add_argument("--quick", action="store_true", help="few samples: to see that it works")
    arguments = parser.parse_args()
    unknown = set(arguments.figures) - set(CHOICES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leave by every `finally`: nothing stays behind
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    started = time.monotonic()
    print_facts(console, Path(tempfile.gettempdir()))
    figures: list[Figure] = []
    try:
        for figure in Bench(console, quick=arguments.quick).measure(arguments.figures or CHOICES):
            figures.append(figure)  # one by one: a failure must not lose those before it
    finally:
        console.print()
        print_figures(console, figures)
        console.print(f"\nMeasured in {time.monotonic() - started:.0f} s.", highlight=False)


if __name__ == "__main__":
    main()
