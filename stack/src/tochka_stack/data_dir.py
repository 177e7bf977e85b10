"""The data directory: its lock, its ports, its record of what runs, and whether it can be used at all."""

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from tochka_stack.ports import free_ports, is_free
from tochka_stack.refusals import NoSpace, NotPermitted, Occupied
from tochka_stack.secret_files import KINDS, SecretFiles

STARTED_WITH = "started-with.json"
PORTS = ("postgres", "redis", "core", "core_private", "core_worker", "shop")


@dataclass(frozen=True)
class RunningProcess:
    """A process as it was recorded; `started` tells it from a later one with the same pid."""

    pid: int
    started: float
    program: str

    @classmethod
    def of(cls, pid: int) -> "RunningProcess":
        """The record of a process that runs now."""
        process = psutil.Process(pid)
        return cls(pid, process.create_time(), process.cmdline()[0] if process.cmdline() else "")

    def find(self) -> psutil.Process | None:
        """The process, if it still is the same one."""
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
            return process if same else None
        return None


@dataclass(frozen=True)
class DataDir:
    """Where everything that must survive lies."""

    root: Path

    @property
    def logs(self) -> Path:
        """The children's logs."""
        return self.root / "logs"

    @property
    def uploads(self) -> Path:
        """Pictures of the shop."""
        return self.root / "uploads"

    @property
    def gateway(self) -> Path:
        """Caddy's own files."""
        return self.root / "gateway"

    @property
    def secrets(self) -> SecretFiles:
        """The secrets."""
        return SecretFiles(self.root / "secrets")

    def open(self) -> None:
        """Make it if it is missing; refuse one that cannot be used. The engines' user may pass through it."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = self.root.stat()
            if os.geteuid() == 0 and status.st_uid != 0:
                raise NotPermitted(
                    f"The data directory {self.root} belongs to another user (uid {status.st_uid}): "
                    "start as that user, or choose another --data-dir."
                )
            self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.logs, self.uploads, self.gateway):
                folder.mkdir(mode=0o700, exist_ok=True)
            probe = self.root / ".writable"
            probe.touch()
            probe.unlink()
        except FileExistsError as error:
            raise NotPermitted(f"{error.filename} is a file where a directory is needed.") from error
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise NotPermitted(
                f"The data directory {self.root} cannot be written: {error.strerror}. "
                "Start as its owner, or choose another --data-dir."
            ) from error

    def ensure_secrets(self) -> list[Path]:
        """Make the secrets that are new here; which of them others could read until now."""
        too_open = self.secrets.ensure_all(self.read("secrets.json").get("made", ()))
        self.write("secrets.json", {"made": sorted(KINDS)})
        return too_open

    def check_space(self, needed_mb: int, folder: Path | None = None) -> None:
        """Refuse to start on a disk that is nearly full: a database that cannot write stops in the middle."""
        folder = folder or self.root
        free_mb = shutil.disk_usage(folder).free // 2**20
        if free_mb < needed_mb:
            raise NoSpace(
                f"There are {free_mb} MB free on the disk of {folder}, and {needed_mb} MB are needed: "
                "make room, or choose another --data-dir."
            )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the directory for this process; the kernel lets go of it whatever the process dies of."""
        with (self.root / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise Occupied(
                    f"The stack already runs in {self.root} (pid {file.read().strip() or 'unknown'}): "
                    "stop it first, or choose another --data-dir."
                ) from None
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield

    def is_locked(self) -> bool:
        """Whether a supervisor runs here."""
        try:
            with (self.root / "lock").open("r") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    def ports(self) -> dict[str, int]:
        """The internal ports: chosen once, kept, chosen anew where somebody else has taken one."""
        kept = {name: int(port) for name, port in self.read("ports.json").items() if is_free(int(port))}
        missing = [name for name in PORTS if name not in kept]
        fresh = free_ports(len(missing), frozenset(kept.values()))
        ports = {**kept, **dict(zip(missing, fresh, strict=True))}
        self.write("ports.json", ports)
        return ports

    def record(self, processes: Mapping[str, RunningProcess]) -> None:
        """Write down what runs, for `status` and for the next start after a crash."""
        self.write("run.json", {name: asdict(process) for name, process in processes.items()})

    def recorded(self) -> dict[str, RunningProcess]:
        """What was running when the record was last written."""
        return {name: RunningProcess(**entry) for name, entry in self.read("run.json").items()}

    def read(self, name: str) -> dict[str, Any]:
        """One of our small JSON files; a missing or damaged one is empty."""
        try:
            content = json.loads((self.root / name).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return content if isinstance(content, dict) else {}

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace one of our small JSON files in one step."""
        scratch = self.root / f".{name}.new"
        scratch.touch(mode=0o600)
        scratch.write_text(json.dumps(content, indent=2) + "\n")
        scratch.rename(self.root / name)
