"""A module as a program: it migrates, serves, ends when told, and says why it does not start."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tochka_sdk.testing import PlatformDouble
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def empty(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """An empty database."""
    made = await postgres.create_database("program", "notes_owner", "notes_app")
    yield made
    await postgres.drop_database(made.name)


def environment(platform: PlatformDouble, database: ScratchDatabase, **changes: str) -> dict[str, str]:
    """What the supervisor would set."""
    settings = platform.settings(database.dsn("notes_app"))
    return {
        "PATH": "/usr/bin:/bin",
        "TOCHKA_MODULE_ENVIRONMENT": "test",
        "TOCHKA_MODULE_DATABASE_URL": database.dsn("notes_app"),
        "TOCHKA_MODULE_OWNER_DATABASE_URL": database.owner_dsn,
        "TOCHKA_MODULE_CORE_URL": platform.core_url,
        "TOCHKA_MODULE_ISSUER": platform.issuer,
        "TOCHKA_MODULE_CORE_JWKS": settings.core_jwks,
        "TOCHKA_MODULE_PRIVATE_KEY": settings.private_key.get_secret_value(),
        **changes,
    }


@asynccontextmanager
async def program(*arguments: str, env: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """The example module with these arguments."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sdk.tests",
        *arguments,
        cwd=ROOT,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(*arguments: str, env: dict[str, str]) -> tuple[int, str]:
    """Run to the end: the exit code, and what it said on standard error."""
    async with program(*arguments, env=env) as process:
        _, said = await process.communicate()
    return process.returncode or 0, said.decode()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def healthy(url: str) -> httpx.Response:
    """The health check's answer, as soon as somebody answers."""
    async with httpx.AsyncClient(base_url=url) as client, asyncio.timeout(120):
        while True:
            try:
                return await client.get("/_tochka/health")
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def test_it_migrates_twice_serves_and_ends_when_told(
    platform: PlatformDouble, empty: ScratchDatabase
) -> None:
    port = free_port()
    env = environment(platform, empty, TOCHKA_MODULE_PORT=str(port))
    assert await run("migrate", env=env) == (0, "")
    assert await run("migrate", env=env) == (0, "")
    async with program("web", env=env) as process:
        answer = await healthy(f"http://127.0.0.1:{port}")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            _, said = await process.communicate()
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert "server" not in answer.headers
    assert process.returncode in {0, -signal.SIGTERM}
    assert "Traceback" not in said.decode()


async def test_missing_settings_are_named(platform: PlatformDouble) -> None:
    code, said = await run("web", env={"PATH": "/usr/bin:/bin"})
    assert code == 1
    assert "database_url" in said
    assert "Traceback" not in said


async def test_a_bad_key_is_named_and_not_shown(platform: PlatformDouble, empty: ScratchDatabase) -> None:
    env = environment(platform, empty, TOCHKA_MODULE_PRIVATE_KEY='{"d": "hunter2"}')
    code, said = await run("web", env=env)
    assert (code, "private_key" in said, "hunter2" in said) == (1, True, False)


async def test_migrating_needs_the_owner(platform: PlatformDouble, empty: ScratchDatabase) -> None:
    env = environment(platform, empty)
    del env["TOCHKA_MODULE_OWNER_DATABASE_URL"]
    code, said = await run("migrate", env=env)
    assert (code, "TOCHKA_MODULE_OWNER_DATABASE_URL" in said) == (1, True)


async def test_a_role_that_can_bypass_the_wall_is_not_started_with(
    platform: PlatformDouble, empty: ScratchDatabase
) -> None:
    env = environment(platform, empty, TOCHKA_MODULE_DATABASE_URL=empty.superuser_dsn)
    code, said = await run("web", env=env)
    assert code != 0
    assert "bypasses row-level security" in said


async def test_a_command_that_nobody_knows_is_refused(platform: PlatformDouble) -> None:
    code, said = await run("dance", env={"PATH": "/usr/bin:/bin"})
    assert (code, "invalid choice" in said) == (2, True)
