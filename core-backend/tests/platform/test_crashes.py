"""What Sentry is told of an unknown error: where and why, and nothing that a person typed."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import httpx
import orjson
import pytest
from core_kit.people import API, Owner
from core_kit.processes import web_process
from core_kit.running import RunningCore, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

FAULT = """
CREATE FUNCTION crashes() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER crashes BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.id = '{user_id}')
EXECUTE FUNCTION crashes()
"""


@dataclass
class Sink:
    """A Sentry of our own: keeps what it is sent."""

    dsn: str = ""
    received: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def take(self, request: Request) -> Response:
        """Take one envelope."""
        body = await request.body()
        is_packed = request.headers.get("content-encoding") == "gzip"
        self.received.put_nowait((gzip.decompress(body) if is_packed else body).decode())
        return Response(b"{}")


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """It runs."""
    kept = Sink()
    app = Starlette(routes=[Route("/api/1/envelope/", kept.take, methods=["POST"])])
    async with serving(app) as url:
        kept.dsn = url.replace("://", "://key@") + "/1"
        yield kept


async def _reported(client: httpx.AsyncClient, owner: Owner, sink: Sink) -> tuple[httpx.Response, str]:
    """A request that fails, and what Sentry was told of it. Its client does not send twice."""
    for _ in range(5):
        answer = await client.patch(f"{API}/me", params={"phone": owner.phone}, json={"name": "Typed Name"})
        try:
            return answer, await asyncio.wait_for(sink.received.get(), 10)
        except TimeoutError:
            continue
    raise AssertionError("Sentry was told nothing")


async def test_an_unknown_error_is_reported_without_what_was_typed(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, sink: Sink
) -> None:
    token = owner.client.headers["Authorization"]
    headers = {"X-Request-ID": "planted-1", "Authorization": token}
    superuser = await asyncpg.connect(core_database.superuser_dsn)
    try:
        await superuser.execute(FAULT.format(user_id=owner.user_id))
        async with (
            web_process(core.settings, sentry_dsn=sink.dsn) as (_, url),
            httpx.AsyncClient(
                base_url=url, headers=headers, cookies={"tochka_refresh": "secret-1"}
            ) as client,
        ):
            answer, told = await _reported(client, owner, sink)
    finally:
        await superuser.execute("DROP TRIGGER IF EXISTS crashes ON users; DROP FUNCTION crashes()")
        await superuser.close()
    assert (answer.status_code, answer.json()["detail"]) == (500, "")
    event = orjson.loads(told.splitlines()[-1])
    assert event["tags"]["request_id"] == "planted-1"
    assert event["exception"]["values"][-1]["type"] == "DiskFullError"
    for secret in (owner.phone.removeprefix("+"), "Typed Name", "secret-1", token.removeprefix("Bearer ")):
        assert secret not in told
