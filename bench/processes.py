"""The programs that are measured: started, given a processor of their own, and ended."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
PATIENCE_S = 60.0


@contextmanager
def running(
    arguments: list[str], environment: dict[str, str], **streams: int
) -> Iterator[subprocess.Popen[bytes]]:
    """A program, from its start to its end."""
    told = {"PATH": os.defpath, **environment}
    with subprocess.Popen(arguments, cwd=ROOT, env=told, **streams) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def until_open(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until it listens. Raises RuntimeError if it does not."""
    deadline = time.monotonic() + PATIENCE_S
    while all(connection.laddr.port != port for connection in psutil.Process(process.pid).net_connections()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the core did not start")
        time.sleep(0.05)


def work(process: psutil.Process) -> float:
    """The seconds of a processor that it and what it started have used so far."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        total += times.user + times.system
    return total


def pin(process: subprocess.Popen[bytes]) -> None:
    """Leave the first processor to this process and what it started, where there are several."""
    count = os.cpu_count() or 1
    if count > 1 and hasattr(os, "sched_setaffinity"):
        root = psutil.Process(process.pid)
        for one in (root, *root.children(recursive=True)):
            one.cpu_affinity([0])


@contextmanager
def aside() -> Iterator[None]:
    """Keep this process, and what it starts from here on, off the first processor."""
    if not hasattr(os, "sched_getaffinity") or len(before := os.sched_getaffinity(0)) == 1:
        yield
        return
    os.sched_setaffinity(0, before - {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
