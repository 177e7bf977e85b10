"""`python -m bench`: measure, and print the figures. Nothing passes or fails by them."""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench import activation_rate, live, memory, starts
from bench.report import Figure, print_facts, print_figures
from bench.running import fresh_folder, running

CHOICES = ("live", "memory", "starts", "rate")


class Bench:
    """One run: how thorough, and where it says what it does."""

    def __init__(self, console: Console, *, quick: bool) -> None:
        self._console = console
        self._quick = quick

    def measure(self, chosen: Sequence[str]) -> list[Figure]:
        """The chosen figures, in a fixed order."""
        figures: list[Figure] = []
        if "live" in chosen or "memory" in chosen:
            figures += self._on_one_stack(chosen)
        if "starts" in chosen:
            self._heading("Starts")
            figures += starts.measure(1 if self._quick else 3, 1 if self._quick else 2, self._say)
        if "rate" in chosen:
            self._heading("Activations beside pgbench")
            rounds, seconds = (2, 2) if self._quick else (5, 4)
            figures += activation_rate.measure(rounds, seconds, self._say)
        return figures

    def _on_one_stack(self, chosen: Sequence[str]) -> list[Figure]:
        self._heading("A stack on an empty data directory")
        figures: list[Figure] = []
        with fresh_folder() as folder, running(folder) as stack:
            if "memory" in chosen:
                figures += memory.measure(stack.tree(), self._console)
            if "live" in chosen:
                count, burst = (5, 48) if self._quick else (30, 320)
                figures += live.measure(stack.url, count, burst, self._say)
        return figures

    def _heading(self, text: str) -> None:
        self._console.print(text, style="bold")

    def _say(self, text: str) -> None:
        self._console.print(f"  {text}", highlight=False)


def main() -> None:
    """Measure what the arguments choose."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "figures", nargs="*", metavar="figure", help=f"some of: {', '.join(CHOICES)}; else all"
    )
    parser.add_argument("--quick", action="store_true", help="few samples: to see that it works")
    arguments = parser.parse_args()
    unknown = set(arguments.figures) - set(CHOICES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    console, started = Console(), time.monotonic()
    print_facts(console, Path(tempfile.gettempdir()))
    figures = Bench(console, quick=arguments.quick).measure(arguments.figures or CHOICES)
    console.print()
    print_figures(console, figures)
    console.print(f"\nMeasured in {time.monotonic() - started:.0f} s.", highlight=False)


if __name__ == "__main__":
    main()
