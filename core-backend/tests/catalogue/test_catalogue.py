"""The catalogue as anyone sees it."""

from typing import Any

import asyncpg
import httpx
import pytest
from core_kit.activation import ask, unique_label
from core_kit.codes import refusal
from core_kit.modules import ScriptedModule, registered_module
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from core_kit.wired import wired_core
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _all(client: httpx.AsyncClient, limit: int = 100) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    query = {"limit": str(limit)}
    while True:
        page = (await client.get(f"{API}/modules", params=query)).json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        query["cursor"] = page["next_cursor"]


async def test_a_module_is_shown_with_its_plans_to_anyone(
    client: httpx.AsyncClient, module: ScriptedModule
) -> None:
    answer = await client.get(f"{API}/modules/{module.id}")
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["id"] == module.id
    assert shown["version"] == "1.0.0"
    assert shown["name"] == {"ru": "Модуль", "en": "Module"}
    assert shown["publisher"] == {"name": "Tests", "support_url": "https://example.org/help"}
    assert [plan["code"] for plan in shown["plans"]] == ["start", "pro"]
    start = shown["plans"][0]
    assert (start["trial_days"], start["price_minor"], start["currency"]) == (14, 0, "RUB")
    assert start["entitlements"] == {"products": 10, "export": True}
    assert shown.keys() == {
        *("id", "version", "name", "summary", "description", "category", "icon", "screenshots"),
        *("publisher", "entitlements", "plans"),
    }
    assert [found for found in await _all(client) if found["id"] == module.id] == [shown]


async def test_pages_hold_every_module_once(core: RunningCore, client: httpx.AsyncClient) -> None:
    async with (
        registered_module(core.resources, core.jobs),
        registered_module(core.resources, core.jobs),
        registered_module(core.resources, core.jobs),
    ):
        whole = [module["id"] for module in await _all(client)]
        assert len(whole) >= 3
        assert whole == sorted(set(whole))
        assert [module["id"] for module in await _all(client, limit=2)] == whole


@pytest.mark.parametrize("module_id", ["no-such-module", "Not%20An%20Id", "%00"])
async def test_an_unknown_module_is_not_found(client: httpx.AsyncClient, module_id: str) -> None:
    answer = await client.get(f"{API}/modules/{module_id}")
    assert refusal(answer) == (404, "catalogue.module_unknown")


async def test_a_withdrawn_module_is_neither_shown_nor_activated(
    core_database: ScratchDatabase, client: httpx.AsyncClient, owner: Owner, module: ScriptedModule
) -> None:
    connection = await asyncpg.connect(core_database.superuser_dsn)
    await connection.execute("UPDATE modules SET status = 'withdrawn' WHERE id = $1", module.id)
    await connection.close()
    assert refusal(await client.get(f"{API}/modules/{module.id}")) == (404, "catalogue.module_unknown")
    assert module.id not in [found["id"] for found in await _all(client)]
    refused = await ask(owner, module.id, unique_label())
    assert refusal(refused) == (404, "catalogue.module_unknown")


async def test_the_list_asks_as_much_for_twenty_modules_as_for_one(
    redis_url: str, own_database: ScratchDatabase
) -> None:
    async with wired_core(own_database, redis_url) as wired:
        counts = []
        for count in (1, 20):
            while len(await _all(wired.owner.client)) < count:
                async with registered_module(wired.core.resources, wired.core.jobs):
                    pass
            wired.wire.statements.clear()
            assert len(await _all(wired.owner.client)) == count
            counts.append(len(wired.wire.statements))
        assert counts[0] == counts[1]
