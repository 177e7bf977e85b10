"""A part of the stack: a process that is kept running, and how to tell that it is ready."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from tochka_stack.processes import Command


def nothing() -> None:
    """What a part without preparations does before it starts."""


@dataclass(frozen=True)
class Part:
    """One process of the stack. `prepare` runs before every start, `is_ready` until it is true."""

    name: str
    title: str
    command: Callable[[], Command]
    is_ready: Callable[[], Awaitable[bool]]
    prepare: Callable[[], None] = nothing
    port: int | None = None
    start_patience: float = 60.0
    stop_patience: float = 15.0


async def answers(port: int, path: str, host: str = "127.0.0.1", patience: float = 2.0) -> bool:
    """Whether a GET is answered with a 2xx."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            status = await reader.readline()
        return status.split(b" ")[1:2] != [] and status.split(b" ")[1].startswith(b"2")
    except (OSError, TimeoutError):
        return False
    finally:
        if writer is not None:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Whether connections are accepted."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True
