"""The real `tochka up` on a data directory of its own: started, killed with -9, started again, stopped."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
from tochka_stack.data_dir import DataDir
from tochka_stack.engines.postgres import SUPERUSER
from tochka_stack.ports import free_ports

from tests.proof.options import ENVIRONMENT, LOGS
from tests.proof.waiting import wait

TOCHKA = str(Path(sys.executable).with_name("tochka"))
PATIENCE_S = 180.0
CORE, SHOP = "tochka", "tochka_shop"
OURS = ("core-web", "core-worker", "shop")
SERVICES = (*OURS, "gateway")
ENGINES = ("postgres", "redis")


@dataclass
class Stack:
    """Everything on one machine; `process` is the supervisor of the latest start."""

    folder: Path
    port: int
    settings: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    @property
    def data_dir(self) -> DataDir:
        """Where everything that must survive lies."""
        return DataDir(self.folder / "data")

    @property
    def url(self) -> str:
        """The gateway, by number: names need a resolver."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def text(self) -> str:
        """What the latest start has printed."""
        return (self.folder / f"output-{self.starts}").read_text()

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        self.starts += 1
        command = [TOCHKA, "up", "--data-dir", str(self.folder / "data"), "--port", str(self.port)]
        with (self.folder / f"output-{self.starts}").open("wb") as output:
            self.process = subprocess.Popen(
                command, env={**ENVIRONMENT, **self.settings}, stdout=output, stderr=output
            )
        wait(lambda: "Ready after" in self.text or self._has_ended(), "tochka up is ready", PATIENCE_S)
        assert not self._has_ended(), self.text

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def tree(self) -> list[psutil.Process]:
        """Every process of it: the supervisor, its parts, their children."""
        if self.process is None or self._has_ended():
            return []
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def kill(self) -> None:
        """Every process is killed with -9 at once: a power cut, as far as they can tell."""
        processes = self.tree()
        root = processes[0]
        root.suspend()  # nobody is told of anybody's death, nothing is started again
        for process in (*root.children(recursive=True), root):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert self.process is not None
        self.process.wait(PATIENCE_S)
        wait(lambda: not any(map(is_running, processes)), "every process is gone", PATIENCE_S)

    def part(self, name: str) -> psutil.Process | None:
        """The process of a part, if it runs just now."""
        record = self.data_dir.recorded().get(name)
        return record.find() if record else None

    def backends(self) -> list[psutil.Process]:
        """The server processes of PostgreSQL that serve our programs' connections."""
        postmaster = self.part("postgres")
        if postmaster is None:
            return []
        with suppress(psutil.NoSuchProcess):
            return [child for child in postmaster.children() if _serves_us(child)]
        return []

    def dsn(self, database: str) -> str:
        """The administrator's connection string into a database."""
        password = quote(self.data_dir.secrets[f"postgres-{SUPERUSER}"], safe="")
        port = self.data_dir.read("ports.json")["postgres"]
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/{database}"

    def log(self, part: str) -> list[dict[str, Any]]:
        """What a part has written, line by line."""
        lines = (self.data_dir.logs / f"{part}.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def errors(self, part: str) -> list[str]:
        """What a part has written that is worse than a warning, shortened to where it comes from."""
        bad = [line for line in self.log(part) if line["level"] in {"error", "critical"}]
        return [f"{part}: {line['event']} … {line.get('exception', '')[-800:]}" for line in bad]

    def _has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None


@contextmanager
def running(settings: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A fresh stack that is ready; stopped at the end, and whatever did not stop is killed and told."""
    folder = Path(tempfile.mkdtemp(prefix="tochka-proof-"))
    folder.chmod(0o711)  # the engines may run as another user, who passes through
    stack = Stack(folder, free_ports(1)[0], settings or {})
    try:
        stack.start()
        yield stack
        tree = stack.tree()
        status = stack.stop()
        left = [process for process in tree if is_running(process)]
        assert (status, left) == (0, []), stack.text
    finally:
        _clear(stack)
        if LOGS is not None:
            shutil.copytree(stack.data_dir.logs, LOGS / folder.name, dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def is_running(process: psutil.Process) -> bool:
    """Whether a process still does anything: one that only waits to be buried does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _serves_us(process: psutil.Process) -> bool:
    try:
        title = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
    return any(f"postgres: {role} " in title for role in ("tochka_app", "tochka_jobs", "shop_app"))


def _clear(stack: Stack) -> None:
    """Leave no process behind, whatever went wrong."""
    if stack.tree():
        stack.kill()
    elif stack.process is not None:
        stack.process.wait(PATIENCE_S)
    for record in stack.data_dir.recorded().values():  # a supervisor that died alone leaves its parts
        if (process := record.find()) is not None:
            with suppress(psutil.NoSuchProcess):
                process.kill()
