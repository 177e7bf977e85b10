"""Fixtures of the core's tests: a real database per session, the real application behind real sockets.

`core`       the running web process's two listeners in this event loop: `.url`, `.private_url`, `.settings`,
             `.resources` (app role), `.jobs` (the same as the jobs role); its tables are shared by the
             session, so tests use fresh tenants and unique names.
`core_database`  the migrated database: `.owner_dsn`, `.dsn("tochka_app")`, `.dsn("tochka_jobs")`,
             `.superuser_dsn`.
`start_core` starts one more instance on the same database and Redis:
             `async with start_core(**settings) as core`.
`client`     an httpx.AsyncClient on `core.url` that nobody is signed in on.
`owner`, `stranger`  two people who own a fresh tenant each; `.client` carries their token.
`module`     a registered module that answers as the test tells it: `core_kit.modules.ScriptedModule`.
`dispatcher` runs the dispatcher beside `core`, in this event loop.
"""

import io
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from core_kit.activation import dispatching
from core_kit.modules import ScriptedModule, registered_module
from core_kit.people import Owner, sign_up
from core_kit.running import RunningCore, core_settings, run_core
from tochka_core.migrate import upgrade
from tochka_sdk import logs
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

StartCore = Callable[..., AbstractAsyncContextManager[RunningCore]]


class _Stderr(io.TextIOBase):
    """Standard error as it is now: pytest puts another one there for every test."""

    def write(self, text: str) -> int:
        """Pass it on."""
        return sys.stderr.write(text)


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Log as in production; the renderer for developers draws every frame of a planted fault, for seconds."""
    logs.configure("core-test", level="INFO", stream=_Stderr())  # type: ignore[arg-type]  # it only writes


@pytest.fixture(scope="session")
async def core_database(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """A migrated database with the three roles."""
    database = await postgres.create_database("core", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(database.owner_dsn)
    yield database
    await postgres.drop_database(database.name)


@pytest.fixture(scope="session")
def start_core(core_database: ScratchDatabase, redis_url: str) -> StartCore:
    """Start an instance; keyword arguments override its settings."""

    def start(**overrides: object) -> AbstractAsyncContextManager[RunningCore]:
        return run_core(core_settings(core_database, redis_url, **overrides))

    return start


@pytest.fixture(scope="session")
async def core(start_core: StartCore) -> AsyncIterator[RunningCore]:
    """The instance that most tests talk to."""
    async with start_core() as running:
        yield running


@pytest.fixture
async def client(core: RunningCore) -> AsyncIterator[httpx.AsyncClient]:
    """A caller whom nobody knows."""
    async with httpx.AsyncClient(base_url=core.url, timeout=20) as fresh:
        yield fresh


@pytest.fixture
async def owner(core: RunningCore) -> AsyncIterator[Owner]:
    """Somebody with a fresh tenant."""
    signed_up = await sign_up(core.url)
    yield signed_up
    await signed_up.client.aclose()


@pytest.fixture
async def stranger(core: RunningCore) -> AsyncIterator[Owner]:
    """Somebody else, with another tenant."""
    signed_up = await sign_up(core.url)
    yield signed_up
    await signed_up.client.aclose()


@pytest.fixture
async def module(core: RunningCore) -> AsyncIterator[ScriptedModule]:
    """A fresh module of the catalogue that answers 200 to everything, until told otherwise."""
    async with registered_module(core.resources, core.jobs) as scripted:
        yield scripted


@pytest.fixture
async def dispatcher(core: RunningCore) -> AsyncIterator[None]:
    """The dispatcher, running."""
    async with dispatching(core.jobs):
        yield
