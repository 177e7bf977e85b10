"""The real `tochka up`, started and stopped as a person would, in a data directory of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from tochka_stack.ports import free_ports
from tochka_stack.processes import Command, base_environment
from tochka_stack.testing import scratch_folder

TOCHKA = str(Path(sys.executable).with_name("tochka"))
PATIENCE_S = 120.0
POLL_S = 0.005


@dataclass(frozen=True)
class Running:
    """A stack that is ready; `ready_after` is the time from its start until it said so."""

    process: subprocess.Popen[bytes]
    port: int
    ready_after: float

    @property
    def url(self) -> str:
        """The gateway, by number: names need a resolver, and clients differ in theirs."""
        return f"http://127.0.0.1:{self.port}"

    def tree(self) -> list[psutil.Process]:
        """Every process of it: the supervisor, its parts, their children."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A place for a data directory, ours, which the engines' user can pass through."""
    with scratch_folder() as folder:
        os.chown(folder, os.geteuid(), os.getegid())
        folder.chmod(0o711)
        yield folder


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """`tochka up` with its data in `folder/data`, from ready to gone."""
    port = free_ports(1)[0]
    command = Command(
        argv=(TOCHKA, "up", "--data-dir", str(folder / "data"), "--port", str(port)),
        environment=base_environment(os.defpath),
        orphan_signal=signal.SIGTERM,
    )
    output = folder / "output"
    started = time.monotonic()
    with (
        output.open("wb") as file,
        subprocess.Popen(command.argv, stdout=file, stderr=file, **command.options()) as process,
    ):
        try:
            _wait(process, output)
            yield Running(process, port, time.monotonic() - started)
        finally:
            _stop(process)


def _wait(process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while b"Ready after" not in output.read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"tochka up did not become ready:\n{output.read_text()}")
        time.sleep(POLL_S)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the supervisor; should it not manage, end what it leaves."""
    if process.poll() is not None:
        return
    tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE_S)
    for survivor in tree:
        with suppress(psutil.NoSuchProcess):
            survivor.kill()
