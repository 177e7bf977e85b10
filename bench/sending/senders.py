"""Everybody who delivers: each loads what is to be sent, then runs as a process until all has arrived."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from tochka_core.endpoints.secrets import seal
from tochka_sdk.webhooks import generate_keypair, generate_secret
from tochka_stack.ports import free_ports

from bench.core import new_secrets
from bench.durable import MODULE, TENANTS, Server, numbered
from bench.processes import running
from bench.sending.letters import DOOR, NEWS, Letter, address

Process = subprocess.Popen[bytes]
EMPTY = (
    "TRUNCATE events, deliveries, attempts, replays, delivery_queues, receiver_positions, "
    "receiver_sequences, webhook_endpoints"
)
ENDPOINT = """
    INSERT INTO webhook_endpoints
      (tenant_id, id, url, description, event_types, schema_version, ordered, rate_per_second, concurrency,
       secret)
    VALUES ($1, $1, $2, '', '{}', 1, false, 1000, 100, $3)
"""
UNDELIVERED = "SELECT count(*) FROM deliveries WHERE status <> 'delivered'"
ATTEMPTS = "SELECT count(*) FROM attempts"
BARE = """
    CREATE TABLE IF NOT EXISTS bare_outbox (
      id uuid PRIMARY KEY, url text NOT NULL, body bytea NOT NULL, due_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX IF NOT EXISTS bare_outbox_due ON bare_outbox (due_at);
    TRUNCATE bare_outbox;
"""


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection for a moment."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


class Sender(Protocol):
    """One way to deliver."""

    name: str
    letters: int
    """How many of them it delivers in a few seconds."""

    async def load(self, letters: Sequence[Letter], to: str) -> None:
        """Put into its queue what is to be sent."""

    def start(self) -> AbstractContextManager[Process]:
        """Run it."""

    async def check(self, count: int) -> None:
        """Raise if its own books do not say that so many were delivered."""


@dataclass
class Ours:
    """The core's worker as production has it."""

    server: Server
    redis_url: str
    name: str = "ours"
    letters: int = 8000

    def __post_init__(self) -> None:
        self._secrets = new_secrets()

    async def empty(self, connection: "asyncpg.Connection[Any]") -> None:
        """Forget all events, deliveries and endpoints."""
        await connection.execute(EMPTY)

    async def load(self, letters: Sequence[Letter], to: str, *, fresh: bool = True) -> None:
        """Write the events; into empty tables, if they are to be `fresh`."""
        async with connected(self.server.superuser_dsn) as connection:
            if fresh:
                await self.empty(connection)
            if to == "one":
                base_url = letters[0].url.removesuffix(DOOR)
                await connection.execute("UPDATE modules SET base_url = $1 WHERE id = $2", base_url, MODULE)
            else:
                port = letters[0].url.removesuffix(DOOR).rpartition(":")[2]
                await self.add_endpoints(
                    connection, [f"http://{address(n)}:{port}{DOOR}" for n in range(1, TENANTS + 1)]
                )
            module = MODULE if to == "one" else None
            rows = [
                (one.tenant_id, one.id, NEWS[to], numbered(1), module, json.dumps(one.data))
                for one in letters
            ]
            columns = ("tenant_id", "id", "type", "installation_id", "module_id", "data")
            await connection.copy_records_to_table("events", records=rows, columns=columns)
            await connection.execute("VACUUM ANALYZE")
            await connection.execute("CHECKPOINT")

    async def add_endpoints(self, connection: "asyncpg.Connection[Any]", urls: Sequence[str]) -> None:
        """One for each tenant from the first one on."""
        master = self._secrets["secret_key_master"].encode()
        rows = []
        for number, url in enumerate(urls, start=1):
            tenant_id = numbered(number)
            rows.append((tenant_id, url, seal(master, tenant_id, tenant_id, generate_secret())))
        await connection.executemany(ENDPOINT, rows)

    @contextmanager
    def start(self) -> Iterator[Process]:
        private_port, worker_port = free_ports(2)
        settings = {
            "environment": "test",
            "database_url": self.server.app_dsn,
            "jobs_database_url": self.server.jobs_dsn,
            "redis_url": self.redis_url,
            "private_port": str(private_port),
            "worker_port": str(worker_port),
            "webhook_private_addresses": "true",
            **self._secrets,
        }
        told = {f"TOCHKA_CORE_{name.upper()}": value for name, value in settings.items()}
        arguments = [sys.executable, "-m", "tochka_core.main", "worker"]
        with running(arguments, told, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            yield process

    async def check(self, count: int) -> None:
        async with connected(self.server.superuser_dsn) as connection:
            left, tried = await connection.fetchval(UNDELIVERED), await connection.fetchval(ATTEMPTS)
        if left or tried < count:
            raise RuntimeError(f"{left} are not delivered, {tried} attempts are logged")


class _Keyed:
    """Whoever signs with keys that it is told."""

    def __init__(self) -> None:
        self.keys = {"secret": generate_secret(), "private_key": generate_keypair()[0]}


class Bare(_Keyed):
    """A loop over an outbox and nothing else."""

    name = "bare loop"
    letters = 16000

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._dsn = server.superuser_dsn

    async def load(self, letters: Sequence[Letter], to: str) -> None:
        async with connected(self._dsn) as connection:
            await connection.execute(BARE)
            rows = [(one.id, one.url, one.body) for one in letters]
            await connection.copy_records_to_table("bare_outbox", records=rows, columns=("id", "url", "body"))
            await connection.execute("VACUUM ANALYZE bare_outbox")
            await connection.execute("CHECKPOINT")

    @contextmanager
    def start(self) -> Iterator[Process]:
        arguments = [sys.executable, "-m", "bench.sending.bare", self._dsn]
        with running(arguments, {}, stdin=subprocess.PIPE) as process:
            _tell(process, [json.dumps(self.keys)])
            yield process

    async def check(self, count: int) -> None:
        async with connected(self._dsn) as connection:
            left = await connection.fetchval("SELECT count(*) FROM bare_outbox")
        if left:
            raise RuntimeError(f"{left} of {count} are still there")


class Plain(_Keyed):
    """The HTTP client without a queue."""

    name = "plain client"
    letters = 20000

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []

    async def load(self, letters: Sequence[Letter], to: str) -> None:
        told = [{"id": str(one.id), "url": one.url, "body": one.body.decode()} for one in letters]
        self._lines = [json.dumps(self.keys), *map(json.dumps, told), ""]

    @contextmanager
    def start(self) -> Iterator[Process]:
        with running([sys.executable, "-m", "bench.sending.plain"], {}, stdin=subprocess.PIPE) as process:
            _tell(process, self._lines)
            yield process

    async def check(self, count: int) -> None:
        return


class Celery(_Keyed):
    """Celery with Redis and httpx, eight processes that acknowledge late."""

    name = "Celery"
    letters = 2000

    def __init__(self, redis_url: str) -> None:
        super().__init__()
        self._environment = {
            "BENCH_BROKER": redis_url,
            "BENCH_SECRET": self.keys["secret"],
            "BENCH_PRIVATE_KEY": self.keys["private_key"],
        }

    async def load(self, letters: Sequence[Letter], to: str) -> None:
        lines = [json.dumps([str(one.id), one.url, one.body.decode()]) for one in letters]
        loader = [sys.executable, "-m", "bench.sending.celery_load"]
        with running(loader, self._environment, stdin=subprocess.PIPE) as process:
            _tell(process, [*lines, ""])
            if process.wait(60):
                raise RuntimeError("Celery took nothing")

    @contextmanager
    def start(self) -> Iterator[Process]:
        program = str(Path(sys.executable).with_name("celery"))
        arguments = [program, "-A", "bench.sending.celery_tasks", "worker", "--pool", "prefork"]
        arguments += ["--concurrency", "8", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"]
        with running(arguments, self._environment, stdout=subprocess.DEVNULL) as process:
            yield process

    async def check(self, count: int) -> None:
        return


def _tell(process: Process, lines: Sequence[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("".join(f"{line}\n" for line in lines).encode())
    process.stdin.close()
