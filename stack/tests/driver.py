"""Runs the real `tochka` command, as whoever runs the tests or as an ordinary user."""

import asyncio
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from tochka_stack.data_dir import DataDir
from tochka_stack.ports import free_ports

from stack.tests.ordinary import TOCHKA, become_ordinary, tochka_for_ordinary

PATIENCE = 600.0
SERVICES = ("core-web", "core-worker", "shop", "gateway")
PARTS = ("postgres", "redis", *SERVICES)


def environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """A plain environment: nothing of the shell's that could change what the stack does."""
    path = os.environ["PATH"]  # noqa: TID251  programs must be found; tests have no settings
    return {"PATH": path, "LC_ALL": "C.UTF-8", "COLUMNS": "200", **(settings or {})}


def tochka(
    *arguments: str, ordinary: Path | None = None, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [str(tochka_for_ordinary() if ordinary else TOCHKA), *arguments],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        preexec_fn=become_ordinary(ordinary) if ordinary else None,
    )


def refused(
    *arguments: str, ordinary: Path | None = None, settings: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a command that must refuse: its exit code and its one sentence."""
    done = tochka(*arguments, ordinary=ordinary, settings=settings)
    sentences = [line for line in done.stderr.splitlines() if line]
    assert len(sentences) == 1, f"one sentence expected:\n{done.stdout}\n{done.stderr}"
    assert sentences[0].endswith("."), sentences[0]
    return done.returncode, sentences[0]


def environment_of(pid: int) -> Mapping[str, str]:
    """What a running process was told."""
    raw = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in raw if "=" in entry)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


@dataclass
class Up:
    """A running `tochka up`."""

    process: subprocess.Popen[bytes]
    data_dir: DataDir
    port: int
    output: Path

    @property
    def text(self) -> str:
        """What it has printed."""
        return self.output.read_text()

    @property
    def ports(self) -> dict[str, int]:
        """The internal ports."""
        return {name: int(port) for name, port in self.data_dir.read("ports.json").items()}

    def pid(self, part: str) -> int:
        """The pid of a part."""
        return self.data_dir.recorded()[part].pid

    def tree(self) -> list[psutil.Process]:
        """Every process of it: itself, its parts, their children."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def status(self) -> dict[str, dict[str, Any]]:
        """What `tochka status` says, by part."""
        done = tochka("status", "--json", "--data-dir", str(self.data_dir.root))
        return {line["name"]: line for line in json.loads(done.stdout)}

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def starting(
    folder: Path,
    *,
    port: int | None = None,
    ordinary: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Up]:
    """`tochka up` in `folder`, from its first moment; whatever is left of it at the end is killed."""
    port = port or free_ports(1)[0]
    program = tochka_for_ordinary() if ordinary else TOCHKA
    data, output = folder / "все данные", folder / "output"  # a name that needs quoting somewhere
    with (
        output.open("wb") as file,
        subprocess.Popen(
            [str(program), "up", "--data-dir", str(data), "--port", str(port)],
            env=environment(settings),
            stdout=file,
            stderr=file,
            preexec_fn=become_ordinary(folder) if ordinary else None,  # noqa: PLW1509  tests run on one thread
        ) as process,
    ):
        up = Up(process, DataDir(data), port, output)
        try:
            yield up
        finally:
            if process.poll() is None:
                tree = up.tree()
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE)
                for survivor in tree:
                    with suppress(psutil.NoSuchProcess):
                        survivor.kill()


@contextmanager
def running(
    folder: Path,
    *,
    port: int | None = None,
    ordinary: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Up]:
    """`tochka up` in `folder`, when it is ready."""
    with starting(folder, port=port, ordinary=ordinary, settings=settings) as up:
        until(lambda: "Ready after" in up.text or up.process.poll() is not None, "ready")
        assert up.process.poll() is None, up.text
        yield up


def answers(up: Up, path: str, host: str = "localhost") -> int:
    """The status of a GET through the gateway."""
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=20)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status
    finally:
        connection.close()


def sql(dsn: str, *statements: str) -> object:
    """Run statements; the value of the last one."""

    async def run() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(run())
