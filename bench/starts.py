"""How long `tochka up` takes, on an empty data directory and on one that it knows."""

from collections.abc import Callable

from bench.report import Figure, median, seconds
from bench.running import fresh_folder, running


def measure(folders: int, restarts: int, say: Callable[[str], None]) -> list[Figure]:
    """A first start in each of so many fresh folders, and then so many second ones."""
    first: list[float] = []
    second: list[float] = []
    for _ in range(folders):
        with fresh_folder() as folder:
            for times in (first, *[second] * restarts):
                with running(folder) as stack:
                    times.append(stack.ready_after)
        say(f"first start {seconds(first[-1])}, then {', '.join(map(seconds, second[-restarts:]))}")
    return [
        Figure("first start to ready, median", seconds(median(first)), "", _between(first)),
        Figure("second start to ready, median", seconds(median(second)), "8 s", _between(second)),
    ]


def _between(samples: list[float]) -> str:
    return f"{seconds(min(samples))} to {seconds(max(samples))} in {len(samples)} starts"
