"""Requests that never end their headers: each ends by itself, and everybody else is served meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from core_kit.gate import Front, connect
from core_kit.people import API
from core_kit.processes import web_process
from core_kit.running import RunningCore, core_settings
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

HEAD_S = 1
MANY = 100
BEGUN = b"GET /api/v1/modules HTTP/1.1\r\nHost: localhost\r\n"
SERVED = b"GET /api/v1/modules HTTP/1.1\r\nHost: localhost\r\n\r\n"
PACE_S = 0.2


@pytest.fixture(scope="module")
async def alone(core_database: ScratchDatabase, redis_url: str) -> AsyncIterator[str]:
    """The core as it runs in production, with little patience."""
    settings = core_settings(core_database, redis_url, quotas={"head_seconds": HEAD_S})
    async with web_process(settings) as (_, url):
        yield url


async def _lasts(url: str, *, first: bytes = b"", drop: bytes = b"X-Slow: 1\r\n") -> float:
    """For how long a caller is borne who sends a line now and then."""
    reader, writer = await connect(url)
    started = time.monotonic()
    ended = asyncio.create_task(reader.read())
    writer.write(first)
    try:
        async with asyncio.timeout(20):
            while not ended.done():
                writer.write(drop)
                await asyncio.wait([ended], timeout=PACE_S)
    finally:
        writer.close()
        await asyncio.gather(ended, return_exceptions=True)
    return time.monotonic() - started


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b""),
        (b"", b"\r\n"),
        (b"", b"G"),
        (BEGUN, b"X-Slow: 1\r\n"),
        (BEGUN + b"X-Slow: ", b"1"),
        (SERVED, b"\r\n"),
        (SERVED + BEGUN, b"X-Slow: 1\r\n"),
    ],
    ids=["silence", "empty lines", "a method", "headers", "one header", "empty lines later", "headers later"],
)
async def test_the_core_alone_waits_for_no_head(alone: str, first: bytes, drop: bytes) -> None:
    assert await _lasts(alone, first=first, drop=drop) < HEAD_S + 6


async def test_the_core_serves_others_meanwhile(alone: str) -> None:
    slow = [asyncio.create_task(_lasts(alone, first=BEGUN)) for _ in range(MANY)]
    async with httpx.AsyncClient(base_url=alone) as client:
        for _ in range(20):
            assert (await client.get(f"{API}/modules")).status_code == 200
    assert max(await asyncio.gather(*slow)) < HEAD_S + 6


async def test_a_request_that_takes_its_time_is_not_cut(alone: str) -> None:
    """The limit is for heads: an answer and the quiet between two requests have limits of their own."""
    reader, writer = await connect(alone)
    for _ in range(3):
        writer.write(SERVED[:30])
        await asyncio.sleep(HEAD_S / 10)
        writer.write(SERVED[30:])
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        while (line := await reader.readline()) != b"\r\n":
            name, _, value = line.partition(b": ")
            length = int(value) if name.lower() == b"content-length" else 0
            if length:
                size = length
        await reader.readexactly(size)
        await asyncio.sleep(HEAD_S * 1.2)
    writer.close()


async def test_behind_the_gateway_no_slow_head_reaches_the_core(front: Front, core: RunningCore) -> None:
    slow = [asyncio.create_task(_lasts(front.url, first=BEGUN)) for _ in range(MANY)]
    async with httpx.AsyncClient(base_url=front.url, headers={"Host": "localhost"}) as client:
        for _ in range(20):
            assert (await client.get(f"{API}/modules")).status_code == 200
    assert max(await asyncio.gather(*slow)) < 10
