"""Real engines for tests: a PostgreSQL and a Redis of their own, thrown away afterwards."""

import asyncio
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tochka_stack.accounts import engine_account
from tochka_stack.databases import DatabasePlan, check_server, provision
from tochka_stack.engines.postgres import Postgres
from tochka_stack.engines.redis import Redis
from tochka_stack.ports import free_ports
from tochka_stack.processes import Command

PATIENCE = 30.0
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "256MB"}


@dataclass(frozen=True)
class ScratchDatabase:
    """One freshly made database. Its roles log in with `dsn(role)`; the migrations make tables and grants."""

    name: str
    owner: str
    superuser_dsn: str
    dsns: dict[str, str]

    @property
    def owner_dsn(self) -> str:
        """For the migrations."""
        return self.dsns[self.owner]

    def dsn(self, role: str) -> str:
        """`postgresql://role:password@host:port/name`."""
        return self.dsns[role]


@dataclass
class ScratchPostgres:
    """A PostgreSQL server on which tests may make databases and roles as they like."""

    superuser_dsn: str
    made: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Where it listens."""
        return urlsplit(self.superuser_dsn).hostname or "127.0.0.1"

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.superuser_dsn).port or 5432

    def dsn(self, database: str, role: str | None = None) -> str:
        """The connection string into `database`, as the superuser or as `role`."""
        parts = urlsplit(self.superuser_dsn)
        netloc = f"{role}:{_password(role)}@{self.host}:{self.port}" if role else parts.netloc
        return urlunsplit((parts.scheme, netloc, f"/{database}", parts.query, ""))

    async def create_database(self, name_prefix: str, owner_role: str, *app_roles: str) -> ScratchDatabase:
        """Make an empty database with a fresh name; its roles are made too unless they exist already."""
        name = f"{name_prefix}_{secrets.token_hex(4)}"
        plan = DatabasePlan(name=name, owner=owner_role, workers=app_roles)
        connection = await asyncpg.connect(self.superuser_dsn)
        try:
            await provision(connection, plan, {role: _password(role) for role in plan.roles})
        finally:
            await connection.close()
        self.made.append(name)
        return ScratchDatabase(
            name, owner_role, self.dsn(name), {role: self.dsn(name, role) for role in plan.roles}
        )

    async def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        connection = await asyncpg.connect(self.superuser_dsn)
        try:
            quoted = await connection.fetchval("SELECT quote_ident($1)", name)
            await connection.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")
        finally:
            await connection.close()
        if name in self.made:
            self.made.remove(name)

    async def check(self) -> None:
        """Refuse a server that is too old or a role that may not do what tests need."""
        connection = await asyncpg.connect(self.superuser_dsn)
        try:
            await check_server(connection)
        finally:
            await connection.close()

    async def clean_up(self) -> None:
        """Drop whatever was made here."""
        for name in tuple(self.made):
            await self.drop_database(name)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A directory that the engines' user can reach, also when we are root."""
    account = engine_account()
    base = Path(tempfile.gettempdir())
    if not account.can_reach(base / "x"):
        base = Path("/tmp")  # noqa: S108  mkdtemp makes it safely
    folder = Path(tempfile.mkdtemp(prefix="tochka-test-", dir=base))
    account.own(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_postgres(folder: Path, port: int | None = None) -> Iterator[Postgres]:
    """A PostgreSQL of your own in `folder` (see `scratch_folder`), for tests that stop or break it."""
    port = port or free_ports(1)[0]
    server = Postgres(folder / "postgres", port, secrets.token_hex(8), engine_account(), settings=FAST)
    server.prepare()
    with _running(server.command(), server.is_ready, folder / "postgres.log"):
        yield server


@contextmanager
def running_redis(folder: Path, port: int | None = None) -> Iterator[Redis]:
    """A Redis of your own in `folder` (see `scratch_folder`), for tests that stop or break it."""
    server = Redis(folder / "redis", port or free_ports(1)[0], secrets.token_hex(8), engine_account())
    server.prepare()
    with _running(server.command(), server.is_ready, folder / "redis.log"):
        yield server


@contextmanager
def scratch_postgres(external_dsn: str | None = None) -> Iterator[ScratchPostgres]:
    """The server that all tests of a session share: `external_dsn` if given, else an embedded one."""
    with ExitStack() as stack:
        if external_dsn:
            postgres = ScratchPostgres(external_dsn)
        else:
            server = stack.enter_context(running_postgres(stack.enter_context(scratch_folder())))
            postgres = ScratchPostgres(server.dsn())
        asyncio.run(postgres.check())
        yield postgres
        if external_dsn:
            asyncio.run(postgres.clean_up())


@contextmanager
def scratch_redis() -> Iterator[str]:
    """The address of an empty Redis."""
    with scratch_folder() as folder, running_redis(folder) as server:
        yield server.url()


@contextmanager
def _running(command: Command, is_ready: Callable[[], bool], log: Path) -> Iterator[None]:
    with (
        log.open("ab") as output,
        subprocess.Popen(command.argv, stdout=output, stderr=output, **command.options()) as process,
    ):
        try:
            deadline = time.monotonic() + PATIENCE
            while not is_ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command.argv[0]} did not start:\n{log.read_text()}")
                time.sleep(0.02)
            yield
        finally:
            process.send_signal(command.stop_signal)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def _password(role: str) -> str:
    """The same for every session, so that two of them can share a server and its roles."""
    return f"{role}-scratch"
