"""A module can prove that it has missed nothing: until the newest digest all of whose events are here."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tochka_sdk.background import Background
from tochka_sdk.events import Digest, Envelope, Ping
from tochka_sdk.ids import uuid7
from tochka_sdk.repository import Proof
from tochka_sdk.testing import FreshInstallation, ModuleClient, PlatformDouble

pytestmark = pytest.mark.anyio


def proofs(capfd: pytest.CaptureFixture[str], installation: FreshInstallation) -> list[str]:
    """What an operator can read about what is proved of the tenant's events."""
    written = capfd.readouterr()
    lines = [json.loads(line) for line in (written.out + written.err).splitlines() if line.startswith("{")]
    said = [line for line in lines if line["event"] == "events.proved"]
    return [line["proved_until"] for line in said if line["tenant_id"] == str(installation.tenant_id)]


def digest_of(
    platform: PlatformDouble, installation: FreshInstallation, last: int, *, sequence: int, days: int = 0
) -> Envelope:
    """A digest that says that there are events up to `last`, written so many days from now."""
    made = platform.record(
        "digest", Digest(last_sequence=last), installation, tenant_wide=True, sequence=sequence
    )
    told = made.model_copy(update={"timestamp": made.timestamp + timedelta(days=days)})
    platform.history[-1] = told
    return told


async def test_a_digest_with_nothing_missing_proves_it_and_the_log_says_so(
    running: ModuleClient, platform: PlatformDouble, capfd: pytest.CaptureFixture[str]
) -> None:
    fresh = await running.install()
    digest = digest_of(platform, fresh, 1, sequence=2)
    for _ in range(2):
        await running.deliver(digest)
    assert await running.runtime.proof(fresh.tenant_id) == Proof(2, False, digest.timestamp, 0)
    assert proofs(capfd, fresh) == [digest.timestamp.isoformat()]


async def test_a_digest_above_a_hole_proves_nothing_until_the_hole_is_filled(
    running: ModuleClient, platform: PlatformDouble, owner: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    fresh = await running.install()
    early = digest_of(platform, fresh, 1, sequence=2, days=-1)
    platform.record("ping", Ping(), fresh, tenant_wide=True, sequence=3)
    late = digest_of(platform, fresh, 3, sequence=4)
    for item in (late, early):
        await running.deliver(item)
    missing = await running.runtime.proof(fresh.tenant_id)
    await owner.execute(
        "UPDATE tochka_sequences SET gap_check_at = now() WHERE tenant_id = $1", fresh.tenant_id
    )
    await Background(running.runtime).fill_gaps()
    assert missing == Proof(2, True, None, 0)
    assert await running.runtime.proof(fresh.tenant_id) == Proof(4, False, late.timestamp, 0)
    assert proofs(capfd, fresh) == [late.timestamp.isoformat()]


async def test_what_was_proved_stays_so_while_a_newer_digest_tells_of_more(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = await running.install()
    first = digest_of(platform, fresh, 1, sequence=2)
    await running.deliver(first)
    await running.deliver(digest_of(platform, fresh, 3, sequence=4, days=1))
    assert await running.runtime.proof(fresh.tenant_id) == Proof(2, True, first.timestamp, 0)


async def test_what_was_numbered_before_the_digest_itself_belongs_to_it(
    running: ModuleClient, platform: PlatformDouble
) -> None:
    fresh = await running.install()
    digest = digest_of(platform, fresh, 1, sequence=3)  # another event took 2 before the digest went out
    await running.deliver(digest)
    before = await running.runtime.proof(fresh.tenant_id)
    await running.deliver(platform.event("ping", Ping(), fresh, tenant_wide=True, sequence=2))
    after = await running.runtime.proof(fresh.tenant_id)
    assert (before, after) == (Proof(1, True, None, 0), Proof(3, False, digest.timestamp, 0))


async def test_of_a_tenant_that_was_never_heard_of_nothing_is_proved(running: ModuleClient) -> None:
    assert await running.runtime.proof(uuid7()) == Proof(0, False, None, 0)
