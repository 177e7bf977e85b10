"""The contract suite: silent about a good module, and it finds what is wrong with a bad one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tochka_sdk import webhooks
from tochka_sdk.check import check
from tochka_sdk.errors import Unauthenticated
from tochka_sdk.testing import ModuleClient, PlatformDouble, listening

from sdk.tests.example import MANIFEST

pytestmark = pytest.mark.anyio
Door = Callable[[Request], Awaitable[Response]]


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
    assert [(finding.name, finding.ok) for finding in findings] == [
        ("the manifest is served", False),
        ("the health check answers 200", False),
    ]
    assert "no answer" in findings[0].detail


def _module(
    platform: PlatformDouble, *, door: Door | None = None, manifest: Response | None = None
) -> Starlette:
    """A plain module of four lines that keeps nothing, with one thing about it changed."""
    keys = platform.jwks()["tochka_whpk"]

    async def genuine(request: Request) -> Response:
        body = await request.body()
        try:
            webhooks.verify(request.headers, body, public_keys=keys)
            return JSONResponse({}, 200 if isinstance(orjson.loads(body), dict) else 400)
        except (Unauthenticated, ValueError):
            return JSONResponse({}, 401)

    async def described(_request: Request) -> Response:
        return manifest or JSONResponse({**MANIFEST, "id": platform.module_id})

    async def well(_request: Request) -> Response:
        return JSONResponse({})

    return Starlette(
        routes=[
            Route("/_tochka/webhooks", door or genuine, methods=["POST"]),
            Route("/_tochka/health", well),
            Route("/.well-known/tochka-module.json", described),
        ]
    )


async def _wrong(module: Starlette, platform: PlatformDouble) -> dict[str, str]:
    async with listening(module) as url:
        return {finding.name: finding.detail for finding in await check(url, platform) if not finding.ok}


async def test_one_defect_is_one_finding(platform: PlatformDouble) -> None:
    assert list(await _wrong(_module(platform), platform)) == ["a request after the removal gets a final no"]


async def test_a_module_that_reads_the_first_signature_alone_is_found_out(platform: PlatformDouble) -> None:
    async def first_only(request: Request) -> Response:
        signatures = request.headers.get("webhook-signature", "").split(" ")
        return JSONResponse({}, 200 if signatures[0].startswith("v1a,") else 401)

    wrong = await _wrong(_module(platform, door=first_only), platform)
    assert "a genuine ping is accepted" in wrong


async def test_a_module_that_breaks_the_connection_answers_for_that_question_alone(
    platform: PlatformDouble,
) -> None:
    async def crashes(request: Request) -> Response:
        if "webhook-signature" not in request.headers:
            raise KeyError("webhook-signature")
        return JSONResponse({}, 401)

    wrong = await _wrong(_module(platform, door=crashes), platform)
    assert wrong["an unsigned request is refused"].startswith("500")
    assert "a signature without a comma is refused" not in wrong


MANIFESTS = {
    "the manifest is a JSON object": Response(b"[]"),
    "the manifest has no more than 262144 bytes": Response(b" " * 300_000 + b"{}"),
    "the manifest is served": Response(status_code=302, headers={"location": "/elsewhere"}),
    "the manifest keeps the contract: version": JSONResponse({**MANIFEST, "version": "one"}),
}


@pytest.mark.parametrize("finding", MANIFESTS)
async def test_what_is_wrong_with_a_manifest_is_named(platform: PlatformDouble, finding: str) -> None:
    assert finding in await _wrong(_module(platform, manifest=MANIFESTS[finding]), platform)


async def test_a_manifest_that_comes_in_pieces_is_read_to_its_end(platform: PlatformDouble) -> None:
    document = orjson.dumps({**MANIFEST, "id": platform.module_id, "legal": {"terms": "x" * 200_000}})

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(document), 50_000):
            yield document[start : start + 50_000]
            await asyncio.sleep(0)

    module = _module(platform, manifest=StreamingResponse(pieces()))
    assert not any("manifest" in finding for finding in await _wrong(module, platform))
