"""What the API says of itself: valid, complete, and true about errors and events."""

import json
from typing import Any

import httpx
import pytest
from core_kit.people import API
from jsonschema import Draft202012Validator
from tochka_core.outbox.events import FOR_MODULES, FOR_TENANTS
from tochka_sdk.events import COMMANDS

pytestmark = pytest.mark.anyio

# contract §2, as far as it is built; a call that vanishes breaks a client
CALLS = """
get /auth/channels
post /auth/challenges
post /auth/challenges/{challenge_id}/resend
post /auth/challenges/{challenge_id}/confirm
post /auth/refresh
post /auth/logout
get /me
patch /me
get /me/sessions
delete /me/sessions
delete /me/sessions/{session_id}
put /me/password
delete /me/password
post /me/reauthentication
post /me/reauthentication/challenges
post /me/phone-changes
delete /me/phone-changes/{change_id}
post /me/phone-changes/{change_id}/confirm
post /me/phone-changes/{change_id}/old-phone
post /me/phone-changes/{change_id}/old-phone/confirm
post /auth/login
get /auth/channels
post /auth/challenges/{challenge_id}/recover
get /me/audit
get /tenants
post /tenants
get /tenants/{tenant_id}
patch /tenants/{tenant_id}
get /tenants/{tenant_id}/members
patch /tenants/{tenant_id}/members/{user_id}
delete /tenants/{tenant_id}/members/{user_id}
get /tenants/{tenant_id}/invitations
post /tenants/{tenant_id}/invitations
delete /tenants/{tenant_id}/invitations/{invitation_id}
get /tenants/{tenant_id}/handover
put /tenants/{tenant_id}/handover
delete /tenants/{tenant_id}/handover
post /tenants/{tenant_id}/handover/accept
post /tenants/{tenant_id}/handover/decline
get /me/invitations
post /me/invitations/find
post /me/invitations/{invitation_id}/accept
post /me/invitations/{invitation_id}/decline
get /tenants/{tenant_id}/audit
get /modules
get /modules/{module_id}
get /subdomains/{label}
get /installations
post /installations
get /installations/{installation_id}
delete /installations/{installation_id}
get /installations/{installation_id}/progress
post /installations/{installation_id}/session
get /subscriptions
get /subscriptions/{subscription_id}
get /event-types
get /webhook-endpoints
post /webhook-endpoints
get /webhook-endpoints/{endpoint_id}
patch /webhook-endpoints/{endpoint_id}
delete /webhook-endpoints/{endpoint_id}
post /webhook-endpoints/{endpoint_id}/rotate-secret
post /webhook-endpoints/{endpoint_id}/test
post /webhook-endpoints/{endpoint_id}/recover
post /webhook-endpoints/{endpoint_id}/replays
get /webhook-endpoints/{endpoint_id}/replays
get /replays/{replay_id}
post /replays/{replay_id}/cancel
get /deliveries
get /deliveries/{delivery_id}
get /deliveries/{delivery_id}/attempts
post /deliveries/{delivery_id}/replay
get /module/events
get /module/licenses/{installation_id}
post /module/installations/{installation_id}/ready
post /module/installations/{installation_id}/failed
get /dev/inbox
"""


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    """The document as clients get it."""
    answer = await client.get(f"{API}/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return dict(answer.json())


async def test_every_call_is_described(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    found = {f"{method} {path}" for path, calls in document["paths"].items() for method in calls}
    wanted = {line.replace(" ", f" {API}", 1) for line in CALLS.strip().splitlines()}
    assert found == {*wanted, "get /.well-known/jwks.json"}


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> list[str]:
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        own = [node["$ref"]] if isinstance(node, dict) and isinstance(node.get("$ref"), str) else []
        return own + [found for child in children for found in references(child)]

    for reference in references(document):
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


async def test_every_refusal_is_described_as_the_problem_that_it_is(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            refusals = [answer for status, answer in call["responses"].items() if not status.startswith("2")]
            assert refusals, (method, path)
            assert all(answer == {"$ref": "#/components/responses/Problem"} for answer in refusals)
    content = document["components"]["responses"]["Problem"]["content"]
    assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    schema = {**document, "$ref": "#/components/schemas/Problem"}
    answers = [
        await client.get(f"{API}/me"),
        await client.get(f"{API}/nothing"),
        await client.post(f"{API}/auth/challenges", json={"channel": "owl"}),
    ]
    for answer in answers:
        assert list(Draft202012Validator(schema).iter_errors(answer.json())) == []
    assert list(Draft202012Validator(schema).iter_errors({"detail": []}))


async def test_what_is_told_stands_in_it_as_webhooks(document: dict[str, Any]) -> None:
    assert document["webhooks"].keys() == FOR_MODULES | FOR_TENANTS
    for name, item in document["webhooks"].items():
        schema = item["post"]["requestBody"]["content"]["application/json"]["schema"]
        Draft202012Validator.check_schema(schema)
        assert schema["properties"]["type"] == {"const": name}
        assert ("409" in item["post"]["responses"]) is (name in COMMANDS)
        assert ("modules" in item["post"]["tags"]) is (name in FOR_MODULES)
        assert ("tenants" in item["post"]["tags"]) is (name in FOR_TENANTS | {"ping"})
    ping = document["webhooks"]["ping"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    example = {"id": "1", "type": "ping", "sequence": 1, "timestamp": "2026-11-25T10:00:00Z", "data": {}}
    person = {"tenant_id": "01a214c3-2fef-780f-9ba1-fa834fc0b89a"}
    assert list(Draft202012Validator(ping).iter_errors({**example, **person})) == []
    assert list(Draft202012Validator(ping).iter_errors(json.loads('{"type": "pong"}')))
