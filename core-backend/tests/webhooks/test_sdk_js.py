"""A module in TypeScript on the real core: whatever happens on the way, every event has its effect once.

The module is a process of its own (`sdk-js/tests/real/module.ts`) with a database of its own. Between the
core and its door stands a `ScriptedModule`, which repeats, holds back and loses what it should pass on.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import pytest
from core_kit.activation import activate, outcome
from core_kit.codes import look
from core_kit.modules import REMOVED, REQUESTED, Received, ScriptedModule, raw
from core_kit.people import API, Owner
from core_kit.processes import kill
from core_kit.running import RunningCore
from core_kit.waiting import until
from tochka_core.catalogue import tasks as catalogue
from tochka_core.webhooks.service import digests
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

from tests.node import find_node, sdk_js

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("dispatcher")]
RENAMED = "tenant.updated"
EFFECTS = "SELECT sequence, event_id, type, detail FROM effects WHERE tenant_id = $1 ORDER BY sequence"
GIVEN = """
    SELECT sequence, event_id::text, type FROM deliveries WHERE tenant_id = $1 AND receiver = $2
    ORDER BY sequence
"""

A_DAY_LATER = """
    UPDATE receiver_sequences SET digested_at = now() - interval '25 hours' WHERE tenant_id = $1
    RETURNING receiver
"""


@dataclass
class Way:
    """The way from the core to the module's door: what a test lets happen to an event on it."""

    url: str
    client: httpx.AsyncClient
    held: list[Received] = field(default_factory=list)

    async def passes(self, received: Received) -> bytes:
        """Pass it on, and the answer back."""
        answer = await self.client.post(self.url, content=received.body, headers=self._headers(received))
        return raw(answer.status_code, answer.content)

    async def repeats(self, received: Received) -> bytes:
        """Pass it on three times at once."""
        return (await asyncio.gather(*[self.passes(received) for _ in range(3)]))[0]

    async def holds(self, received: Received) -> bytes:
        """Say that it is done, and pass it on when the test says so."""
        self.held.append(received)
        return raw(200)

    async def loses(self, received: Received) -> bytes:
        """Say that it is done."""
        return raw(200)

    @staticmethod
    def _headers(received: Received) -> dict[str, str]:
        kept = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type")
        return {name: received.headers[name] for name in kept}


@dataclass(frozen=True)
class Scene:
    """One tenant, one module, and the way between."""

    core: RunningCore
    owner: Owner
    relay: ScriptedModule
    core_database: ScratchDatabase
    database: ScratchDatabase

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
        """The module's process, and its address."""
        node = find_node()
        process = await asyncio.create_subprocess_exec(
            str(node),
            "tests/real/module.ts",
            cwd=sdk_js(node),
            env={"TEST_MODULE": json.dumps(self._settings())},
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            port = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
            assert port, "the module has ended instead of starting"
            yield f"http://127.0.0.1:{port}", process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    @asynccontextmanager
    async def way(self, url: str) -> AsyncIterator[Way]:
        """The way to a running module: it passes on what comes, until a test lets something happen."""
        async with httpx.AsyncClient(timeout=20) as client:
            way = Way(f"{url}/_tochka/webhooks", client)
            self.relay.on = dict.fromkeys((REQUESTED, REMOVED, RENAMED, "digest"), way.passes)
            yield way

    def _settings(self) -> dict[str, Any]:
        return {
            "moduleId": self.relay.id,
            "coreUrl": self.core.url,
            "issuer": self.core.resources.addresses.issuer,
            "privateKey": json.dumps(self.relay.key.as_dict(private=True)),
            "secret": self.core.resources.keyring.receiver_secret(self.relay.id),
            "databaseUrl": self.database.owner_dsn,
            "manifest": self.relay.manifest(),
        }

    async def rename(self, name: str) -> None:
        """An event for every module that the tenant has."""
        path = f"{API}/tenants/{self.owner.tenant_id}"
        assert (await self.owner.client.patch(path, json={"name": name})).status_code == 200

    async def live(self) -> str:
        """Activate the module, and wait until it is ready."""
        body = await activate(self.owner, self.relay.id)
        assert (await outcome(self.owner, body["id"]))["status"] == "live"
        return str(body["id"])

    async def everything(self, url: str, count: int) -> dict[str, Any]:
        """Wait until the module has taken so many events without a gap; how far it has come then."""
        path = f"{url}/progress?tenant={self.owner.tenant_id}"
        async with httpx.AsyncClient(timeout=20) as client:

            async def is_told() -> bool:
                progress = (await client.get(path)).json()
                return progress is not None and progress["watermark"] >= count

            await until(is_told)
            return dict((await client.get(path)).json())

    async def each_once(self, count: int) -> None:
        """Every event that the core has given out had its effect, and none had it twice."""
        effects = await look(self.database, EFFECTS, self.owner.tenant_id)
        given = await look(self.core_database, GIVEN, self.owner.tenant_id, self.relay.id)
        assert [{name: row[name] for name in ("sequence", "event_id", "type")} for row in effects] == given
        assert [row["sequence"] for row in effects] == list(range(1, count + 1))


@pytest.fixture
async def scene(
    core: RunningCore,
    owner: Owner,
    module: ScriptedModule,
    core_database: ScratchDatabase,
    postgres: ScratchPostgres,
) -> AsyncIterator[Scene]:
    """A fresh tenant, a fresh module, an empty database."""
    database = await postgres.create_database("typescript", "typescript_owner")
    yield Scene(core, owner, module, core_database, database)
    await postgres.drop_database(database.name)


async def test_a_module_in_typescript_is_registered_opened_and_closed(scene: Scene) -> None:
    async with scene.running() as (url, _):
        await catalogue.register(scene.core.jobs, url, scene.relay.public_key)
        installation = await scene.live()
        answer = await scene.owner.client.delete(f"{API}/installations/{installation}")
        assert answer.status_code == 204, answer.text
        await scene.everything(url, 2)
        await scene.each_once(2)
    assert scene.relay.received == []


async def test_repeated_reordered_and_lost_on_the_way_each_event_has_its_effect_once(scene: Scene) -> None:
    async with scene.running() as (url, _), scene.way(url) as way:
        scene.relay.on[REQUESTED] = way.repeats
        await scene.live()
        behaviours = (way.repeats, way.holds, way.holds, way.loses, way.holds, way.repeats, way.loses)
        for number, behaviour in enumerate(behaviours, 1):
            scene.relay.on[RENAMED] = behaviour
            await scene.rename(f"name {number}")
            await scene.relay.wait_for(RENAMED, number)
        for received in reversed(way.held):
            assert (await way.repeats(received)).startswith(b"HTTP/1.1 200")
        scene.relay.on[RENAMED] = way.passes
        await scene.rename("the last")
        progress = await scene.everything(url, 9)
        assert (progress["highest"], progress["hasGap"]) == (9, False)
        await scene.each_once(9)
        for received in scene.relay.received:  # and all of it once more, as in a year
            assert b'"duplicate"' in await way.passes(received)
        await scene.each_once(9)


async def test_a_module_that_was_away_catches_up_and_a_digest_proves_it(scene: Scene) -> None:
    async with scene.running() as (url, process), scene.way(url):
        await scene.live()
        await scene.everything(url, 1)
        await kill(process)
    scene.relay.on = {}  # what comes now is lost, as it is when the core has given up
    for number in range(1, 4):
        await scene.rename(f"name {number}")
    await scene.relay.wait_for(RENAMED, 3)
    async with scene.running() as (url, _), scene.way(url):
        async with httpx.AsyncClient(timeout=20) as client:
            assert (await client.get(f"{url}/catch-up")).status_code == 200
        await scene.everything(url, 4)
        await scene.each_once(4)
        await _give_out_digest(scene)
        progress = await scene.everything(url, 5)
        (digest,) = await scene.relay.wait_for("digest")
        assert datetime.fromisoformat(progress["provedUntil"]) == _milliseconds(digest.envelope.timestamp)


def _milliseconds(moment: datetime) -> datetime:
    """As JavaScript knows it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


async def _give_out_digest(scene: Scene) -> None:
    """A day has passed since the tenant's last one."""
    await look(scene.core_database, A_DAY_LATER, scene.owner.tenant_id)
    async with scene.core.jobs.connections.system("test") as connection:
        while await digests.write(connection):
            pass
