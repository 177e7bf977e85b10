"""What the core shows to the outside, what it keeps to the private listener, and how it fails."""

import httpx
import pytest
from core_kit.running import RunningCore

pytestmark = pytest.mark.anyio
PRIVATE = (
    *("/health/live", "/health/ready", "/health/db", "/health/keys?name=x", "/metrics"),
    "/internal/resolve?host=a.localhost",
)


@pytest.mark.parametrize("path", PRIVATE)
async def test_private_addresses_do_not_exist_on_the_public_listener(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "request.not_found"


async def test_health_says_what_it_checked(core: RunningCore) -> None:
    async with httpx.AsyncClient(base_url=core.private_url) as private:
        live, ready, pool = [await private.get(path) for path in PRIVATE[:3]]
    assert live.json() == {"status": "live"}
    assert ready.json() == {"status": "ready", "database": True, "redis": True}
    assert {"size", "checked_in", "checked_out", "overflow", "wait"} <= pool.json().keys()


async def test_metrics_are_in_the_prometheus_format(core: RunningCore) -> None:
    async with httpx.AsyncClient(base_url=core.private_url) as private:
        answer = await private.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "python_info" in answer.text


async def test_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/installations" in document["paths"]
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "unsafe-inline" not in page.headers["content-security-policy"].split("script-src")[1].split(";")[0]
    for asset in ("/docs/start.js", "/docs/assets/swagger-ui-bundle.js", "/docs/assets/swagger-ui.css"):
        assert (await client.get(asset)).status_code == 200


async def test_a_request_id_is_echoed_and_a_bad_one_replaced(client: httpx.AsyncClient) -> None:
    kept = await client.get("/api/v1/nothing", headers={"X-Request-ID": "abc-1"})
    assert (kept.headers["x-request-id"], kept.json()["request_id"]) == ("abc-1", "abc-1")
    replaced = await client.get("/api/v1/nothing", headers={"X-Request-ID": "a b\tc"})
    assert replaced.headers["x-request-id"] not in {"", "a b\tc"}


async def test_answers_carry_security_headers_and_no_server_name(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/api/v1/modules")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"  # what people and secrets are told stays in no cache
    assert "server" not in headers
