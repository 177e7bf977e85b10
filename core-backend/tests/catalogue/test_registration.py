"""Entering a module in the catalogue: what it says about itself is checked, and only then stored."""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from core_kit.codes import look
from core_kit.modules import ScriptedModule, raw, registered_module
from core_kit.processes import environment
from core_kit.running import RunningCore
from tochka_core.catalogue import tasks
from tochka_core.catalogue.errors import KeyInvalid, ManifestUnreachable
from tochka_sdk.manifest import ManifestInvalid
from tochka_sdk.tokens import generate_key
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def fresh(core: RunningCore) -> AsyncIterator[ScriptedModule]:
    """A module that listens and is not registered."""
    module = ScriptedModule(f"m-{secrets.token_hex(6)}", core.resources)
    await module.start()
    yield module
    await module.stop()


async def _rows(database: ScratchDatabase, table: str, module: ScriptedModule) -> list[dict[str, Any]]:
    column = "id" if table == "modules" else "module_id"
    query = f"SELECT * FROM {table} WHERE {column} = $1 ORDER BY 1, 2"  # noqa: S608  names of our own
    return await look(database, query, module.id)


async def test_a_module_is_entered_with_its_manifest_and_plans(
    core: RunningCore, core_database: ScratchDatabase, fresh: ScriptedModule
) -> None:
    for _ in range(2):  # repeating it changes nothing
        done = await tasks.register(core.jobs, f"{fresh.url}/", fresh.public_key)
        assert (done.id, done.version) == (fresh.id, "1.0.0")
    (module,) = await _rows(core_database, "modules", fresh)
    assert (module["base_url"], module["version"], module["status"]) == (fresh.url, "1.0.0", "published")
    assert json.loads(module["public_key"]) == fresh.public_key
    (version,) = await _rows(core_database, "module_versions", fresh)
    assert json.loads(version["manifest"])["id"] == fresh.id
    plans = {row["code"]: row for row in await _rows(core_database, "plans", fresh)}
    assert plans.keys() == {"start", "pro"}
    assert json.loads(plans["start"]["entitlements"]) == {"products": 10, "export": True}
    assert json.loads(plans["pro"]["entitlements"]) == {"products": None, "export": False}
    assert {(row["price_minor"], row["currency"]) for row in plans.values()} == {(0, "RUB")}


async def test_a_newer_manifest_replaces_the_current_one_and_prices_stay(
    core: RunningCore, core_database: ScratchDatabase, fresh: ScriptedModule
) -> None:
    await tasks.register(core.jobs, fresh.url, fresh.public_key)
    connection = await asyncpg.connect(core_database.superuser_dsn)
    await connection.execute("UPDATE plans SET price_minor = 99000 WHERE module_id = $1", fresh.id)
    await connection.close()
    both = {"ru": "План", "en": "Plan"}
    fresh.manifest_changes = {
        "version": "2.0.0",
        "suggested_plans": [
            {"code": "start", "name": both, "trial_days": 7, "entitlements": {"products": 20}},
            {"code": "team", "name": both, "trial_days": 0, "entitlements": {}},
        ],
    }
    assert (await tasks.register(core.jobs, fresh.url, fresh.public_key)).version == "2.0.0"
    assert [row["version"] for row in await _rows(core_database, "module_versions", fresh)] == [
        "1.0.0",
        "2.0.0",
    ]
    plans = {row["code"]: row for row in await _rows(core_database, "plans", fresh)}
    assert {code: row["offered"] for code, row in plans.items()} == {
        "start": True,
        "team": True,
        "pro": False,
    }
    assert (plans["start"]["price_minor"], plans["start"]["trial_days"]) == (99000, 7)
    assert json.loads(plans["start"]["entitlements"]) == {"products": 20, "export": False}


async def test_a_module_that_suggests_no_plan_is_free(
    core: RunningCore, core_database: ScratchDatabase
) -> None:
    async with registered_module(core.resources, core.jobs, suggested_plans=[]) as module:
        (plan,) = await _rows(core_database, "plans", module)
        assert (plan["code"], plan["trial_days"], plan["price_minor"]) == ("free", 0, 0)
        assert json.loads(plan["entitlements"]) == {"products": 10, "export": False}


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no name in English": ({"name": {"ru": "Модуль"}}, "name.en"),
    "no version": ({"version": "one"}, "version"),
    "no id": ({"id": "Not An Id"}, "id"),
    "a newer contract": ({"manifest_version": 2}, "manifest_version"),
    "no publisher": ({"publisher": None}, "publisher"),
    "a plan with too long a trial": (
        {
            "suggested_plans": [
                {"code": "a", "name": {"ru": "а", "en": "a"}, "trial_days": 1000, "entitlements": {}}
            ]
        },
        "suggested_plans.0.trial_days",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_manifest_is_refused_by_the_name_of_its_field(
    core: RunningCore, core_database: ScratchDatabase, fresh: ScriptedModule, case: str
) -> None:
    changes, field = BROKEN[case]
    fresh.manifest_changes = changes
    with pytest.raises(ManifestInvalid) as refused:
        await tasks.register(core.jobs, fresh.url, fresh.public_key)
    assert field in [error.field for error in refused.value.errors]
    assert await _rows(core_database, "modules", fresh) == []


class _Answering(ScriptedModule):
    """A module whose manifest is whatever the test says."""

    manifest_answer: bytes | None = None

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes | None:
        return self.manifest_answer


ANSWERS = {
    "nothing": (None, "does not answer"),
    "an error": (raw(500), "answers 500"),
    "a redirect": (raw(302, Location="http://127.0.0.1:1/"), "answers 302"),
    "not JSON": (raw(200, b"<html>"), "is not JSON"),
    "not an object": (raw(200, b"[1]"), "is not a JSON object"),
    "too much": (raw(200, b" " * 300_000), "is larger than"),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_what_is_no_manifest_is_refused_with_the_reason(core: RunningCore, case: str) -> None:
    module = _Answering("unused", core.resources)
    module.manifest_answer, reason = ANSWERS[case]
    await module.start()
    try:
        with pytest.raises(ManifestUnreachable, match=reason):
            await tasks.register(core.jobs, module.url, module.public_key)
    finally:
        await module.stop()


async def test_an_address_where_nobody_listens_is_refused(core: RunningCore) -> None:
    for url in ("http://127.0.0.1:1", "not an address", "ftp://127.0.0.1"):
        with pytest.raises(ManifestUnreachable, match="does not answer"):
            await tasks.register(core.jobs, url, ScriptedModule("unused", core.resources).public_key)


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"kty": "OKP"},
        {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
        {"kty": "oct", "k": "AAAA"},
        generate_key().as_dict(private=True),
    ],
)
async def test_only_the_public_half_of_an_ed25519_key_is_taken(
    core: RunningCore, fresh: ScriptedModule, key: dict[str, Any]
) -> None:
    with pytest.raises(KeyInvalid):
        await tasks.register(core.jobs, fresh.url, key)


async def test_the_command_line_registers_a_module(core: RunningCore, fresh: ScriptedModule) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tochka_core.main", "register", "--url", fresh.url),
        *("--public-key", json.dumps(fresh.public_key)),
        env=environment(core.settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert (process.returncode, out.decode()) == (0, f"{fresh.id} 1.0.0\n")
