"""Webhook endpoints: added, changed, disabled and deleted by whoever manages the tenant."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from core_kit.codes import StartCore, look, refusal
from core_kit.members import enrol
from core_kit.people import API, Owner
from core_kit.webhook_endpoints import ENDPOINTS, URL, add, endpoint_of, read
from tochka_core.outbox.events import FOR_MODULES, FOR_TENANTS
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
UNKNOWN = (404, "endpoints.unknown")
MOST = 50


async def _all(owner: Owner) -> list[dict[str, Any]]:
    answer = await owner.client.get(ENDPOINTS)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def _change(owner: Owner, endpoint_id: str, **body: Any) -> dict[str, Any]:
    answer = await owner.client.patch(f"{ENDPOINTS}/{endpoint_id}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def _trail(owner: Owner) -> list[tuple[str, dict[str, Any]]]:
    """What was done to endpoints, oldest first."""
    entries = (await owner.client.get(f"{API}/tenants/{owner.tenant_id}/audit")).json()["items"]
    told = [(entry["action"], entry["data"]) for entry in entries]
    return [entry for entry in reversed(told) if entry[0].startswith("webhook_endpoint.")]


async def test_everybody_may_read_what_can_be_told_and_to_whom(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{API}/event-types")
    assert answer.status_code == 200
    items = {item["type"]: item for item in answer.json()["items"]}
    assert list(items) == sorted(FOR_MODULES | FOR_TENANTS)
    for audience, types in (("modules", FOR_MODULES), ("tenants", FOR_TENANTS | {"ping"})):
        assert {type for type, item in items.items() if audience in item["for"]} == types
    renamed = items["tenant.updated"]
    assert (renamed["title"], renamed["description"]) == (
        "The tenant changed its name",
        "The tenant changed its name.",
    )
    assert (renamed["version"], renamed["versions"]) == (1, [1])
    assert renamed["schema"]["properties"]["data"]["required"] == ["name"]


async def test_an_endpoint_lives_from_its_creation_to_its_end(owner: Owner) -> None:
    made = await endpoint_of(owner, description="Склад", event_types=["member.left", "member.joined"])
    shown = {name: value for name, value in made.items() if name != "secret"}
    assert await read(owner, made["id"]) == shown
    assert await _all(owner) == [shown]
    expected = {
        "url": URL,
        "description": "Склад",
        "event_types": ["member.joined", "member.left"],
        "schema_version": 1,
        "status": "enabled",
        "disabled_at": None,
        "disabled_reason": None,
        "ordered": False,
        "rate_per_second": 50,
        "concurrency": 8,
        "failing_since": None,
        "warned_percent": 0,
        "previous_secret_until": None,
    }
    assert {name: shown[name] for name in expected} == expected
    assert shown.keys() == {*expected, "id", "created_at"}

    changed = await _change(owner, made["id"], url="https://example.com:8443/b", ordered=True, concurrency=1)
    assert changed == shown | {"url": "https://example.com:8443/b", "ordered": True, "concurrency": 1}
    disabled = await _change(owner, made["id"], status="disabled")
    assert (disabled["status"], disabled["disabled_reason"]) == ("disabled", "owner")
    assert await _change(owner, made["id"], status="disabled") == disabled
    assert await _change(owner, made["id"], status="enabled") == changed
    assert (await owner.client.delete(f"{ENDPOINTS}/{made['id']}")).status_code == 204
    assert await _all(owner) == []
    for method in ("GET", "DELETE"):
        assert refusal(await owner.client.request(method, f"{ENDPOINTS}/{made['id']}")) == UNKNOWN


async def test_the_trail_tells_who_did_what_and_neither_path_nor_secret(owner: Owner) -> None:
    made = await endpoint_of(owner, url="https://hooks.example.com/T0/s3cret?key=s3cret")
    path = f"{ENDPOINTS}/{made['id']}"
    await _change(owner, made["id"], url="https://example.com/s3cret", description="s3cret")
    await _change(owner, made["id"], status="disabled")
    await _change(owner, made["id"], status="enabled")
    rotated = (await owner.client.post(f"{path}/rotate-secret", json={"grace_seconds": 60})).json()
    await owner.client.delete(path)
    assert await _trail(owner) == [
        ("webhook_endpoint.created", {"host": "hooks.example.com"}),
        ("webhook_endpoint.changed", {"fields": "description, url"}),
        ("webhook_endpoint.disabled", {"reason": "owner"}),
        ("webhook_endpoint.enabled", {}),
        ("webhook_endpoint.rotated", {"grace_seconds": 60}),
        ("webhook_endpoint.deleted", {"host": "example.com"}),
    ]
    trail = (await owner.client.get(f"{API}/tenants/{owner.tenant_id}/audit")).text
    assert not any(secret in trail for secret in ("s3cret", made["secret"], rotated["secret"]))


async def test_administrators_manage_endpoints_and_staff_does_not_see_them(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase
) -> None:
    made = await endpoint_of(owner)
    act = await enrol(core_database, owner, stranger, "staff")
    calls: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
        ("GET", ENDPOINTS, None),
        ("POST", ENDPOINTS, {"url": URL}),
        ("GET", f"{ENDPOINTS}/{made['id']}", None),
        ("PATCH", f"{ENDPOINTS}/{made['id']}", {"status": "disabled"}),
        ("POST", f"{ENDPOINTS}/{made['id']}/rotate-secret", None),
        ("DELETE", f"{ENDPOINTS}/{made['id']}", None),
    )
    before = await look(
        core_database, "SELECT * FROM webhook_endpoints WHERE tenant_id = $1", owner.tenant_id
    )
    for method, path, body in calls:
        answer = await stranger.client.request(method, path, json=body, headers=act)
        assert refusal(answer) == (403, "tenants.role_required")
    after = await look(core_database, "SELECT * FROM webhook_endpoints WHERE tenant_id = $1", owner.tenant_id)
    assert after == before
    promote = {"role": "admin"}
    members = f"{API}/tenants/{owner.tenant_id}/members"
    assert (await owner.client.patch(f"{members}/{stranger.user_id}", json=promote)).status_code == 200
    for method, path, body in calls:
        answer = await stranger.client.request(method, path, json=body, headers=act)
        assert answer.status_code < 300, answer.text


async def test_a_stranger_finds_nothing_and_changes_nothing(
    owner: Owner, stranger: Owner, client: httpx.AsyncClient
) -> None:
    made = await endpoint_of(owner)
    path = f"{ENDPOINTS}/{made['id']}"
    assert await _all(stranger) == []
    for method, body in (("GET", None), ("PATCH", {"url": "https://evil.example/"}), ("DELETE", None)):
        assert refusal(await stranger.client.request(method, path, json=body)) == UNKNOWN
    assert refusal(await stranger.client.post(f"{path}/rotate-secret", json={})) == UNKNOWN
    act = {"X-Tenant-ID": str(owner.tenant_id)}
    assert refusal(await stranger.client.get(path, headers=act)) == (403, "tenants.access_denied")
    assert (await client.get(path)).status_code == 401
    assert await read(owner, made["id"]) == {k: v for k, v in made.items() if k != "secret"}


async def test_a_tenant_has_fifty_endpoints_at_most_however_many_are_asked_for_at_once(owner: Owner) -> None:
    async def press() -> httpx.Response:
        answer = await add(owner)
        while answer.status_code == 503:
            answer = await add(owner)
        return answer

    async with asyncio.timeout(60):
        answers = await asyncio.gather(*(press() for _ in range(MOST + 10)))
    assert Counter(answer.status_code for answer in answers) == {201: MOST, 409: 10}
    assert {refusal(answer) for answer in answers if answer.status_code == 409} == {
        (409, "endpoints.too_many")
    }
    found = await _all(owner)
    assert len(found) == MOST
    assert (await owner.client.delete(f"{ENDPOINTS}/{found[0]['id']}")).status_code == 204
    assert (await add(owner)).status_code == 201
    assert (await add(owner)).status_code == 409


async def test_endpoints_come_in_pages_newest_first(owner: Owner) -> None:
    made = [(await endpoint_of(owner))["id"] for _ in range(5)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await owner.client.get(ENDPOINTS, params=query)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == made[::-1]


@pytest.mark.parametrize(
    "body",
    [
        {"event_types": ["no.such"]},
        {"event_types": ["license.updated"]},
        {"event_types": ["installation.requested"]},
        {"schema_version": 2},
        {"schema_version": 0},
        {"rate_per_second": 0},
        {"concurrency": 101},
        {"description": "x" * 201},
        {"secret": "whsec_" + "A" * 44},
        {"status": "gone"},
    ],
)
async def test_what_no_endpoint_can_be_is_refused(owner: Owner, body: dict[str, Any]) -> None:
    made = await endpoint_of(owner)
    assert (await add(owner, **body)).status_code == 422
    assert (await owner.client.patch(f"{ENDPOINTS}/{made['id']}", json=body)).status_code == 422
    assert await _all(owner) == [{k: v for k, v in made.items() if k != "secret"}]


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.com", "/webhooks", "https://", "ftp://example.com/", "https://[::1", "javascript:1"),
        *(
            "http://example.com/",
            "https://u:p@example.com/",
            "https://example.com/#a",
            "https://e\u0000.com/",
        ),
        *("https://example.com:22/", "https://example.com:0/", "https://example.com:99999/"),
        *("https://localhost/", "https://127.0.0.1/", "https://10.0.0.8/", "https://169.254.169.254/"),
        *("https://[::1]/", "https://[fd00::1]/", "https://example.com/" + "a" * 2048),
    ],
)
async def test_an_address_that_nothing_would_be_sent_to_is_refused(
    start_core: StartCore, owner: Owner, url: str
) -> None:
    async with (
        start_core(webhook_private_addresses=False) as strict,
        httpx.AsyncClient(base_url=strict.url, headers=owner.client.headers) as client,
    ):
        answer = await client.post(ENDPOINTS, json={"url": url})
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["url"]
        made = await client.post(ENDPOINTS, json={"url": "https://example.com:8443/webhooks?a=1"})
        assert made.status_code == 201
        changed = await client.patch(f"{ENDPOINTS}/{made.json()['id']}", json={"url": url})
        assert changed.status_code == 422
    assert [item["url"] for item in await _all(owner)] == ["https://example.com:8443/webhooks?a=1"]


async def test_a_developer_may_name_an_address_of_the_own_machine(owner: Owner) -> None:
    assert (await add(owner, url="http://127.0.0.1:9000/webhooks")).status_code == 201


async def test_a_repeated_request_adds_one_endpoint_and_is_told_the_same_secret(
    owner: Owner, core_database: ScratchDatabase
) -> None:
    key = str(uuid4())
    answers = await asyncio.gather(*(add(owner, key=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    (found,) = await _all(owner)
    secret = answers[0].json()["secret"]
    await owner.client.post(f"{ENDPOINTS}/{found['id']}/rotate-secret", json={})
    again = await add(owner, key=key)
    assert (again.headers["idempotency-replayed"], again.json()["secret"]) == ("true", secret)
    other = await add(owner, key=key, description="anders")
    assert refusal(other) == (422, "idempotency.mismatch")
    (kept,) = await look(core_database, "SELECT body::text AS body FROM idempotency_keys WHERE key = $1", key)
    assert secret not in kept["body"]
    assert secret.removeprefix("whsec_")[:43] not in kept["body"]


async def test_a_repeated_rotation_turns_the_secret_once(owner: Owner) -> None:
    made = await endpoint_of(owner)
    path = f"{ENDPOINTS}/{UUID(made['id'])}/rotate-secret"
    headers = {"Idempotency-Key": str(uuid4())}
    answers = [await owner.client.post(path, json={}, headers=headers) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["secret"] != made["secret"]
