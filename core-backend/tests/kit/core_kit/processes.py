"""The core as processes of their own, started as in production, so that a test can kill one with -9."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import httpx
from pydantic import BaseModel, SecretStr
from tochka_core.settings import Settings

from core_kit.running import loopback_socket

PREFIX = "TOCHKA_CORE_"
PATIENCE_S = 30.0
START_PATIENCE_S = 120.0  # a process that imports the whole core on a machine that is busy otherwise


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        return value.model_dump_json(exclude_unset=True)
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value) if isinstance(value, str | Path) else json.dumps(value)


def environment(settings: Settings, **overrides: str) -> dict[str, str]:
    """The settings as the environment of a process."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set} | overrides
    return {f"{PREFIX}{name.upper()}": _text(value) for name, value in given.items() if value is not None}


def free_port() -> str:
    """A port on which nobody listens, as text."""
    with loopback_socket() as bound:
        return str(bound.getsockname()[1])


@asynccontextmanager
async def core_process(
    settings: Settings, kind: Literal["web", "worker"], **overrides: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """One process of the core; ended by SIGTERM unless the test has ended it already."""
    ports = {"port": free_port(), "private_port": free_port(), "worker_port": free_port()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tochka_core.main",
        kind,
        env=environment(settings, **{**ports, **overrides}),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), PATIENCE_S)


@asynccontextmanager
async def web_process(
    settings: Settings, **overrides: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A web process that answers, and its address."""
    port, private_port = free_port(), free_port()
    async with core_process(settings, "web", port=port, private_port=private_port, **overrides) as process:
        await _until_ready(process, private_port)
        yield process, f"http://127.0.0.1:{port}"


@asynccontextmanager
async def worker_process(settings: Settings, **overrides: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker process that works: from here on nothing waits for its start."""
    told = {"worker_port": free_port(), **overrides}
    async with core_process(settings, "worker", **told) as process:
        await _until_ready(process, told["worker_port"])
        yield process


async def _until_ready(process: asyncio.subprocess.Process, private_port: str) -> None:
    private = f"http://127.0.0.1:{private_port}"
    async with asyncio.timeout(START_PATIENCE_S), httpx.AsyncClient(base_url=private) as client:
        while not await _is_ready(client):
            assert process.returncode is None, "the process has ended instead of starting"
            await asyncio.sleep(0.05)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).status_code == 200
    except httpx.TransportError:
        return False


async def kill(process: asyncio.subprocess.Process) -> None:
    """End a process as the kernel's out-of-memory killer would."""
    process.send_signal(signal.SIGKILL)
    await process.wait()
