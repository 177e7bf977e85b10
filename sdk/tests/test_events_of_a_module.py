"""The one door: an event has its effect once, whatever its repetition, order and fate."""

import asyncio
from typing import Any

import httpx
import pytest
from tochka_sdk import events
from tochka_sdk.db import Database
from tochka_sdk.events import (
    Body,
    Digest,
    DomainAdded,
    DomainRemoved,
    Envelope,
    InstallationRemoved,
    LicenseUpdated,
    Ping,
    TenantUpdated,
)
from tochka_sdk.testing import FreshInstallation, ModuleClient, PlatformDouble

from sdk.tests.example import moods

pytestmark = pytest.mark.anyio


async def notes_of(running: ModuleClient, installation: FreshInstallation) -> list[str]:
    """What the module's handlers wrote for the installation."""
    async with running.storefront(installation) as browser:
        return list((await browser.get("/notes")).json())


async def home_of(running: ModuleClient, installation: FreshInstallation, host: str = "") -> httpx.Response:
    """The storefront's first page, at its own host or another."""
    async with running.storefront(installation) as browser:
        return await browser.get("/", headers={"Host": host or installation.host})


def news(platform: PlatformDouble, body: Body, installation: FreshInstallation, **options: Any) -> Envelope:
    """An event by its body."""
    kind = next(name for name, model in events.EVENTS.items() if model is type(body))
    return platform.record(kind, body, installation, **options)


async def test_a_requested_installation_answers_at_its_host(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = FreshInstallation(tenant_name="Пекарня")
    before = await home_of(running, fresh)
    answer = await running.deliver(platform.requested(fresh))
    after = await home_of(running, fresh)
    assert (before.status_code, before.json()["code"]) == (404, "installations.unknown")
    assert (answer.status_code, answer.json()) == (200, {"status": "done"})
    assert after.json()["id"] == str(fresh.id)
    assert after.json()["tenant_name"] == "Пекарня"


async def test_fifty_deliveries_at_once_have_one_effect(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = FreshInstallation()
    moods.by_tenant[fresh.tenant_id] = "slow"
    envelope, calls = platform.requested(fresh), moods.calls
    answers = await asyncio.gather(*(running.deliver(envelope) for _ in range(50)))
    words = sorted(answer.json()["status"] for answer in answers)
    assert {answer.status_code for answer in answers} == {200}
    assert words == ["done"] + ["duplicate"] * 49
    assert moods.calls - calls == 1
    assert len(await notes_of(running, fresh)) == 1


async def test_a_crash_after_the_effect_stores_nothing_and_the_next_delivery_works(
    running: ModuleClient, platform: PlatformDouble, database: Database
) -> None:
    fresh = FreshInstallation()
    envelope = platform.requested(fresh)
    moods.by_tenant[fresh.tenant_id] = "crash"
    crashed = await running.deliver(envelope)
    unknown = await home_of(running, fresh)
    moods.by_tenant[fresh.tenant_id] = ""
    again = await running.deliver(envelope)
    assert (crashed.status_code, crashed.json()["code"]) == (500, "internal.error")
    assert "power" not in crashed.text
    assert unknown.status_code == 404
    assert (again.status_code, again.json()["status"]) == (200, "done")
    assert len(await notes_of(running, fresh)) == 1


@pytest.mark.parametrize(
    ("mood", "status", "code"),
    [("refuse", 409, "notes.refused"), ("unprocessable", 422, "request.malformed")],
)
async def test_a_final_no_is_told_undoes_the_effect_and_stays_a_no(
    running: ModuleClient, platform: PlatformDouble, mood: str, status: int, code: str
) -> None:
    fresh = FreshInstallation()
    moods.by_tenant[fresh.tenant_id] = mood
    envelope = platform.requested(fresh)
    refused = await running.deliver(envelope)
    moods.by_tenant[fresh.tenant_id] = ""
    again = await running.deliver(envelope)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (again.status_code, again.json()["code"]) == (status, "events.refused_before")
    assert (await home_of(running, fresh)).status_code == 404


async def test_a_handler_may_say_that_it_is_working_on_it(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = FreshInstallation()
    moods.by_tenant[fresh.tenant_id] = "later"
    envelope = platform.requested(fresh)
    answers = [await running.deliver(envelope) for _ in range(2)]
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [
        (202, "accepted"),
        (202, "duplicate"),
    ]


async def test_what_was_worked_on_becomes_ready(running: ModuleClient, platform: PlatformDouble) -> None:
    fresh = FreshInstallation()
    moods.by_tenant[fresh.tenant_id] = "later"
    envelope = platform.requested(fresh)
    accepted = await running.deliver(envelope)
    await running.runtime.ready(fresh.id)
    again = await running.deliver(platform.requested(fresh))
    assert accepted.status_code == 202
    assert platform.reports[-1] == ("ready", fresh.id, {})
    assert (again.status_code, again.json()["status"]) == (200, "duplicate")
    assert (await home_of(running, fresh)).status_code == 200


async def test_what_was_worked_on_may_fail(running: ModuleClient, platform: PlatformDouble) -> None:
    fresh = FreshInstallation()
    moods.by_tenant[fresh.tenant_id] = "later"
    await running.deliver(platform.requested(fresh))
    await running.runtime.failed(fresh.id, code="notes.full", detail="No room.")
    assert platform.reports[-1] == ("failed", fresh.id, {"code": "notes.full", "detail": "No room."})


async def test_removed_before_requested_is_accepted_and_the_request_gets_a_final_no(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh, calls = FreshInstallation(), moods.calls
    removed = await running.deliver(news(platform, InstallationRemoved(), fresh, sequence=2))
    requested = await running.deliver(platform.requested(fresh, sequence=1))
    assert removed.status_code == 200
    assert (requested.status_code, requested.json()["code"]) == (409, "installations.removed")
    assert moods.calls == calls
    assert (await home_of(running, fresh)).status_code == 404


async def test_a_removed_installation_is_served_no_longer_and_never_again(
    running: ModuleClient, platform: PlatformDouble, database: Database
) -> None:
    fresh = await running.install()
    await running.remove(fresh)
    again = await running.deliver(platform.requested(fresh))
    renewed = await running.deliver(
        news(platform, LicenseUpdated(license=platform.license(fresh, version=2**50)), fresh)
    )
    assert (await home_of(running, fresh)).status_code == 404
    assert again.status_code == 409
    assert renewed.json()["status"] == "stale"


async def test_a_second_request_for_a_live_installation_changes_nothing(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = await running.install()
    answer = await running.deliver(platform.requested(fresh))
    assert answer.json()["status"] == "duplicate"
    assert len(await notes_of(running, fresh)) == 1


async def test_a_lower_license_version_is_never_applied(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = FreshInstallation()
    await running.install(fresh, license=platform.license(fresh, version=10, entitlements={"notes": 10}))
    newer = platform.license(fresh, version=12, entitlements={"notes": 12})
    older = platform.license(fresh, version=11, entitlements={"notes": 11})
    answers = [
        (await running.deliver(news(platform, LicenseUpdated(license=token), fresh))).json()["status"]
        for token in (newer, older, newer)
    ]
    assert answers == ["done", "stale", "stale"]
    assert (await home_of(running, fresh)).json()["notes"] == 12
    assert len(await notes_of(running, fresh)) == 2


async def test_a_license_that_comes_before_its_installation_is_kept(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = FreshInstallation()
    newer = platform.license(fresh, version=2, entitlements={"notes": 2})
    first = platform.license(fresh, version=1, entitlements={"notes": 1})
    await running.deliver(news(platform, LicenseUpdated(license=newer), fresh, sequence=2))
    await running.install(fresh, license=first, sequence=1)
    assert (await home_of(running, fresh)).json()["notes"] == 2


async def test_a_closed_license_closes_at_once(running: ModuleClient, platform: PlatformDouble) -> None:
    fresh = await running.install()
    assert (await home_of(running, fresh)).status_code == 200
    closed = platform.license(fresh, access="closed", version=2**50)
    await running.deliver(news(platform, LicenseUpdated(license=closed), fresh))
    answer = await home_of(running, fresh)
    assert (answer.status_code, answer.json()["code"]) == (403, "installations.closed")


async def test_hosts_come_and_go_and_an_older_word_changes_nothing(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = await running.install()
    host = f"{fresh.label}.example"
    added = news(platform, DomainAdded(host=host, url=f"https://{host}", primary=True), fresh, sequence=5)
    removed = news(platform, DomainRemoved(host=host), fresh, sequence=7)
    late = news(platform, DomainAdded(host=host, url=f"https://{host}"), fresh, sequence=6)
    await running.deliver(added)
    live = await home_of(running, fresh, f"{host.upper()}.:8080")
    words = [(await running.deliver(item)).json()["status"] for item in (removed, late)]
    gone = await home_of(running, fresh, host)
    assert (live.status_code, live.json()["host"]) == (200, host)
    assert words == ["done", "stale"]
    assert gone.status_code == 404
    assert (await home_of(running, fresh)).status_code == 200


async def test_a_host_may_pass_to_another_installation(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    old = await running.install()
    await running.remove(old)
    heir = FreshInstallation(label=old.label)
    await running.install(heir)
    assert (await home_of(running, heir)).json()["id"] == str(heir.id)


async def test_the_tenant_s_name_is_known_to_each_installation_and_follows_the_sequence(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    first = await running.install()
    second = await running.install(FreshInstallation(tenant_id=first.tenant_id))
    for name, sequence in (("Новая", 9), ("Старая", 8)):
        body = TenantUpdated(name=name)
        await running.deliver(news(platform, body, first, tenant_wide=True, sequence=sequence))
    names = [(await home_of(running, one)).json()["tenant_name"] for one in (first, second)]
    assert names == ["Новая", "Новая"]
    assert [(await notes_of(running, one)).count("name Новая") for one in (first, second)] == [1, 1]


async def test_unknown_events_ping_and_digest_are_welcome(
    running: ModuleClient, platform: PlatformDouble, installation: FreshInstallation
) -> None:
    strange = platform.event("weather.changed", Ping(), installation)
    answers = [
        await running.deliver(item)
        for item in (
            strange,
            strange,
            platform.event("ping", Ping(), installation, tenant_wide=True),
            platform.event("digest", Digest(last_sequence=1), installation, tenant_wide=True),
        )
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.json()["status"] for answer in answers] == ["ignored", "duplicate", "done", "done"]


async def test_an_event_for_another_module_is_refused(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = FreshInstallation()
    other = platform.requested(fresh).model_copy(update={"receiver": "courses"})
    unnamed = platform.requested(fresh)
    moved = unnamed.model_copy(
        update={"receiver": None, "data": {**unnamed.data, "module": "courses"}, "id": "another"}
    )
    answers = [await running.deliver(item) for item in (other, moved)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(422, "events.misdirected")] * 2
    assert (await home_of(running, fresh)).status_code == 404


async def test_a_license_for_somebody_else_is_refused(
    running: ModuleClient, platform: PlatformDouble, stranger: FreshInstallation
) -> None:
    fresh = FreshInstallation()
    foreign = PlatformDouble(platform.module_id)
    tokens = (platform.license(stranger), "garbage", foreign.license(fresh))
    answers = [await running.deliver(platform.requested(fresh, license=token)) for token in tokens]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [
        (422, "events.license_invalid"),
        (422, "events.license_invalid"),
        (503, "core.unavailable"),  # nobody knows its key, or what holds instead: not a final no
    ]
    assert (await home_of(running, fresh)).status_code == 404


async def test_another_tenant_s_installation_cannot_be_touched(
    running: ModuleClient, platform: PlatformDouble, installation: FreshInstallation
) -> None:
    thief = FreshInstallation(id=installation.id)
    answer = await running.deliver(news(platform, InstallationRemoved(), thief))
    assert (answer.status_code, answer.json()["code"]) == (422, "events.misdirected")
    assert (await home_of(running, installation)).status_code == 200
