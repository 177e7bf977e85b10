"""Activation, from a press of the button to a storefront that the gateway routes to."""

import httpx
import pytest
from core_kit.activation import ask, read, unique_label, watch
from core_kit.modules import ScriptedModule
from core_kit.people import Owner
from core_kit.running import RunningCore

pytestmark = pytest.mark.anyio


async def test_an_activation_goes_live_and_the_gateway_is_told_where(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    label = unique_label()
    answer = await ask(owner, module.id, label)
    assert answer.status_code == 201
    body = answer.json()
    assert body["status"] == "provisioning"
    assert body["url"] == f"http://{label}.localhost:8080"
    assert body["host"] == f"{label}.localhost"
    assert body["failure"] is None
    assert body["subscription"]["status"] == "trialing"
    assert body["subscription"]["plan"] == "start"
    told = await watch(owner, body["id"])
    assert (told[-1]["event"], told[-1]["status"], told[-1]["step"]) == ("progress", "live", "live")
    assert told[-1]["url"] == body["url"]
    assert (await read(owner, body["id"])) == {**body, "status": "live"}
    async with httpx.AsyncClient(base_url=core.private_url) as gateway:
        resolved = await gateway.get("/internal/resolve", params={"host": f"{label}.localhost"})
    assert resolved.status_code == 200
    assert resolved.headers["x-upstream"] == f"127.0.0.1:{module.port}"
    assert resolved.headers["x-tochka-installation"] == body["id"]
    assert resolved.headers["x-tochka-tenant"] == str(owner.tenant_id)
