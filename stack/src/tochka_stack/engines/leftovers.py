"""Processes that an earlier, killed run left behind in a data directory."""

import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil


def working_in(folder: Path, program: str) -> list[psutil.Process]:
    """The processes of `program` that work in `folder`: backends without their postmaster too."""
    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        cwd = process.info["cwd"]
        if process.info["name"] == program and cwd and Path(cwd) == folder.resolve():
            found.append(process)
    return found


def stop(processes: Iterable[psutil.Process], *, ask: signal.Signals, patience: float = 10.0) -> None:
    """Ask politely, then insist. Processes are named by pid and start time: a reused pid is not touched."""
    waiting = list(processes)
    for process in waiting:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(ask)
            process.resume()  # one that is suspended would never hear it
    _, stubborn = psutil.wait_procs(waiting, timeout=patience)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=patience)
