"""Steps of an activation as a panel takes them, and the dispatcher beside a running core."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from tochka_core.resources import Resources
from tochka_core.webhooks import tasks

from core_kit.people import API, Owner

PATIENCE_S = 30.0
Json = dict[str, Any]


def unique_label() -> str:
    """An address that no other test uses."""
    return f"t{secrets.token_hex(8)}"


async def ask(
    owner: Owner, module: str, label: str, *, key: str | None = None, **body: str
) -> httpx.Response:
    """Press «activate»."""
    headers = {} if key is None else {"Idempotency-Key": key}
    wanted = {"module": module, "subdomain": label, **body}
    return await owner.client.post(f"{API}/installations", json=wanted, headers=headers)


async def activate(owner: Owner, module: str, label: str | None = None, **body: str) -> Json:
    """Press «activate» and be understood."""
    answer = await ask(owner, module, label or unique_label(), **body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def watch(owner: Owner, installation_id: str, begun: asyncio.Event | None = None) -> list[Json]:
    """All that the progress of an activation tells, until it ends; `begun` is set as soon as it tells one."""
    path = f"{API}/installations/{installation_id}/progress"
    told: list[Json] = []
    async with asyncio.timeout(PATIENCE_S), owner.client.stream("GET", path) as answer:
        assert answer.status_code == 200, await answer.aread()
        name = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                told.append({"event": name, **json.loads(line.removeprefix("data: "))})
                if begun is not None:
                    begun.set()
    return told


async def until_step(owner: Owner, installation_id: str, step: str) -> None:
    """Watch until the progress tells a step."""
    path = f"{API}/installations/{installation_id}/progress"
    async with asyncio.timeout(PATIENCE_S), owner.client.stream("GET", path) as answer:
        async for line in answer.aiter_lines():
            if f'"step":"{step}"' in line:
                return
    raise AssertionError(f"the activation ended without the step {step}")


async def outcome(owner: Owner, installation_id: str) -> Json:
    """The installation once its activation has ended."""
    last = (await watch(owner, installation_id))[-1]
    assert last["status"] in {"live", "failed", "gone"}, last
    return await read(owner, installation_id)


async def read(owner: Owner, installation_id: str) -> Json:
    """The installation now."""
    answer = await owner.client.get(f"{API}/installations/{installation_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@asynccontextmanager
async def dispatching(jobs: Resources) -> AsyncIterator[None]:
    """A dispatcher in this event loop until the block ends."""
    stop = asyncio.Event()
    task = asyncio.create_task(tasks.run(jobs, stop))
    try:
        yield
    finally:
        stop.set()
        await task
