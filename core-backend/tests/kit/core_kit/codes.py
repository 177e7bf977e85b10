"""Steps of signing in, one by one, and looking at the tables past all policies."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any

import asyncpg
import httpx
from sqlalchemy import Engine, event
from tochka_sdk.db import UNPRUNED
from tochka_stack.testing import ScratchDatabase

from core_kit.people import API, read_code, unique_phone
from core_kit.running import RunningCore

StartCore = Callable[..., AbstractAsyncContextManager[RunningCore]]


async def ask(client: httpx.AsyncClient, phone: str, **body: str) -> httpx.Response:
    """Ask for a code."""
    return await client.post(f"{API}/auth/challenges", json={"phone": phone, "channel": "max", **body})


async def challenge(client: httpx.AsyncClient, phone: str | None = None, **body: str) -> tuple[str, str, str]:
    """A fresh challenge: its id, its phone and its code."""
    number = phone or unique_phone()
    answer = await ask(client, number, **body)
    assert answer.status_code == 202, answer.text
    return answer.json()["challenge_id"], number, await read_code(client, number)


async def answer(client: httpx.AsyncClient, challenge_id: str, code: str, **body: Any) -> httpx.Response:
    """Type a code."""
    return await client.post(f"{API}/auth/challenges/{challenge_id}/confirm", json={"code": code, **body})


def other(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem, whose shape is checked on the way."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert {"type", "title", "status", "detail", "code", "request_id"} <= body.keys()
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


async def look(database: ScratchDatabase, query: str, *values: Any) -> list[dict[str, Any]]:
    """Rows as they are, whoever may see them."""
    connection = await asyncpg.connect(database.superuser_dsn, server_settings=UNPRUNED)
    try:
        return [dict(row) for row in await connection.fetch(query, *values)]
    finally:
        await connection.close()


@contextmanager
def statements() -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """What goes through the everyday door of any core in this process meanwhile: statements and values."""
    seen: list[tuple[str, tuple[Any, ...]]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        seen.append((statement, tuple(values)))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@contextmanager
def hot_statements(core: RunningCore) -> Iterator[list[str]]:
    """What goes through the hot door meanwhile, on the connections that it has open by now."""
    pool = core.resources.connections._pool
    assert pool is not None
    holders: list[Any] = pool._holders  # type: ignore[attr-defined]  # the stubs know no inner parts
    opened = [holder._con for holder in holders if holder._con is not None]
    seen: list[str] = []

    def note(record: Any) -> None:
        seen.append(record.query)

    for connection in opened:
        connection.add_query_logger(note)
    try:
        yield seen
    finally:
        for connection in opened:
            connection.remove_query_logger(note)


async def spent(core: RunningCore, name: str) -> int:
    """What a channel, or messages to a country, have cost so far, by all tests of the session."""
    redis = core.resources.redis
    return sum([int(await redis.get(key) or 0) async for key in redis.scan_iter(f"spent:*:{name}")])
