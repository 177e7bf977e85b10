"""One web process of ours and three of better-auth, on one PostgreSQL, each with a processor to itself if
there are two.
"""

import json
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from redis import Redis
from tochka_sdk.tokens import generate_key
from tochka_sdk.webhooks import generate_keypair
from tochka_stack.ports import free_ports

from bench.durable import Server
from tests.node import find_node, install_packages

HERE = Path(__file__).parent / "better_auth"
VARIANTS = ("full", "plain", "cached")
POOL = 10  # connections to PostgreSQL, for each
PATIENCE_S = 60.0
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
        **_secrets(),
    }
    told = {f"TOCHKA_CORE_{name.upper()}": value for name, value in environment.items()}
    arguments = [sys.executable, "-m", "tochka_core.main", "web"]
    with _running(arguments, told, stderr=subprocess.DEVNULL) as process:
        _until_open(process, port)
        yield Rival("ours", f"http://127.0.0.1:{port}", process, _Inbox(redis_url))


def _secrets() -> dict[str, str]:
    webhook_key, _ = generate_keypair()
    keys = {
        f"{name}_key": json.dumps(generate_key().as_dict(private=True))
        for name in ("signing", "license", "audit")
    }
    plain = {name: secrets.token_urlsafe(48) for name in ("code_pepper", "session_key", "secret_key_master")}
    return {"webhook_key": webhook_key, **keys, **plain}


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
    with _running(arguments, {"NODE_ENV": "production"}, stdout=subprocess.PIPE) as process:
        port = codes.follow(process)
        yield Rival(variant, f"http://127.0.0.1:{port}", process, codes)


@contextmanager
def _running(
    arguments: list[str], environment: dict[str, str], **streams: int
) -> Iterator[subprocess.Popen[bytes]]:
    told = {"PATH": os.defpath, **environment}
    with subprocess.Popen(arguments, cwd=HERE, env=told, **streams) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _until_open(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while all(connection.laddr.port != port for connection in psutil.Process(process.pid).net_connections()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the core did not start")
        time.sleep(0.05)


def pin(process: subprocess.Popen[bytes]) -> None:
    """Leave the first processor to this process, where there are several."""
    count = os.cpu_count() or 1
    if count > 1 and hasattr(os, "sched_setaffinity"):
        psutil.Process(process.pid).cpu_affinity([0])


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
