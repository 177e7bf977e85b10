"""Exactly once, with real races on a real PostgreSQL: copies, disorder, crashes, numbers given out anew."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest
from tochka_sdk.background import Background
from tochka_sdk.events import Envelope, LicenseUpdated, Ping, TenantUpdated
from tochka_sdk.testing import FreshInstallation, ModuleClient, PlatformDouble

from sdk.tests.example import Hold, moods

pytestmark = pytest.mark.anyio


def licensed(platform: PlatformDouble, installation: FreshInstallation, version: int) -> Envelope:
    """News with an effect that can be counted: the handler writes a note with the event's id."""
    token = platform.license(installation, version=2**50 + version)
    return platform.record("license.updated", LicenseUpdated(license=token), installation)


async def effects(owner: Any, installation: FreshInstallation) -> Counter[str]:
    """How often each event had its effect."""
    rows = await owner.fetch("SELECT text FROM notes WHERE installation_id = $1", installation.id)
    return Counter(row["text"].rpartition(" ")[2] for row in rows if row["text"].startswith("license"))


async def watermark(owner: Any, installation: FreshInstallation) -> tuple[int, int]:
    """The stream's watermark, and the highest number heard of."""
    row = await owner.fetchrow("SELECT * FROM tochka_sequences WHERE tenant_id = $1", installation.tenant_id)
    return row["last_sequence"], row["highest_sequence"]


async def forget_all_notes(owner: Any, installation: FreshInstallation) -> None:
    """What cleaning does in the course of weeks."""
    await owner.execute(
        "DELETE FROM tochka_events e USING tochka_sequences s WHERE e.tenant_id = s.tenant_id"
        " AND e.sequence <= s.last_sequence AND s.tenant_id = $1",
        installation.tenant_id,
    )


def words(answers: list[Any]) -> list[str]:
    """What the module said to each delivery."""
    return [answer.json()["status"] for answer in answers]


async def test_copies_in_any_order_at_once_have_one_effect_each(
    running: ModuleClient, platform: PlatformDouble, owner: Any
) -> None:
    shops = [await running.install()]
    shops.append(await running.install(FreshInstallation(tenant_id=shops[0].tenant_id)))
    # one license for all events of a shop: whichever comes first stores it, and the others are stale
    tokens = {shop.id: LicenseUpdated(license=platform.license(shop, version=2**50)) for shop in shops}
    made = [platform.event("license.updated", tokens[shop.id], shop) for shop in shops for _ in range(10)]
    copies = [envelope for envelope in made for _ in range(8)]
    random.Random(7).shuffle(copies)
    said = Counter(words(await asyncio.gather(*(running.deliver(copy) for copy in copies))))
    assert said == {"done": 2, "stale": 18, "duplicate": 140}
    assert [sum((await effects(owner, shop)).values()) for shop in shops] == [1, 1]
    assert await watermark(owner, shops[0]) == (22, 22)


async def test_a_flood_in_disorder_reaches_the_end_of_the_run(
    running: ModuleClient, platform: PlatformDouble, owner: Any
) -> None:
    shops = [await running.install()]
    shops += [await running.install(FreshInstallation(tenant_id=shops[0].tenant_id)) for _ in range(3)]
    sent = [licensed(platform, shop, version) for version in range(1, 6) for shop in shops]
    names = [
        platform.record("tenant.updated", TenantUpdated(name=f"Имя {n}"), shops[0], tenant_wide=True)
        for n in range(5)
    ]
    everything = [*sent, *names] * 2
    random.Random(11).shuffle(everything)
    answers = await asyncio.gather(*(running.deliver(item) for item in everything))
    assert {answer.status_code for answer in answers} == {200}
    assert Counter(words(answers))["duplicate"] == len(everything) // 2
    for shop in shops:
        assert set((await effects(owner, shop)).values()) == {1}
    assert await watermark(owner, shops[0]) == (4 + len(sent) + len(names),) * 2
    async with running.storefront(shops[2]) as browser:
        assert (await browser.get("/")).json()["tenant_name"] == "Имя 4"


async def test_a_repetition_is_one_for_ever_though_nothing_is_kept_of_the_event(
    running: ModuleClient, platform: PlatformDouble, owner: Any
) -> None:
    fresh = await running.install()
    sent = [licensed(platform, fresh, version) for version in range(3)]
    for item in sent:
        await running.deliver(item)
    await forget_all_notes(owner, fresh)
    again = await asyncio.gather(*(running.deliver(item) for item in sent * 5))
    kept = await owner.fetchval("SELECT count(*) FROM tochka_events WHERE tenant_id = $1", fresh.tenant_id)
    assert set(words(again)) == {"duplicate"}
    assert set((await effects(owner, fresh)).values()) == {1}
    assert kept == 0


@pytest.fixture
def hold() -> Hold:
    """A place for a handler to wait at."""
    return Hold()


async def test_an_effect_whose_connection_dies_before_the_commit_comes_once_in_the_end(
    running: ModuleClient, platform: PlatformDouble, owner: Any, hold: Hold
) -> None:
    fresh = await running.install()
    event = licensed(platform, fresh, 1)
    moods.holds[fresh.id] = hold
    interrupted = asyncio.create_task(running.deliver(event))
    await hold.entered.wait()
    killed = await owner.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'notes_app' AND state = 'idle in transaction'"
    )
    moods.holds.clear()
    hold.released.set()
    failed = await interrupted
    before = await effects(owner, fresh)
    again = await asyncio.gather(*(running.deliver(event) for _ in range(5)))
    assert len(killed) == 1
    assert failed.status_code >= 500
    assert (before, await effects(owner, fresh)) == ({}, {event.id: 1})
    assert sorted(words(again)) == ["done"] + ["duplicate"] * 4
    assert await watermark(owner, fresh) == (2, 2)


async def test_a_slow_handler_keeps_only_its_own_event_and_installation_waiting(
    running: ModuleClient, platform: PlatformDouble, owner: Any, hold: Hold
) -> None:
    slow = await running.install()
    other = await running.install(FreshInstallation(tenant_id=slow.tenant_id))
    first, second = licensed(platform, slow, 1), licensed(platform, other, 1)
    moods.holds[slow.id] = hold
    waiting = asyncio.create_task(running.deliver(first))
    await hold.entered.wait()
    async with asyncio.timeout(10):
        done = await running.deliver(second)
        repeated = await running.deliver(second)
        pinged = await running.deliver(platform.record("ping", Ping(), slow, tenant_wide=True))
    while_held = await watermark(owner, slow)
    moods.holds.clear()
    hold.released.set()
    answers = [done, repeated, pinged, await waiting]
    assert words(answers) == ["done", "duplicate", "done", "done"]
    assert while_held == (2, 5)
    assert await watermark(owner, slow) == (5, 5)


async def test_an_event_without_a_number_is_none(running: ModuleClient, platform: PlatformDouble) -> None:
    fresh = await running.install()
    answer = await running.deliver(platform.event("ping", Ping(), fresh, sequence=0))
    assert (answer.status_code, answer.json()["code"]) == (400, "events.invalid")


async def test_an_id_under_another_number_has_no_second_effect_and_leaves_no_hole(
    running: ModuleClient, platform: PlatformDouble, owner: Any
) -> None:
    fresh = await running.install()
    event = licensed(platform, fresh, 1)
    renumbered = event.model_copy(update={"sequence": 3})
    answers = [await running.deliver(item) for item in (event, renumbered, event)]
    assert words(answers) == ["done", "duplicate", "duplicate"]
    assert await effects(owner, fresh) == {event.id: 1}
    assert await watermark(owner, fresh) == (3, 3)


@pytest.mark.parametrize("ahead", [0, 2], ids=["at the watermark", "above it"])
async def test_another_id_under_a_number_that_is_noted_is_news_of_a_restored_platform(
    running: ModuleClient, platform: PlatformDouble, owner: Any, ahead: int
) -> None:
    fresh = await running.install()
    token = platform.license(fresh, version=2**50 + 9)
    lost = platform.event("ping", Ping(), fresh, sequence=2 + ahead)
    anew = platform.event("license.updated", LicenseUpdated(license=token), fresh, sequence=2 + ahead)
    first = await running.deliver(lost)
    answers = await asyncio.gather(*(running.deliver(anew) for _ in range(10)))
    assert words([first]) == ["done"]
    assert sorted(words(answers)) == ["done"] + ["duplicate"] * 9
    assert await effects(owner, fresh) == {anew.id: 1}


async def test_what_happened_after_all_that_a_stream_has_heard_of_is_no_repetition(
    running: ModuleClient, platform: PlatformDouble, owner: Any
) -> None:
    fresh = await running.install()
    old = [licensed(platform, fresh, version) for version in range(3)]
    for item in old:
        await running.deliver(item)
    await forget_all_notes(owner, fresh)
    token = platform.license(fresh, version=2**50 + 9)
    anew = platform.event("license.updated", LicenseUpdated(license=token), fresh, sequence=3)
    answers = await asyncio.gather(*(running.deliver(anew) for _ in range(10)))
    repeated = [await running.deliver(item) for item in (old[0], anew)]
    await forget_all_notes(owner, fresh)
    repeated.append(await running.deliver(anew))
    assert sorted(words(answers)) == ["done"] + ["duplicate"] * 9
    assert words(repeated) == ["duplicate"] * 3
    assert (await effects(owner, fresh))[anew.id] == 1
    assert await watermark(owner, fresh) == (3, 3)


async def test_a_restored_platform_s_events_come_once_in_any_order_and_holes_are_seen_again(
    running: ModuleClient, platform: PlatformDouble, owner: Any
) -> None:
    fresh = await running.install()
    for version in range(5):
        await running.deliver(licensed(platform, fresh, version))
    token = platform.license(fresh, version=2**50 + 9)
    anew = [
        platform.event("license.updated", LicenseUpdated(license=token), fresh, sequence=number)
        for number in (3, 4, 5, 6)
    ]
    first = await asyncio.gather(*(running.deliver(anew[index]) for index in (3, 0, 1, 3, 0)))
    missing = await watermark(owner, fresh)
    rest = [await running.deliver(item) for item in (anew[2], *anew)]
    assert Counter(words([*first, *rest])) == {"done": 1, "stale": 3, "duplicate": 6}
    assert missing == (4, 6)
    assert await watermark(owner, fresh) == (6, 6)


async def test_a_final_no_is_remembered_longer_than_an_effect(
    running: ModuleClient, platform: PlatformDouble, owner: Any
) -> None:
    fresh = FreshInstallation()
    request = platform.requested(fresh)
    moods.by_tenant[fresh.tenant_id] = "refuse"
    await running.deliver(request)
    moods.by_tenant[fresh.tenant_id] = ""
    query = "UPDATE tochka_events SET received_at = now() - $2::int * interval '1 day' WHERE event_id = $1"
    answers = []
    for days in (30, 100):
        await owner.execute(query, request.id, days)
        await Background(running.runtime).clean()
        answers.append(await running.deliver(request))
    assert [answer.status_code for answer in answers] == [409, 200]
    assert words(answers[1:]) == ["duplicate"]


async def test_a_repetition_is_known_also_when_the_key_of_its_license_is_gone(
    running: ModuleClient, platform: PlatformDouble, owner: Any
) -> None:
    fresh = FreshInstallation()
    foreign = PlatformDouble(platform.module_id).license(fresh)  # signed with a key that nobody publishes
    refused = platform.requested(fresh, license=foreign)
    not_yet = await running.deliver(refused)
    for item in (platform.event("ping", Ping(), fresh, sequence=n, tenant_wide=True) for n in (1, 2)):
        await running.deliver(item)
    await forget_all_notes(owner, fresh)
    again = await running.deliver(refused)
    assert not_yet.status_code == 503
    assert (again.status_code, again.json()["status"]) == (200, "duplicate")
