"""One web process of ours and three of better-auth, on one PostgreSQL, each with a processor to itself if
there are two.
"""

import json
import queue
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from tochka_stack.ports import free_ports

from bench.core import new_secrets
from bench.durable import Server
from bench.processes import PATIENCE_S, running, until_open
from tests.node import find_node, install_packages

HERE = Path(__file__).parent / "better_auth"
VARIANTS = ("full", "plain", "cached")
POOL = 10  # connections to PostgreSQL, for each
# Counted like any other request, and never reached: `limits` are strict.
BOUNDLESS = "900000000/1d"
RATES = ("address", "changes", "codes", "codes_day", "answers", "refreshes", "labels", "tenant")


@dataclass(frozen=True)
class Rival:
    """A process that signs people in. `codes` are what it sent, by phone."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    codes: "Codes"


class Codes:
    """The newest code of each phone, as a person would read it in the messenger."""

    def read(self, phone: str) -> str:
        """The code; it was sent before."""
        raise NotImplementedError


class _Inbox(Codes):
    """Ours: the development inbox, read where it lies: reading costs the process under test nothing."""

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(url)

    def read(self, phone: str) -> str:
        line = self._redis.lindex(f"{{inbox}}:of:{phone}", 0)
        return str(json.loads(line)["code"])  # type: ignore[arg-type]  # not awaitable: this client blocks


class _Lines(Codes):
    """Theirs: lines on standard output."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._lines: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()

    def read(self, phone: str) -> str:
        while phone not in self._known:
            told, code = self._lines.get(timeout=PATIENCE_S)
            self._known[told] = code
        return self._known.pop(phone)

    def follow(self, process: subprocess.Popen[bytes]) -> int:
        """The port, which is the first thing it says; from then on codes."""
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[1])
        threading.Thread(target=self._listen, args=[process], daemon=True).start()
        return port

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        for line in process.stdout or ():
            phone, _, code = line.decode().strip().partition(" ")
            self._lines.put((phone, code))


@contextmanager
def ours(server: Server, redis_url: str) -> Iterator[Rival]:
    """The core's web process as production has it, with the development inbox for a messenger."""
    port, private_port = free_ports(2)
    environment = {
        "environment": "test",
        "database_url": server.app_dsn,
        "jobs_database_url": server.jobs_dsn,
        "redis_url": redis_url,
        "pool_size": str(POOL),
        "port": str(port),
        "private_port": str(private_port),
        "limits": "strict",
        "quotas": json.dumps(
            {**dict.fromkeys(RATES, BOUNDLESS), "channel_budget": 10**9, "country_budget": 10**9}
        ),
        "dev_inbox": "true",
        **new_secrets(),
    }
    told = {f"TOCHKA_CORE_{name.upper()}": value for name, value in environment.items()}
    arguments = [sys.executable, "-m", "tochka_core.main", "web"]
    with running(arguments, told, stderr=subprocess.DEVNULL) as process:
        until_open(process, port)
        yield Rival("ours", f"http://127.0.0.1:{port}", process, _Inbox(redis_url))


@contextmanager
def theirs(database: str, variant: str) -> Iterator[Rival]:
    """better-auth with the phone number, organization and JWT plug-ins, in one of its variants."""
    node = find_node()
    install_packages(node, HERE)
    told = {
        "database": database,
        "secret": secrets.token_urlsafe(48),
        "connections": POOL,
        "variant": variant,
    }
    codes = _Lines()
    arguments = [str(node), str(HERE / "server.mjs"), json.dumps(told)]
    with running(arguments, {"NODE_ENV": "production"}, stdout=subprocess.PIPE) as process:
        port = codes.follow(process)
        yield Rival(variant, f"http://127.0.0.1:{port}", process, codes)
