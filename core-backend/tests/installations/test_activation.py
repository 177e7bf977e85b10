"""Activation, from a press of the button to a storefront that the gateway routes to."""

from datetime import datetime, timedelta

import httpx
import pytest
from core_kit.activation import activate, ask, outcome, read, unique_label, watch
from core_kit.codes import look, refusal
from core_kit.members import enrol
from core_kit.modules import REQUESTED, ScriptedModule
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from tochka_sdk import license as licenses
from tochka_sdk.events import InstallationRequested
from tochka_stack.testing import ScratchDatabase

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


async def test_the_module_is_told_all_that_it_needs(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    (received,) = await module.wait_for(REQUESTED)
    envelope = received.envelope
    assert (envelope.type, envelope.sequence, envelope.schema_version) == (REQUESTED, 1, 1)
    assert envelope.tenant_id == owner.tenant_id
    assert str(envelope.installation_id) == body["id"]
    assert envelope.receiver == module.id
    told = InstallationRequested.model_validate(envelope.data)
    assert (told.module, told.host, told.url) == (module.id, body["host"], body["url"])
    assert (told.plan, told.locale) == ("start", "ru")
    assert told.tenant_name
    assert told.deadline - envelope.timestamp > timedelta(seconds=50)
    license = licenses.verify(
        told.license, core.resources.keyring.jwks(), module.id, core.resources.addresses.issuer
    )
    assert str(license.installation_id) == body["id"]
    assert license.tenant_id == owner.tenant_id
    assert (license.access, license.status, license.plan) == ("full", "trialing", "start")
    assert license.entitlements == {"products": 10, "export": True}
    assert license.exp - license.iat == 24 * 3600
    assert license.grace_until - license.iat == 72 * 3600
    assert abs(license.version / 1000 - license.iat) < 60


async def test_the_trial_lasts_as_long_as_the_plan_says(owner: Owner, module: ScriptedModule) -> None:
    body = await activate(owner, module.id)
    ends = datetime.fromisoformat(body["subscription"]["trial_ends_at"])
    begun = datetime.fromisoformat(body["created_at"])
    assert abs(ends - begun - timedelta(days=14)) < timedelta(minutes=1)


async def test_a_plan_without_a_trial_is_active_at_once(owner: Owner, module: ScriptedModule) -> None:
    body = await activate(owner, module.id, plan="pro")
    assert body["subscription"]["plan"] == "pro"
    assert (body["subscription"]["status"], body["subscription"]["trial_ends_at"]) == ("active", None)


async def test_an_address_is_understood_in_capitals(owner: Owner, module: ScriptedModule) -> None:
    label = unique_label()
    assert (await activate(owner, module.id, label.upper()))["host"] == f"{label}.localhost"


BAD_REQUESTS: dict[str, tuple[dict[str, str | None], int, str]] = {
    "unknown module": ({"module": "no-such-module"}, 404, "catalogue.module_unknown"),
    "no module's id": ({"module": "no such\x00module"}, 404, "catalogue.module_unknown"),
    "unknown plan": ({"plan": "gold"}, 422, "catalogue.plan_unknown"),
    "no plan's code": ({"plan": "\x00"}, 422, "catalogue.plan_unknown"),
    "too short": ({"subdomain": "ab"}, 422, "domains.malformed"),
    "too long": ({"subdomain": "a" * 33}, 422, "domains.malformed"),
    "with a dot": ({"subdomain": "a.b.c"}, 422, "domains.malformed"),
    "punycode": ({"subdomain": "xn--80ak6aa92e"}, 422, "domains.malformed"),
    "not Latin": ({"subdomain": "пекарня"}, 422, "domains.malformed"),
    "with a NUL": ({"subdomain": "abc\x00"}, 422, "domains.malformed"),
    "reserved": ({"subdomain": "Admin"}, 409, "domains.reserved"),
    "no subdomain": ({"subdomain": None}, 422, "request.invalid"),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
async def test_what_cannot_be_activated_is_refused_and_leaves_nothing(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, case: str
) -> None:
    change, status, code = BAD_REQUESTS[case]
    wanted: dict[str, str | None] = {"module": module.id, "subdomain": unique_label(), **change}
    assert refusal(await owner.client.post(f"{API}/installations", json=wanted)) == (status, code)
    rows = await look(
        core_database, "SELECT count(*) AS n FROM installations WHERE tenant_id = $1", owner.tenant_id
    )
    assert rows[0]["n"] == 0


async def test_staff_may_look_but_not_activate(
    core_database: ScratchDatabase, owner: Owner, stranger: Owner, module: ScriptedModule
) -> None:
    acting = await enrol(core_database, owner, stranger, "staff")
    wanted = {"module": module.id, "subdomain": unique_label()}
    refused = await stranger.client.post(f"{API}/installations", json=wanted, headers=acting)
    assert refusal(refused) == (403, "tenants.role_required")
    seen = await stranger.client.get(f"{API}/installations", headers=acting)
    assert seen.json() == {"items": [], "next_cursor": None}


async def test_an_administrator_activates_for_the_tenant(
    core_database: ScratchDatabase, owner: Owner, stranger: Owner, module: ScriptedModule
) -> None:
    acting = await enrol(core_database, owner, stranger, "admin")
    wanted = {"module": module.id, "subdomain": unique_label()}
    made = await stranger.client.post(f"{API}/installations", json=wanted, headers=acting)
    assert made.status_code == 201
    assert (await read(owner, made.json()["id"])) == made.json()


async def test_nobody_sees_a_strangers_installation(
    owner: Owner, stranger: Owner, client: httpx.AsyncClient, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    path = f"{API}/installations/{body['id']}"
    calls = (("GET", path), ("GET", f"{path}/progress"), ("POST", f"{path}/session"), ("DELETE", path))
    for method, address in calls:
        refused = await stranger.client.request(method, address)
        assert refusal(refused) == (404, "installations.unknown")
        assert (await client.request(method, address)).status_code == 401
        foreign = {"X-Tenant-ID": str(owner.tenant_id)}
        refused = await stranger.client.request(method, address, headers=foreign)
        assert refusal(refused) == (403, "tenants.access_denied")
    assert (await read(owner, body["id"]))["status"] == "live"
    assert (await owner.client.get(f"{API}/installations/not-a-uuid")).status_code == 422
