"""Whatever fails on our side in one attempt has an outcome, and stays with the one delivery."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from core_kit.activation import activate, dispatching, outcome
from core_kit.codes import look
from core_kit.hastening import hasten
from core_kit.modules import REQUESTED, answers, registered_module
from core_kit.people import Owner, rename, sign_up
from core_kit.receivers import DELIVERIES, receiver_of
from core_kit.running import RunningCore, core_settings, run_core
from core_kit.waiting import until
from tochka_core.migrate import upgrade
from tochka_core.outbound.public import Answer, Report, report_of
from tochka_sdk import clock
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

pytestmark = pytest.mark.anyio
RENAMED = "tenant.updated"
UNWRITABLE = {"seen": "unwritable"}
REFUSE = """
    ALTER TABLE attempts ADD CONSTRAINT ck_attempts_writable CHECK (response_body NOT LIKE '%unwritable%')
"""


@pytest.fixture
async def database(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """One whose dispatcher sends nothing of other tests."""
    found = await postgres.create_database("faults", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(found.owner_dsn)
    yield found
    await postgres.drop_database(found.name)


@pytest.fixture
async def core(database: ScratchDatabase, redis_url: str) -> AsyncIterator[RunningCore]:
    """An instance on it."""
    async with run_core(core_settings(database, redis_url)) as running:
        yield running


@asynccontextmanager
async def _signed_up(core: RunningCore) -> AsyncIterator[Owner]:
    owner = await sign_up(core.url)
    yield owner
    await owner.client.aclose()


async def _deliveries(owner: Owner) -> list[dict[str, Any]]:
    return list((await owner.client.get(DELIVERIES)).json()["items"])


async def _logged(owner: Owner, delivery_id: str) -> int:
    """How many attempts are written down."""
    return len((await owner.client.get(f"{DELIVERIES}/{delivery_id}/attempts")).json()["items"])


async def _until_tried(owner: Owner, attempts: int, status: str, error: str | None) -> dict[str, Any]:
    """Once the only delivery has so many attempts behind it, the last of which ended so: it."""

    async def is_so() -> bool:
        found = await _deliveries(owner)
        return [(one["attempts"], one["status"], one["last_error"]) for one in found] == [
            (attempts, status, error)
        ] and await _logged(owner, found[0]["id"]) == attempts

    await until(is_so)
    return (await _deliveries(owner))[0]


async def test_a_secret_that_cannot_be_opened_is_tried_again_later_and_held_against_nobody(
    core: RunningCore, database: ScratchDatabase, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced = core_settings(database, redis_url, secret_key_master=secrets.token_urlsafe(48))
    async with (
        _signed_up(core) as owner,
        receiver_of(core, owner) as receiver,
        run_core(replaced) as other,
        dispatching(other.jobs),
    ):
        await rename(owner, "Замок")
        await _until_tried(owner, 1, "pending", "internal")
        await hasten(database)
        delivery = await _until_tried(owner, 2, "pending", "internal")
        told = [line for line in capsys.readouterr().err.splitlines() if "webhooks.internal" in line]
        assert [delivery["event_id"] in line for line in told] == [True, True]
        assert not any(receiver.secrets[0] in line for line in told)
        assert (await owner.client.get(receiver.endpoint)).json()["failing_since"] is None
        # the remedy: a new secret; the one before it, though it signs for a day, cannot be opened either
        answer = await owner.client.post(f"{other.url}{receiver.endpoint}/rotate-secret", json={})
        receiver.secrets = [answer.json()["secret"]]
        await hasten(database)
        await _until_tried(owner, 3, "delivered", None)
        assert receiver.refused == []


def test_a_fault_of_ours_says_nothing_of_the_other_side_s_health() -> None:
    for answer in (Answer(None, error="internal"), Answer(200, error="internal")):
        assert report_of("gate", ["grant"], answer, clock.now()) == Report("gate", ("grant",))


MANY = "UPDATE deliveries SET attempts = 32767 WHERE tenant_id = $1 RETURNING id"


async def test_a_counter_at_its_end_keeps_nobody_from_being_told(
    core: RunningCore, database: ScratchDatabase
) -> None:
    async with (
        _signed_up(core) as first,
        _signed_up(core) as second,
        receiver_of(core, first) as full,
        receiver_of(core, second) as other,
    ):
        full.on[RENAMED] = answers(503)
        await rename(first, "Раз")
        async with dispatching(core.jobs):
            await _until_tried(first, 1, "pending", None)
        await look(database, MANY, first.tenant_id)
        await hasten(database)
        await rename(second, "Два")
        async with dispatching(core.jobs):
            await other.wait_for(RENAMED)
            await full.wait_for(RENAMED, 2)

            async def is_given_up() -> bool:
                found = await _deliveries(first)
                return [(one["attempts"], one["status"]) for one in found] == [(32767, "expired")]

            await until(is_given_up)


async def test_an_outcome_that_cannot_be_written_keeps_no_other_from_being_written(
    core: RunningCore, database: ScratchDatabase
) -> None:
    await look(database, REFUSE)
    async with (
        _signed_up(core) as first,
        _signed_up(core) as second,
        receiver_of(core, first) as spoiling,
        receiver_of(core, second) as other,
        dispatching(core.jobs),
    ):
        spoiling.on[RENAMED] = answers(200, UNWRITABLE)
        await rename(first, "Порча")
        await spoiling.wait_for(RENAMED)
        await rename(second, "Покой")
        await other.wait_for(RENAMED)
        await _until_tried(second, 1, "delivered", None)
        delivery = await _until_tried(first, 1, "delivered", "internal")
        assert delivery["last_response_status"] == 200
        assert len(spoiling.received) == 1


async def test_an_activation_whose_answer_cannot_be_written_ends_as_the_module_said(
    core: RunningCore, database: ScratchDatabase
) -> None:
    await look(database, REFUSE)
    async with (
        _signed_up(core) as owner,
        registered_module(core.resources, core.jobs) as module,
        dispatching(core.jobs),
    ):
        module.on[REQUESTED] = answers(200, UNWRITABLE)
        made = await activate(owner, module.id)
        assert (await outcome(owner, made["id"]))["status"] == "live"
        written = "SELECT error, response_status FROM attempts WHERE tenant_id = $1 ORDER BY id"
        rows = await look(database, written, owner.tenant_id)
        assert rows[:1] == [{"error": "internal", "response_status": 200}]
