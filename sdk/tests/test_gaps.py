"""What never came is fetched: below a number that did, at the end of a stream, and after weeks offline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tochka_sdk import migrations
from tochka_sdk.background import Background
from tochka_sdk.events import Envelope, LicenseUpdated, Ping
from tochka_sdk.gaps import Gaps
from tochka_sdk.middleware import HEALTH
from tochka_sdk.testing import FreshInstallation, ModuleClient, PlatformDouble, running_module
from tochka_sdk.tokens import generate_key
from tochka_stack.testing import ScratchPostgres

from sdk.tests import example
from sdk.tests.example import Hold, moods

pytestmark = pytest.mark.anyio
FEED = ("GET", "/api/v1/module/events")
FOLDER = Path(__file__).parent / "migrations"


class World:
    """A platform and a module's database, which no other test knows of."""

    def __init__(self, platform: PlatformDouble, dsn: str, owner: Any) -> None:
        self.platform = platform
        self.dsn = dsn
        self.owner = owner

    @asynccontextmanager
    async def module(self) -> AsyncIterator[ModuleClient]:
        """The module, started anew, once it has read what the platform has."""
        read = self.reads
        async with running_module(example.module, self.platform.settings(self.dsn), self.platform) as client:
            await self._until_read(read)
            yield client

    async def _until_read(self, reads: int) -> None:
        """Wait for the background work of a start, which nobody announces."""
        query = "SELECT claimed_until IS NULL FROM tochka_feed"
        async with asyncio.timeout(10):
            while True:
                if self.reads > reads and await self.owner.fetchval(query):
                    return
                await asyncio.sleep(0.01)

    @property
    def reads(self) -> int:
        """How often the feed was asked for."""
        return self.platform.calls.count(FEED)

    def licensed(self, installation: FreshInstallation, version: int) -> Envelope:
        """News that the platform has recorded: the handler writes a note with the event's id."""
        token = self.platform.license(installation, version=2**50 + version)
        return self.platform.record("license.updated", LicenseUpdated(license=token), installation)

    async def patience_is_over(self) -> None:
        """What was overtaken has been given its time."""
        await self.owner.execute(
            "UPDATE tochka_sequences SET gap_check_at = now() WHERE gap_check_at > now()"
        )

    async def notes(self, *installations: FreshInstallation) -> list[str]:
        """The ids of the events that had their effect, in the order of the effects."""
        query = "SELECT text FROM notes WHERE installation_id = ANY($1) AND text ~ '^license' ORDER BY id"
        rows = await self.owner.fetch(query, [one.id for one in installations])
        return [row["text"].rpartition(" ")[2] for row in rows]


@pytest.fixture
async def world(postgres: ScratchPostgres) -> AsyncIterator[World]:
    """An empty world."""
    database = await postgres.create_database("gaps", "notes_owner", "notes_app")
    await asyncio.to_thread(migrations.run, database.owner_dsn, FOLDER, app_role="notes_app")
    owner = await asyncpg.connect(database.superuser_dsn)
    platform = PlatformDouble("notes", entitlements=example.module.described.entitlements_of)
    async with platform.serve():
        yield World(platform, database.dsn("notes_app"), owner)
    await owner.close()
    await postgres.drop_database(database.name)


async def test_after_weeks_offline_a_module_reads_on_where_it_was_and_misses_nothing(world: World) -> None:
    known, silent, new = FreshInstallation(), FreshInstallation(), FreshInstallation()
    async with world.module() as client:
        for one in (known, silent):
            await client.install(one)
        await Background(client.runtime).reconcile()
        heard = world.licensed(known, 0)
        await client.deliver(heard)
    requested = world.platform.requested(new)
    lost = [world.licensed(one, version) for version in range(1, 6) for one in (known, silent, new)]
    async with world.module() as client:
        background = Background(client.runtime)
        at_once = await background.fill_gaps()  # what is on its way is given time to come by itself
        await world.patience_is_over()
        filled = await background.fill_gaps()
        proofs = [await client.runtime.proof(one.tenant_id) for one in (known, silent, new)]
        reads = world.reads
        await background.reconcile()
        reads = world.reads - reads
        late = [(await client.deliver(item)).json()["status"] for item in (requested, heard, *lost)]
    assert (at_once, filled) == (0, 1 + len(lost))
    assert sorted(await world.notes(known, silent, new)) == sorted(item.id for item in (heard, *lost))
    assert [(proof.watermark, proof.missing, proof.lost) for proof in proofs] == [
        (7, False, 0),
        (6, False, 0),
        (6, False, 0),
    ]
    assert set(late) == {"duplicate"}
    assert reads == 1


async def test_of_two_processes_one_reads_the_feed(world: World) -> None:
    async with world.module() as client:
        fresh = await client.install()
        sent = [world.licensed(fresh, version) for version in range(7)]
        one, other = (Gaps(client.runtime.database, client.runtime.core, client.runtime.intake) for _ in "ab")
        await asyncio.gather(one.reconcile(), other.reconcile())
        cursor = await world.owner.fetchval("SELECT cursor FROM tochka_feed")
    assert cursor == str(1 + len(sent))
    assert (
        world.platform.calls.count(("GET", "/api/v1/module/events")) <= 5
    )  # four pages, and once at the start


async def test_while_the_core_is_away_the_feed_is_left_where_it_was(world: World) -> None:
    async with world.module() as client:
        fresh = await client.install()
        world.licensed(fresh, 1)
        background = Background(client.runtime)
        world.platform.is_away = True
        await background.reconcile()
        away = await world.owner.fetchval("SELECT cursor FROM tochka_feed")
        world.platform.is_away = False
        await background.reconcile()
        back = await world.owner.fetchval("SELECT cursor FROM tochka_feed")
    assert (away, back) == ("0", "2")


async def _two_with_holes(world: World, client: ModuleClient) -> tuple[FreshInstallation, FreshInstallation]:
    """Two tenants who each miss an event below one that came."""
    first, second = await client.install(), await client.install()
    for one in (first, second):
        world.licensed(one, 1)
        await client.deliver(world.platform.record("ping", Ping(), one, tenant_wide=True))
    await world.patience_is_over()
    return first, second


async def test_a_handler_that_fails_holds_up_its_own_tenant_and_nobody_else(world: World) -> None:
    async with world.module() as client:
        stuck, other = await _two_with_holes(world, client)
        background = Background(client.runtime)
        moods.by_tenant[stuck.tenant_id] = "crash"
        health = (await client.core.get(HEALTH)).json()["events"]
        filled = [await background.fill_gaps() for _ in range(2)]
        missing = [(await client.runtime.proof(one.tenant_id)).missing for one in (stuck, other)]
        moods.by_tenant[stuck.tenant_id] = ""
        await world.patience_is_over()
        filled.append(await background.fill_gaps())
        after = (await client.core.get(HEALTH)).json()["events"]
    assert (health, after) == ({"streams_behind": 2}, {"streams_behind": 0})
    assert filled == [1, 0, 1]
    assert missing == [True, False]
    assert [len(await world.notes(one)) for one in (stuck, other)] == [1, 1]


async def test_a_handler_that_hangs_is_given_up_and_meanwhile_others_go_on(world: World) -> None:
    hold = Hold()
    async with world.module() as client:
        stuck, other = await _two_with_holes(world, client)
        moods.holds[stuck.id] = hold
        parts = (client.runtime.database, client.runtime.core, client.runtime.intake)
        hanging = asyncio.create_task(Gaps(*parts, handler_s=3.0).fill())
        await hold.entered.wait()
        meanwhile = await Gaps(*parts).fill()
        filled = await hanging
        moods.holds.clear()
        hold.released.set()
        before = await world.notes(stuck)
        await world.patience_is_over()
        again = await Gaps(*parts).fill()
    assert (meanwhile + filled, before, again) == (1, [], 1)
    assert [len(await world.notes(one)) for one in (stuck, other)] == [1, 1]


async def test_a_long_backlog_of_one_tenant_gives_way_to_others(world: World) -> None:
    async with world.module() as client:
        long, short = await client.install(), await client.install()
        backlog = [world.licensed(long, version) for version in range(24)]
        only = world.licensed(short, 1)
        for one in (long, short):
            await client.deliver(world.platform.record("ping", Ping(), one, tenant_wide=True))
        await world.owner.execute(
            "UPDATE tochka_sequences SET gap_check_at = now() - interval '1 hour' WHERE tenant_id = $1",
            long.tenant_id,
        )
        await world.patience_is_over()
        filled = await Background(client.runtime).fill_gaps()
    order = await world.notes(long, short)
    assert filled == 25
    assert sorted(order) == sorted(item.id for item in (*backlog, only))
    assert order.index(backlog[0].id) < order.index(only.id) < order.index(backlog[-1].id)


async def test_what_the_platform_has_deleted_is_counted_as_lost_and_the_rest_goes_on(world: World) -> None:
    async with world.module() as client:
        fresh = await client.install()
        sent = [world.licensed(fresh, version) for version in range(6)]
        await client.deliver(sent[1])  # above the hole
        del world.platform.history[1:5]  # all but the last two, by their age
        await Background(client.runtime).reconcile()
        await world.patience_is_over()
        filled = await Background(client.runtime).fill_gaps()
        proof = await client.runtime.proof(fresh.tenant_id)
    assert filled == 2
    assert await world.notes(fresh) == [sent[1].id, sent[4].id, sent[5].id]
    assert (proof.watermark, proof.missing, proof.lost) == (7, False, 3)


async def test_an_event_that_this_sdk_cannot_read_waits_for_one_that_can(world: World) -> None:
    async with world.module() as client:
        fresh = await client.install()
        strange = world.platform.record("license.updated", LicenseUpdated(license="x"), fresh)
        world.platform.history[-1] = strange.model_copy(update={"data": {"license": {"version": 3}}})
        readable = world.licensed(fresh, 2)
        await client.deliver(world.platform.record("ping", Ping(), fresh, tenant_wide=True))
        await world.patience_is_over()
        filled = await Background(client.runtime).fill_gaps()
        before = await client.runtime.proof(fresh.tenant_id)
        token = LicenseUpdated(license=world.platform.license(fresh, version=2**50 + 9))
        world.platform.history[1] = strange.model_copy(update={"data": token.model_dump()})
        await world.patience_is_over()
        filled += await Background(client.runtime).fill_gaps()
        after = await client.runtime.proof(fresh.tenant_id)
    assert filled == 2
    assert await world.notes(fresh) == [readable.id, strange.id]
    assert [(proof.watermark, proof.missing) for proof in (before, after)] == [(1, True), (4, False)]


async def test_licenses_whose_key_was_withdrawn_meanwhile_give_way_to_those_of_today(world: World) -> None:
    known, new = FreshInstallation(), FreshInstallation()
    async with world.module() as client:
        await client.install(known)
    world.platform.requested(new)
    sent = [world.licensed(one, version) for version in range(2) for one in (known, new)]
    last = world.platform.record("ping", Ping(), known, tenant_wide=True)
    world.platform.license_key = generate_key()  # the old one is published no more
    async with world.module() as client:
        background = Background(client.runtime)
        await world.patience_is_over()
        in_vain = await background.fill_gaps()  # nobody says what holds today
        world.platform.licenses = {
            known.id: world.platform.license(known, version=2**51, access="limited"),
            new.id: world.platform.license(new, version=2**51),
        }
        await world.patience_is_over()
        filled = await background.fill_gaps()
        proofs = [await client.runtime.proof(one.tenant_id) for one in (known, new)]
        late = [(await client.deliver(item)).json()["status"] for item in (*sent, last)]
        homes = []
        for one in (known, new):
            async with client.storefront(one) as browser:
                homes.append((await browser.get("/")).json()["access"])
    assert (in_vain, filled) == (0, 3)  # the handlers ran once for the news, and once for the request
    assert await world.notes(known, new) == [sent[0].id]
    assert [(proof.watermark, proof.missing, proof.lost) for proof in proofs] == [
        (4, False, 0),
        (3, False, 0),
    ]
    assert set(late) == {"duplicate"}
    assert homes == ["limited", "full"]


async def test_a_late_delivery_of_a_license_whose_key_was_withdrawn_tells_what_holds_today(
    world: World,
) -> None:
    async with world.module() as client:
        fresh = await client.install()
    late = world.licensed(fresh, 1)
    world.platform.license_key = generate_key()
    async with world.module() as client:
        before = await client.deliver(late)
        stranger = world.platform.license(FreshInstallation())
        world.platform.licenses[fresh.id] = stranger
        wrong = await client.deliver(late)
        world.platform.licenses[fresh.id] = world.platform.license(fresh, version=2**51, access="limited")
        answer = await client.deliver(late)
        async with client.storefront(fresh) as browser:
            home = (await browser.get("/")).json()
    assert [answer.status_code for answer in (before, wrong, answer)] == [503, 503, 200]
    assert home["access"] == "limited"
    assert await world.notes(fresh) == [late.id]
