"""What the gateway is told about a host, and about certificates."""

import asyncpg
import httpx
import pytest
from core_kit.activation import activate, outcome
from core_kit.codes import refusal
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from tochka_core.subscriptions import public as subscriptions
from tochka_sdk.db import Scope
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _ask(core: RunningCore, host: str, path: str = "resolve", name: str = "host") -> httpx.Response:
    async with httpx.AsyncClient(base_url=core.private_url) as gateway:
        return await gateway.get(f"/internal/{path}", params={name: host})


async def test_a_host_is_known_from_its_press_of_the_button_to_its_removal(
    core: RunningCore, owner: Owner, module: ScriptedModule
) -> None:
    body = await activate(owner, module.id)  # nobody dispatches
    early = await _ask(core, body["host"])
    assert refusal(early) == (503, "domains.provisioning")
    assert early.headers["retry-after"] == "1"
    answer = await module.call(core.url, "POST", f"/installations/{body['id']}/ready")
    assert answer.status_code == 200
    found = await _ask(core, body["host"])
    assert found.json() == {
        "installation_id": body["id"],
        "tenant_id": str(owner.tenant_id),
        "module": module.id,
        "upstream": f"127.0.0.1:{module.port}",
        "access": "full",
    }
    assert found.headers["x-upstream"] == f"127.0.0.1:{module.port}"
    assert found.headers["cache-control"] == "no-store"
    await owner.client.delete(f"{API}/installations/{body['id']}")
    assert refusal(await _ask(core, body["host"])) == (404, "domains.unknown")


async def test_a_host_is_understood_as_browsers_write_it(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    host = body["host"]
    for written in (host.upper(), f"{host}:8080", f"{host}.", f"{host}.:8080"):
        assert (await _ask(core, written)).status_code == 200, written
        assert (await _ask(core, written, "tls-ask", "domain")).status_code == 200, written


@pytest.mark.parametrize(
    "host",
    [
        "",
        "nobody.localhost",
        "localhost",
        "a" * 300,
        "a.localhost:80x",
        "[::1]:80",
        "пирог.localhost",
        "a\x00b",
    ],
)
async def test_an_unknown_host_is_not_found(core: RunningCore, host: str) -> None:
    assert refusal(await _ask(core, host)) == (404, "domains.unknown")
    assert refusal(await _ask(core, host, "tls-ask", "domain")) == (404, "domains.unknown")


async def test_a_suspended_subscription_closes_the_host_at_once_and_opens_it_again(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    scope, subscription = Scope(tenant_id=owner.tenant_id), body["subscription"]["id"]
    async with core.resources.connections.transaction(scope) as connection:
        await subscriptions.suspend(connection, core.resources, owner.tenant_id, subscription)
    assert refusal(await _ask(core, body["host"])) == (403, "domains.suspended")
    assert refusal(await _ask(core, body["host"], "tls-ask", "domain")) == (403, "domains.suspended")
    async with core.resources.connections.transaction(scope) as connection:
        await subscriptions.resume(connection, core.resources, owner.tenant_id, subscription)
    assert (await _ask(core, body["host"])).status_code == 200


@pytest.mark.parametrize(
    ("base_url", "upstream"),
    [
        ("http://shop.internal", "shop.internal:80"),
        ("https://shop.internal", "shop.internal:443"),
        ("http://[::1]:9000", "[::1]:9000"),
        ("http://SHOP.internal:9000/base", "shop.internal:9000"),
    ],
)
async def test_an_upstream_is_a_host_and_a_port(
    core: RunningCore,
    core_database: ScratchDatabase,
    owner: Owner,
    module: ScriptedModule,
    dispatcher: None,
    base_url: str,
    upstream: str,
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    connection = await asyncpg.connect(core_database.superuser_dsn)
    await connection.execute("UPDATE modules SET base_url = $2 WHERE id = $1", module.id, base_url)
    await connection.close()
    assert (await _ask(core, body["host"])).headers["x-upstream"] == upstream
