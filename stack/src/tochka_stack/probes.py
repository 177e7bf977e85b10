"""Questions to a running part. Nobody there, silence and nonsense are all the same: no."""

import asyncio
from contextlib import suppress

from tochka_stack.ports import LOOPBACK

PATIENCE = 5.0


async def ask(port: int, question: bytes, host: str = LOOPBACK, patience: float = PATIENCE) -> bytes:
    """The beginning of the answer; nothing if there is none in time."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(question)
            return await reader.read(64)
    except (OSError, TimeoutError):
        return b""
    finally:
        if writer is not None:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def speaks(port: int, request: str, host: str = LOOPBACK, patience: float = PATIENCE) -> bool:
    """Whether a request, such as `GET /health`, is answered at all."""
    return (await _http(port, request, host, patience)).startswith(b"HTTP/1.")


async def answers(port: int, request: str, host: str = LOOPBACK) -> bool:
    """Whether a request is answered with a 2xx."""
    return (await _http(port, request, host, PATIENCE))[8:10] == b" 2"


async def _http(port: int, request: str, host: str, patience: float) -> bytes:
    text = f"{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return await ask(port, text.encode(), host, patience)
