"""Unasked work: licenses renewed, lost events fetched, old notes forgotten; a core that is away harms
nothing.
"""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tochka_sdk.background import Background, Rhythm
from tochka_sdk.core_client import CoreClient, CoreRefused, CoreUnavailable
from tochka_sdk.events import Digest, LicenseUpdated, Ping, TenantUpdated
from tochka_sdk.module import Module
from tochka_sdk.testing import FreshInstallation, ModuleClient, PlatformDouble, running_module

from sdk.tests.example import MANIFEST, router

pytestmark = pytest.mark.anyio

WORKS = Counter(hosts=1, keys=1, licenses=1, gaps=2, feed=1, cleaning=1)


@pytest.fixture
def background(running: ModuleClient) -> Background:
    """The module's background work, done when the test says so."""
    return Background(running.runtime)


async def limit_of(running: ModuleClient, installation: FreshInstallation) -> Any:
    """What the storefront says about the limit of notes."""
    async with running.storefront(installation) as browser:
        return (await browser.get("/")).json()["notes"]


async def test_a_license_past_half_life_is_renewed(
    running: ModuleClient, platform: PlatformDouble, background: Background
) -> None:
    fresh = FreshInstallation()
    old = platform.license(fresh, issued=timedelta(hours=13), version=1, entitlements={"notes": 1})
    await running.install(fresh, license=old)
    platform.licenses[fresh.id] = platform.license(fresh, version=2, entitlements={"notes": 2})
    before = await limit_of(running, fresh)
    assert await background.renew_licenses() == 1
    assert (before, await limit_of(running, fresh)) == (1, 2)
    platform.calls.clear()
    await background.renew_licenses()
    assert platform.calls == []


async def test_the_same_license_signed_anew_lives_longer(
    running: ModuleClient, platform: PlatformDouble, background: Background, owner: Any
) -> None:
    fresh = FreshInstallation()
    await running.install(fresh, license=platform.license(fresh, issued=timedelta(hours=13), version=5))
    platform.licenses[fresh.id] = platform.license(fresh, version=5)
    assert await background.renew_licenses() == 1
    due = await owner.fetchval(
        "SELECT license_refresh_at > now() + interval '11 hours' FROM tochka_installations"
        " WHERE installation_id = $1",
        fresh.id,
    )
    assert due


async def test_a_license_before_half_life_is_left_alone(
    running: ModuleClient, platform: PlatformDouble, background: Background
) -> None:
    fresh = FreshInstallation()
    await running.install(fresh, license=platform.license(fresh, issued=timedelta(hours=11)))
    await background.renew_licenses()
    assert ("GET", f"/api/v1/module/licenses/{fresh.id}") not in platform.calls


async def test_while_the_core_is_away_the_license_lives_on(
    running: ModuleClient, platform: PlatformDouble, background: Background
) -> None:
    fresh = FreshInstallation()
    old = platform.license(fresh, issued=timedelta(hours=30), version=1, entitlements={"notes": 1})
    await running.install(fresh, license=old)
    platform.is_away = True
    try:
        assert await background.renew_licenses() == 0
    finally:
        platform.is_away = False
    assert await limit_of(running, fresh) == 1


async def test_a_core_that_does_not_know_the_call_is_lived_without(
    running: ModuleClient, platform: PlatformDouble, background: Background
) -> None:
    fresh = FreshInstallation()
    await running.install(fresh, license=platform.license(fresh, issued=timedelta(hours=30)))
    assert await background.renew_licenses() == 0
    assert ("GET", f"/api/v1/module/licenses/{fresh.id}") in platform.calls


async def test_a_lower_version_from_the_core_is_refused(
    running: ModuleClient, platform: PlatformDouble, background: Background
) -> None:
    fresh = FreshInstallation()
    held = platform.license(fresh, issued=timedelta(hours=13), version=9, entitlements={"notes": 9})
    await running.install(fresh, license=held)
    platform.licenses[fresh.id] = platform.license(fresh, version=8, entitlements={"notes": 8})
    assert await background.renew_licenses() == 0
    assert await limit_of(running, fresh) == 9


async def test_events_that_were_lost_are_fetched_once_the_gap_was_given_time(
    running: ModuleClient, platform: PlatformDouble, background: Background, owner: Any
) -> None:
    fresh = await running.install()
    lost = [
        platform.record(
            "license.updated",
            LicenseUpdated(license=platform.license(fresh, version=2**50 + n, entitlements={"notes": n})),
            fresh,
        )
        for n in (5, 6, 7)
    ]
    last = platform.record("tenant.updated", TenantUpdated(name="После"), fresh, tenant_wide=True)
    await running.deliver(last)
    assert await background.fill_gaps() == 0  # an event that was overtaken may still come by itself
    await owner.execute(
        "UPDATE tochka_sequences SET gap_check_at = now() WHERE tenant_id = $1", fresh.tenant_id
    )
    assert await background.fill_gaps() == len(lost)
    assert await limit_of(running, fresh) == 7
    late = await running.deliver(lost[0])
    row = await owner.fetchrow("SELECT * FROM tochka_sequences WHERE tenant_id = $1", fresh.tenant_id)
    assert late.json()["status"] == "duplicate"
    assert (row["last_sequence"], row["highest_sequence"], row["gap_check_at"]) == (5, 5, None)


async def test_a_digest_tells_of_events_that_nobody_followed(
    running: ModuleClient, platform: PlatformDouble, background: Background, owner: Any
) -> None:
    fresh = await running.install()
    token = platform.license(fresh, version=2**50, entitlements={"notes": 3})
    platform.record("license.updated", LicenseUpdated(license=token), fresh)
    digest = platform.event("digest", Digest(last_sequence=2), fresh, tenant_wide=True, sequence=1)
    await running.deliver(digest)
    await owner.execute(
        "UPDATE tochka_sequences SET gap_check_at = now() WHERE tenant_id = $1", fresh.tenant_id
    )
    assert await background.fill_gaps() == 1
    assert await limit_of(running, fresh) == 3


async def test_a_refused_event_leaves_no_gap(
    running: ModuleClient, platform: PlatformDouble, owner: Any
) -> None:
    fresh = FreshInstallation()
    await running.deliver(platform.requested(fresh, license="garbage"))
    row = await owner.fetchrow("SELECT * FROM tochka_sequences WHERE tenant_id = $1", fresh.tenant_id)
    assert (row["last_sequence"], row["highest_sequence"]) == (1, 1)


async def test_what_cannot_come_again_is_forgotten_and_what_can_is_kept(
    running: ModuleClient, platform: PlatformDouble, background: Background, owner: Any
) -> None:
    fresh = await running.install()
    old, recent = (platform.event("ping", Ping(), fresh) for _ in range(2))
    beyond = platform.event("ping", Ping(), fresh, sequence=9)
    for item in (old, recent, beyond):
        await running.deliver(item)
    await owner.execute(
        "UPDATE tochka_events SET received_at = now() - interval '8 days' WHERE event_id = ANY($1)",
        [old.id, beyond.id],
    )
    await background.clean()
    kept = await owner.fetch(
        "SELECT event_id FROM tochka_events WHERE event_id = ANY($1)", [old.id, recent.id, beyond.id]
    )
    assert {row["event_id"] for row in kept} == {recent.id, beyond.id}


async def test_a_repetition_after_a_year_is_still_a_repetition(
    running: ModuleClient, platform: PlatformDouble, background: Background, owner: Any
) -> None:
    fresh = await running.install()
    renamed = platform.record("tenant.updated", TenantUpdated(name="Раз"), fresh, tenant_wide=True)
    await running.deliver(renamed)
    await owner.execute("UPDATE tochka_events SET received_at = now() - interval '1 year'")
    await background.clean()
    gone = await owner.fetch("SELECT 1 FROM tochka_events WHERE event_id = $1", renamed.id)
    again = await asyncio.gather(*(running.deliver(renamed) for _ in range(10)))
    assert gone == []
    assert {(answer.status_code, answer.json()["status"]) for answer in again} == {(200, "duplicate")}


async def test_what_a_restored_platform_numbers_anew_is_news(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = await running.install()
    first = platform.event("tenant.updated", TenantUpdated(name="Раз"), fresh, tenant_wide=True)
    another = platform.event("ping", Ping(), fresh, tenant_wide=True, sequence=first.sequence)
    answers = [await running.deliver(item) for item in (first, another, another)]
    assert [answer.json()["status"] for answer in answers] == ["done", "done", "duplicate"]


async def _until_limit(client: ModuleClient, installation: FreshInstallation, limit: int) -> None:
    """Wait for background work, which nobody announces."""
    async with asyncio.timeout(10):
        while True:
            if await limit_of(client, installation) == limit:
                return
            await asyncio.sleep(0.01)


async def test_a_running_module_does_all_this_by_itself_and_stops_cleanly(
    platform: PlatformDouble, module_dsn: str, owner: Any
) -> None:
    busy = Module(
        id="notes", manifest=MANIFEST, routers=[router], rhythm=Rhythm(0.05, 0.05, 0.05, 0.05, 0.05)
    )
    fresh = FreshInstallation()
    old = platform.license(fresh, issued=timedelta(hours=13), version=1, entitlements={"notes": 1})
    platform.licenses[fresh.id] = platform.license(fresh, version=2, entitlements={"notes": 2})
    before = _at_work()
    async with running_module(busy, platform.settings(module_dsn), platform) as client:
        await client.install(fresh, license=old)
        await _until_limit(client, fresh, 2)
        assert _at_work() == before + WORKS
    assert _at_work() == before


def _at_work() -> Counter[str]:
    """The background work of every module that runs in this process; there may be others."""
    return Counter(task.get_name() for task in asyncio.all_tasks() if task.get_name() in WORKS)


@pytest.fixture
async def core(platform: PlatformDouble) -> Any:
    """A client of the core with little patience."""
    client = CoreClient(
        platform.core_url,
        module_id=platform.module_id,
        key=platform.module_key,
        issuer=platform.issuer,
        timeout=2,
        backoff=0.001,
    )
    yield client
    await client.close()


async def test_ready_and_failed_reach_the_core_signed(core: CoreClient, platform: PlatformDouble) -> None:
    fresh = FreshInstallation()
    await core.ready(fresh.id)
    await core.failed(fresh.id, code="notes.full", detail="No room.")
    assert platform.reports[-2:] == [
        ("ready", fresh.id, {}),
        ("failed", fresh.id, {"code": "notes.full", "detail": "No room."}),
    ]


async def test_a_core_that_is_away_is_asked_thrice_and_then_unavailable(
    core: CoreClient, platform: PlatformDouble
) -> None:
    platform.is_away = True
    before = len(platform.calls)
    try:
        with pytest.raises(CoreUnavailable):
            await core.jwks()
    finally:
        platform.is_away = False
    assert len(platform.calls) - before == 3


async def test_a_long_page_is_read_to_its_end(
    core: CoreClient, platform: PlatformDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is longer than what a connection hands over at once."""
    fresh = FreshInstallation()
    monkeypatch.setattr(platform, "page", 400)
    for number in range(400):
        platform.record("tenant.updated", TenantUpdated(name="n" * 4000), fresh, sequence=number + 1)
    items, following = await core.events(fresh.tenant_id, 0)
    assert ([item.sequence for item in items], following) == (list(range(1, 401)), None)


async def test_a_part_of_an_answer_does_not_pass_for_an_empty_one(
    core: CoreClient, platform: PlatformDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = FreshInstallation()
    platform.record("tenant.updated", TenantUpdated(name="n"), fresh, sequence=1)
    monkeypatch.setattr("tochka_sdk.core_client.MAX_ANSWER", 100)
    with pytest.raises(CoreUnavailable):
        await core.events(fresh.tenant_id, 0)


async def test_a_core_that_is_not_there_is_unavailable(platform: PlatformDouble) -> None:
    lost = CoreClient(
        "http://127.0.0.1:1",
        module_id="notes",
        key=platform.module_key,
        issuer="x",
        attempts=2,
        backoff=0.001,
    )
    with pytest.raises(CoreUnavailable):
        await lost.jwks()
    await lost.close()


async def test_a_stranger_s_key_is_refused_by_the_core(platform: PlatformDouble) -> None:
    stranger = CoreClient(
        platform.core_url,
        module_id=platform.module_id,
        key=PlatformDouble("notes").module_key,
        issuer=platform.issuer,
    )
    with pytest.raises((CoreUnavailable, CoreRefused)):
        await stranger.license(FreshInstallation().id)
    await stranger.close()
