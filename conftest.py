"""Fixtures every test of the product can use: real engines, one set per session.

`postgres`       a `tochka_stack.testing.ScratchPostgres`: `.superuser_dsn`, `.host`, `.port`,
                 `.dsn(database, role=None)`, and
                 `await postgres.create_database("core", "tochka_owner", "tochka_app", "tochka_jobs")`
                 → a `ScratchDatabase`: `.name`, `.owner_dsn` (for migrations), `.dsn("tochka_app")`,
                 `.superuser_dsn` (into this database); `await postgres.drop_database(name)`.
                 A database is empty, with a fresh name; its roles are NOSUPERUSER NOBYPASSRLS, may
                 connect to it (PUBLIC may not) and have no rights on tables until the migrations grant
                 them. Roles belong to the server: two databases can share them.
                 DSNs start with `postgresql://`; SQLAlchemy wants `postgresql+asyncpg://`.
`redis_url`      the address of a real, empty Redis (`redis://:password@host:port/0`) for the session.
`anyio_backend`  "asyncio", for the whole session, so that fixtures of any scope may be async.

A test that stops or breaks an engine starts one of its own: `running_postgres` and `running_redis` in
`tochka_stack.testing`. With `TOCHKA_TEST_DATABASE_URL` (a superuser's, or CREATEDB and CREATEROLE) and
`TOCHKA_TEST_REDIS_URL` (its database is flushed) those servers are used instead of embedded ones.
"""

import functools
import os
import ssl
from collections.abc import Iterator

import httpx
import pytest
import redis
from hypothesis import settings
from tochka_stack.testing import ScratchPostgres, scratch_postgres, scratch_redis

# The engines of tests have no TLS. Asked for it, the driver leaves a future behind whose error nobody awaits
# whenever connecting is cancelled, and some later test would be blamed for that.
os.environ.setdefault("PGSSLMODE", "disable")  # noqa: TID251  tests have no settings
# Every HTTP client would read all the authorities of the internet, for 30 ms each; nobody here asks them.
ssl.create_default_context = functools.cache(ssl.create_default_context)  # type: ignore[assignment]
# How fast something is, no test says: a machine may be busy for longer than five seconds, or a fifth of one.
for part in ("connect", "read", "write", "pool"):
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, part, 60.0)
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[ScratchPostgres]:
    """The session's PostgreSQL server."""
    with scratch_postgres(os.environ.get("TOCHKA_TEST_DATABASE_URL")) as server:  # noqa: TID251  tests have no settings
        yield server


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The session's Redis server, empty."""
    external = os.environ.get("TOCHKA_TEST_REDIS_URL")  # noqa: TID251  tests have no settings
    if external is None:
        with scratch_redis() as url:
            yield url
        return
    with redis.Redis.from_url(external) as client:
        client.flushdb()
    yield external
