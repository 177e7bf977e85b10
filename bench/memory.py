"""Memory of the idle stack: the proportional share of every process of its tree."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench.report import MB, Figure

SETTLE_S = 3.0
NAMES = {
    "tochka_core.main web": "core web",
    "tochka_core.main worker": "core worker",
    "tochka_shop web": "shop",
    "tochka up": "tochka up",
}


def measure(processes: Sequence[psutil.Process], console: Console) -> list[Figure]:
    """One figure; the table per part goes to the console at once."""
    time.sleep(SETTLE_S)  # what is still being written or closed after the last request
    parts: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for process in processes:
        name = _part(process)
        parts[name] += share(process.pid)
        counts[name] += 1
    table = Table("process", "how many", "PSS", box=None, header_style="bold", pad_edge=False)
    for name, size in parts.most_common():
        table.add_row(name, str(counts[name]), f"{size / MB:.0f} MB")
    console.print(table)
    console.print()
    note = f"{counts.total()} processes, PSS"
    return [Figure("memory of the idle stack", f"{parts.total() / MB:.0f} MB", "< 600 MB", note)]


def share(pid: int) -> int:
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
