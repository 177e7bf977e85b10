"""The contract suite: silent about a good module, and it finds what is wrong with a bad one."""

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tochka_sdk.check import check
from tochka_sdk.testing import ModuleClient, PlatformDouble, listening

pytestmark = pytest.mark.anyio


@pytest.fixture
async def served(running: ModuleClient) -> AsyncIterator[str]:
    """The example module behind a real socket."""
    async with listening(running.app) as url:
        yield url


async def test_the_example_keeps_the_contract(served: str, platform: PlatformDouble) -> None:
    findings = await check(served, platform)
    assert [finding for finding in findings if not finding.ok] == []
    assert len(findings) > 20


async def test_without_keys_what_a_stranger_may_ask_is_asked(served: str) -> None:
    findings = await check(served)
    assert [finding for finding in findings if not finding.ok] == []
    assert not any("genuine" in finding.name for finding in findings)


async def test_a_module_that_trusts_everybody_is_found_out(platform: PlatformDouble) -> None:
    async def accept(request: Request) -> Response:
        await request.body()
        return JSONResponse({})

    careless = Starlette(
        routes=[
            Route("/_tochka/webhooks", accept, methods=["POST"]),
            Route("/_tochka/health", accept),
            Route("/.well-known/tochka-module.json", accept),
        ]
    )
    async with listening(careless) as url:
        wrong = {finding.name for finding in await check(url, platform) if not finding.ok}
    assert "an unsigned request is refused" in wrong
    assert "a request of an hour ago is refused" in wrong
    assert "a request after the removal gets a final no" in wrong
    assert "the manifest keeps the contract: id" in wrong


async def test_a_module_that_is_not_there_is_a_finding(platform: PlatformDouble) -> None:
    findings = await check("http://127.0.0.1:1", platform, timeout=1)
    assert findings[0].name == "the manifest is served"
    assert not findings[0].ok
