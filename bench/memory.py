"""Memory of the idle stack: the proportional share of every process of its tree."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.table import Table

from bench.report import MB

SETTLE_S = 3.0
NAMES = {
    "tochka_core.main web": "core web",
    "tochka_core.main worker": "core worker",
    "tochka_shop web": "shop",
    "tochka up": "tochka up",
}


@dataclass(frozen=True)
class Usage:
    """Bytes by part, and how many processes each part has."""

    sizes: Counter[str]
    counts: Counter[str]

    def __str__(self) -> str:
        """All of it."""
        return f"{self.sizes.total() / MB:.0f} MB"

    @property
    def note(self) -> str:
        """What was added up."""
        return f"PSS of {self.counts.total()} processes"

    def table(self) -> Table:
        """Part by part, the largest first."""
        table = Table("part", "processes", "PSS", box=None, header_style="bold", pad_edge=False)
        for part, size in self.sizes.most_common():
            table.add_row(part, str(self.counts[part]), f"{size / MB:.0f} MB")
        return table


def measure(processes: Sequence[psutil.Process]) -> Usage:
    """What the processes hold once they have come to rest."""
    time.sleep(SETTLE_S)
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for process in processes:
        part = _part(process)
        sizes[part] += _share(process.pid)
        counts[part] += 1
    return Usage(sizes, counts)


def _share(pid: int) -> int:
    """Bytes of a process's memory; what several processes share is divided among them. 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _part(process: psutil.Process) -> str:
    """What a process is to us: its part for our own, its program for others."""
    try:
        command = " ".join(process.cmdline())
        return next((name for sign, name in NAMES.items() if sign in command), process.name())
    except psutil.NoSuchProcess:
        return "gone"
