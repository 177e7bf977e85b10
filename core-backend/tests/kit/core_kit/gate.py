"""The real gateway in front of a running core, and a caller who says byte by byte what no browser would."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core_kit.running import RunningCore
from tests.gateway.caddy import Gateway

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Front:
    """A core and the address of the gateway before it."""

    core: RunningCore
    url: str


@asynccontextmanager
async def in_front(core: RunningCore, folder: Path) -> AsyncIterator[Front]:
    """Run a gateway until the block ends; it keeps what it must in `folder`."""
    environment = {
        "TOCHKA_GATEWAY_STATE": str(folder / "state"),
        "TOCHKA_CORE_PUBLIC": core.url.removeprefix("http://"),
        "TOCHKA_CORE_PRIVATE": core.private_url.removeprefix("http://"),
        "TOCHKA_PANEL_DIR": str(folder),
        "TOCHKA_GATEWAY_RESPONSE_HEADER": "20s",
    }
    gateway = await asyncio.to_thread(Gateway, environment)
    try:
        yield Front(core, f"http://127.0.0.1:{gateway.port}")
    finally:
        await asyncio.to_thread(gateway.close)


@dataclass(frozen=True)
class Heard:
    """What came back over a bare connection until the other side hung up."""

    status: int
    text: str

    @property
    def problem(self) -> dict[str, Any]:
        """Its body, which is a problem document."""
        top, _, body = self.text.partition("\r\n\r\n")
        assert "content-type: application/problem+json" in top.lower(), self.text
        return dict(json.loads(body))


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection."""
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port), family=socket.AF_INET)


async def say(url: str, request: bytes) -> Heard:
    """Send bytes as they are, and listen until nothing more comes; `status` is 0 if nothing came at all."""
    reader, writer = await connect(url)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE_S):
            text = (await reader.read()).decode("latin-1")
    finally:
        writer.close()
    return Heard(int(text.split(" ", 2)[1]) if text.startswith("HTTP/1.1 ") else 0, text)


def head(method: str, target: str, *lines: str) -> bytes:
    """A request without a body, after which the connection ends."""
    return "\r\n".join((f"{method} {target} HTTP/1.1", *lines, "Connection: close", "", "")).encode("latin-1")
