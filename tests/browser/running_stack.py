"""The real product, started by the real command and stopped again whatever happens."""

import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from tochka_stack.data_dir import DataDir
from tochka_stack.engines.postgres import SUPERUSER
from tochka_stack.ports import free_ports

from tests.browser.options import ENVIRONMENT, ROOT

START = 240.0
STOP = 60.0


@dataclass(frozen=True)
class RunningStack:
    """A stack that answers."""

    url: str
    data_dir: Path | None = None

    @property
    def port_suffix(self) -> str:
        """`:8080`, as it stands in addresses of storefronts."""
        port = urlsplit(self.url).port
        return f":{port}" if port else ""

    def storefront(self, label: str) -> str:
        """The address of a shop."""
        return f"http://{label}.localhost{self.port_suffix}"

    def dsn(self, database: str) -> str:
        """The administrator's connection string into a database of a stack that was started here."""
        assert self.data_dir is not None, "the databases of a stack that runs elsewhere are out of reach"
        data = DataDir(self.data_dir)
        password = quote(data.secrets[f"postgres-{SUPERUSER}"], safe="")
        port = data.read("ports.json")["postgres"]
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/{database}"


@contextmanager
def running_stack() -> Iterator[RunningStack]:
    """`tochka up` on a free port with an empty data directory."""
    scratch = Path(tempfile.mkdtemp(prefix="tochka-browser-"))
    scratch.chmod(0o755)  # the engines may run as another user
    (port,) = free_ports(1)
    data_dir = scratch / "data"
    command = [
        str(Path(sys.executable).with_name("tochka")),
        "up",
        "--port",
        str(port),
        "--data-dir",
        str(data_dir),
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={name: value for name, value in ENVIRONMENT.items() if not name.startswith("TOCHKA_")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = Output(process)
    try:
        output.wait_for("Ready after")
        yield RunningStack(f"http://localhost:{port}", data_dir)
    finally:
        process.terminate()
        try:
            status = process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        output.close()
        shutil.rmtree(scratch, ignore_errors=True)
    assert status == 0, f"tochka up ended with {status}:\n{output.text}"


class Output:
    """What a process says, read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._stream = process.stdout
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._heard: list[str] = []
        self._reader = threading.Thread(target=self._read, name="stack-output")
        self._reader.start()

    def _read(self) -> None:
        assert self._stream is not None
        for line in self._stream:
            self._heard.append(line)
            self._lines.put(line)
        self._lines.put(None)

    @property
    def text(self) -> str:
        """Everything so far."""
        return "".join(self._heard)

    def wait_for(self, words: str) -> None:
        """Until a line says so; the end of the process comes as a failure."""
        while True:
            try:
                line = self._lines.get(timeout=START)
            except queue.Empty:
                raise AssertionError(f"tochka up says nothing more:\n{self.text}") from None
            assert line is not None, f"tochka up has ended:\n{self.text}"
            if words in line:
                return

    def close(self) -> None:
        """Release the pipe of a process that is gone."""
        self._reader.join(STOP)
        if self._stream is not None:
            self._stream.close()
