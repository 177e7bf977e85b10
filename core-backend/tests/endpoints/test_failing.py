"""Endpoints that fail: their tenant is warned, then nothing is sent to them any more."""

import json
from typing import Any
from uuid import UUID

import pytest
from core_kit.codes import look
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from core_kit.webhook_endpoints import ENDPOINTS, endpoint_of, read
from tochka_core.endpoints import public as endpoints
from tochka_core.endpoints.public import Result
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
HOURS = 120
FEWEST = 10


async def _try(
    core: RunningCore,
    owner: Owner,
    made: dict[str, Any],
    *,
    delivered: int = 0,
    failed: int = 0,
    gone: int = 0,
) -> dict[str, Any]:
    """What a batch of attempts says, as the dispatcher tells it; the endpoint after it."""
    place = (owner.tenant_id, UUID(made["id"]))
    results = [
        *(Result(*place, delivered=True, gone=False) for _ in range(delivered)),
        *(Result(*place, delivered=False, gone=False) for _ in range(failed)),
        *(Result(*place, delivered=False, gone=True) for _ in range(gone)),
    ]
    async with core.jobs.connections.system("a test") as connection:
        await endpoints.note_results(connection, results)
    return await read(owner, made["id"])


async def _age(database: ScratchDatabase, made: dict[str, Any], percent: float) -> None:
    """Let the endpoint fail for so long."""
    query = "UPDATE webhook_endpoints SET failing_since = now() - $2 * interval '1 hour' WHERE id = $1"
    await look(database, query, UUID(made["id"]), HOURS * percent / 100)


async def _news(database: ScratchDatabase, owner: Owner) -> list[tuple[str, dict[str, Any]]]:
    query = """
        SELECT type, data FROM events WHERE tenant_id = $1 AND type LIKE 'webhook_endpoint.%' ORDER BY id
    """
    return [(row["type"], json.loads(row["data"])) for row in await look(database, query, owner.tenant_id)]


async def test_a_tenant_is_warned_at_each_step_once_and_then_the_endpoint_is_disabled(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    made, other = await endpoint_of(owner), await endpoint_of(owner)
    first = await _try(core, owner, made, failed=1)
    assert (first["failing_since"] is not None, first["warned_percent"]) == (True, 0)
    for percent, expected in ((49, 0), (50.1, 50), (69, 50), (71, 70), (91, 90), (99, 90)):
        await _age(core_database, made, percent)
        for _ in range(2):
            assert (await _try(core, owner, made, failed=1))["warned_percent"] == expected
    await _age(core_database, made, 100.1)
    ended = await _try(core, owner, made, failed=1)
    assert (ended["status"], ended["disabled_reason"]) == ("disabled", "failing")
    again = await _try(core, owner, made, failed=1)
    assert again == ended

    about = {"endpoint_id": made["id"]}
    failing = [("webhook_endpoint.failing", {**about, "percent": percent}) for percent in (50, 70, 90)]
    disabled = ("webhook_endpoint.disabled", {**about, "reason": "failing"})
    assert await _news(core_database, owner) == [*failing, disabled]
    entries = (await owner.client.get(f"{API}/tenants/{owner.tenant_id}/audit")).json()["items"]
    told = [(entry["action"], entry["data"]) for entry in entries if entry["user_id"] is None]
    assert told == [
        ("webhook_endpoint.disabled", {"reason": "failing"}),
        *(("webhook_endpoint.failing", {"percent": percent}) for percent in (90, 70, 50)),
    ]
    assert (await read(owner, other["id"]))["failing_since"] is None


async def test_one_success_ends_a_time_of_failing(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    made = await endpoint_of(owner)
    await _try(core, owner, made, failed=FEWEST)
    await _age(core_database, made, 75)
    assert (await _try(core, owner, made, failed=1))["warned_percent"] == 70
    well = await _try(core, owner, made, delivered=1)
    assert (well["failing_since"], well["warned_percent"]) == (None, 0)
    await _try(core, owner, made, failed=FEWEST)
    await _age(core_database, made, 101)
    mixed = await _try(core, owner, made, failed=5, delivered=1)
    assert (mixed["status"], mixed["failing_since"]) == ("enabled", None)


async def test_few_failures_disable_nothing_however_long_ago_the_first_was(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    made = await endpoint_of(owner)
    await _try(core, owner, made, failed=1)
    await _age(core_database, made, 500)
    for _ in range(FEWEST - 2):
        seen = await _try(core, owner, made, failed=1)
        assert (seen["status"], seen["warned_percent"]) == ("enabled", 90)
    assert (await _try(core, owner, made, failed=1))["status"] == "disabled"


async def test_an_endpoint_that_says_that_it_is_gone_is_disabled_at_once(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    made = await endpoint_of(owner)
    ended = await _try(core, owner, made, failed=1, gone=2)
    assert (ended["status"], ended["disabled_reason"]) == ("disabled", "gone")
    assert await _try(core, owner, made, gone=1) == ended
    assert await _news(core_database, owner) == [
        ("webhook_endpoint.disabled", {"endpoint_id": made["id"], "reason": "gone"})
    ]


async def test_an_endpoint_that_is_enabled_again_begins_anew(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    made = await endpoint_of(owner)
    await _try(core, owner, made, failed=FEWEST)
    await _age(core_database, made, 101)
    await _try(core, owner, made, failed=1)
    enabled = await owner.client.patch(f"{ENDPOINTS}/{made['id']}", json={"status": "enabled"})
    assert enabled.json() == {name: value for name, value in made.items() if name != "secret"}
    await _try(core, owner, made, failed=1)
    await _age(core_database, made, 101)
    assert (await _try(core, owner, made, failed=1))["status"] == "enabled"


async def test_endpoints_are_asked_for_by_tenant_and_the_disabled_hear_what_is_kept_for_them(
    core: RunningCore, owner: Owner, stranger: Owner
) -> None:
    everything = await endpoint_of(owner)
    some = await endpoint_of(owner, event_types=["member.left"], ordered=True)
    await owner.client.patch(f"{ENDPOINTS}/{some['id']}", json={"status": "disabled"})
    await endpoint_of(stranger)
    async with core.jobs.connections.system("a test") as connection:
        found = await endpoints.list_receivers(connection, [owner.tenant_id])
    first, second = found.pop(owner.tenant_id)
    assert found == {}
    assert [(str(one.id), one.ordered) for one in (first, second)] == [
        (everything["id"], False),
        (some["id"], True),
    ]
    assert [first.wants(type) for type in ("member.left", "tenant.updated", "license.updated")] == [
        True,
        True,
        False,
    ]
    assert [second.wants(type) for type in ("member.left", "tenant.updated")] == [True, False]
