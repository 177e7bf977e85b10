"""Tenants' own endpoints hear what happens: signed, retried, held while disabled, sent again on request."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from core_kit.activation import dispatching
from core_kit.codes import look
from core_kit.hastening import hasten
from core_kit.modules import ScriptedModule, answers, one_by_one, waits_for
from core_kit.people import API, Owner, rename
from core_kit.receivers import DELIVERIES, ScriptedReceiver, receiver_of
from core_kit.running import RunningCore
from core_kit.waiting import until
from tochka_core.outbox.public import record
from tochka_sdk import webhooks
from tochka_sdk.db import Scope
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
RENAMED = "tenant.updated"


async def _deliveries(owner: Owner, **wanted: str) -> list[dict[str, Any]]:
    answer = await owner.client.get(DELIVERIES, params=wanted)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def _until_status(owner: Owner, status: str, count: int = 1) -> list[dict[str, Any]]:
    async def are_so() -> bool:
        return len(await _deliveries(owner, status=status)) >= count

    await until(are_so)
    return await _deliveries(owner, status=status)


async def test_an_endpoint_hears_what_happens_to_its_tenant_and_nobody_elses(
    core: RunningCore, owner: Owner, stranger: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as mine, receiver_of(core, stranger) as theirs:
        await rename(owner, "Пекарня")
        [received] = await mine.wait_for(RENAMED)
        assert received.envelope.data == {"name": "Пекарня"}
        assert (received.envelope.tenant_id, received.envelope.sequence) == (owner.tenant_id, 1)
        await rename(stranger, "Чужая")
        await theirs.wait_for(RENAMED)
        assert len(mine.received) == 1
        assert mine.refused == theirs.refused == []


async def test_an_endpoint_hears_the_types_that_it_asked_for(
    core: RunningCore, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner, event_types=["member.left"]) as some, receiver_of(core, owner) as all:
        await rename(owner, "Кофейня")
        await all.wait_for(RENAMED)
        test = await owner.client.post(f"{some.endpoint}/test")
        assert test.status_code == 202
        await some.wait_for("ping")
        assert [received.event for received in some.received] == ["ping"]
        assert [received.event for received in all.received] == [RENAMED]
        [delivery] = await _deliveries(owner, event_id=test.json()["event_id"])
        assert delivery["endpoint_id"] == some.made["id"]


async def test_licenses_never_reach_an_endpoint(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as receiver:
        body = {"module": module.id, "subdomain": f"t{owner.tenant_id.hex[-12:]}"}
        assert (await owner.client.post(f"{API}/installations", json=body)).status_code == 201
        await module.wait_for("installation.requested")
        await rename(owner, "После")
        await receiver.wait_for(RENAMED)
        assert all(b"license" not in received.body for received in receiver.received)


async def test_attempts_show_what_was_sent_and_answered_without_secrets(
    core: RunningCore, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as receiver:
        told = {"seen": "Bearer abcdefghijklmnop", "error": "no"}
        receiver.on[RENAMED] = answers(404, told, X_Trace="abc", Set_Cookie="s=1")
        await rename(owner, "Цветы")
        await receiver.wait_for(RENAMED)

        async def is_logged() -> bool:
            return [d["attempts"] for d in await _deliveries(owner)] == [1] and bool(
                (await _deliveries(owner))[0]["last_response_status"]
            )

        await until(is_logged)
        [delivery] = await _deliveries(owner)
        assert (delivery["status"], delivery["last_response_status"]) == ("pending", 404)
        [attempt] = (await owner.client.get(f"{DELIVERIES}/{delivery['id']}/attempts")).json()["items"]
        assert attempt["response_headers"]["x-trace"] == "abc"
        assert attempt["response_headers"]["set-cookie"] == "[redacted]"
        assert "abcdefghijklmnop" not in attempt["response_body"]
        assert attempt["address"] == "127.0.0.1"
        assert 0 < attempt["timings"]["first_byte"] <= attempt["timings"]["total"]
        detail = (await owner.client.get(f"{DELIVERIES}/{delivery['id']}")).json()
        assert detail["body"]["data"] == {"name": "Цветы"}
        assert detail["body"]["receiver"] == receiver.made["id"]


async def test_both_secrets_sign_during_a_rotation(core: RunningCore, owner: Owner, dispatcher: None) -> None:
    async with receiver_of(core, owner) as receiver:
        answer = await owner.client.post(f"{receiver.endpoint}/rotate-secret", json={"grace_seconds": 3600})
        receiver.secrets.append(answer.json()["secret"])
        await rename(owner, "Ключи")
        [received] = await receiver.wait_for(RENAMED)
        assert received.headers["webhook-signature"].count("v1,") == 2
        gone = await owner.client.post(f"{receiver.endpoint}/rotate-secret", json={"grace_seconds": 0})
        receiver.secrets = [gone.json()["secret"]]
        await rename(owner, "Ключ")
        last = (await receiver.wait_for(RENAMED, 2))[-1]
        assert last.headers["webhook-signature"].count("v1,") == 1
        with pytest.raises(webhooks.SignatureInvalid):
            webhooks.verify(last.headers, last.body, secrets=[answer.json()["secret"]])


async def test_a_disabled_endpoint_keeps_its_events_and_gets_them_when_it_asks(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as receiver:
        await owner.client.patch(receiver.endpoint, json={"status": "disabled"})
        for name in ("Раз", "Два", "Три"):
            await rename(owner, name)
        held = await _until_status(owner, "held", 3)
        assert receiver.received == []
        refused = await owner.client.post(f"{receiver.endpoint}/test")
        assert (refused.status_code, refused.json()["code"]) == (409, "webhooks.endpoint_disabled")
        since = min(delivery["created_at"] for delivery in held)
        await owner.client.patch(receiver.endpoint, json={"status": "enabled"})
        dry = await owner.client.post(f"{receiver.endpoint}/replays", json={"since": since, "dry_run": True})
        assert (dry.status_code, dry.json()) == (200, {"total": 3})
        assert receiver.received == []
        job = await owner.client.post(f"{receiver.endpoint}/recover", json={"since": since})
        assert (job.status_code, job.json()["total"]) == (202, 3)
        received = await receiver.wait_for(RENAMED, 3)
        assert {one.envelope.data["name"] for one in received} == {"Раз", "Два", "Три"}
        assert all(one.headers["webhook-replay"] == "1" for one in received)

        async def is_done() -> bool:
            read = (await owner.client.get(f"{API}/replays/{job.json()['id']}")).json()
            return bool(read["status"] == "done")

        await until(is_done)
        assert (await owner.client.get(f"{API}/replays/{job.json()['id']}")).json()["done"] == 3


async def test_one_delivery_is_sent_again_under_the_same_id(
    core: RunningCore, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as receiver:
        await rename(owner, "Снова")
        await receiver.wait_for(RENAMED)
        [delivery] = await _until_status(owner, "delivered")
        again = await owner.client.post(f"{DELIVERIES}/{delivery['id']}/replay")
        assert again.status_code == 202
        first, second = await receiver.wait_for(RENAMED, 2)
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery["event_id"]
        assert first.body == second.body


async def test_an_endpoint_that_says_that_it_is_gone_is_disabled(
    core: RunningCore, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as gone, receiver_of(core, owner) as other:
        gone.on[RENAMED] = answers(410)
        await rename(owner, "Прощай")
        [told] = await other.wait_for("webhook_endpoint.disabled")
        assert told.envelope.data == {"endpoint_id": gone.made["id"], "reason": "gone"}
        read = (await owner.client.get(gone.endpoint)).json()
        assert (read["status"], read["disabled_reason"]) == ("disabled", "gone")


async def test_an_endpoint_that_fails_for_five_days_is_disabled_after_three_warnings(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, dispatcher: None
) -> None:
    async with (
        receiver_of(core, owner, event_types=[RENAMED]) as failing,  # what it took would begin the count anew
        receiver_of(core, owner) as other,
    ):
        failing.on[RENAMED] = answers(429)  # an answer: the breaker lets the next one through
        await rename(owner, "Тишина")
        for count, hours in enumerate((61, 85, 109, 121), 1):
            await failing.wait_for(RENAMED, count)
            await _age(core_database, owner, failing, count, f"{hours} hours")
        disabled = await other.wait_for("webhook_endpoint.disabled")
        assert await _warnings(other) == [50, 70, 90]
        assert disabled[0].envelope.data == {"endpoint_id": failing.made["id"], "reason": "failing"}
        read = (await owner.client.get(failing.endpoint)).json()
        assert (read["status"], read["disabled_reason"]) == ("disabled", "failing")
        await _until_status(owner, "held")


async def _warnings(receiver: ScriptedReceiver) -> list[int]:
    """What its tenant was warned of; once each, although hastened deliveries may be sent twice."""

    async def told() -> dict[str, int]:
        warned = await receiver.wait_for("webhook_endpoint.failing", 3)
        return {one.envelope.id: one.envelope.data["percent"] for one in warned}

    async def are_three() -> bool:
        return len(await told()) >= 3

    await until(are_three)
    return sorted((await told()).values())


async def _age(
    database: ScratchDatabase, owner: Owner, receiver: ScriptedReceiver, attempts: int, age: str
) -> None:
    """Once so many attempts are written down: the endpoint has been failing for so long."""

    async def is_written() -> bool:
        rows = await look(database, TRIED, owner.tenant_id)
        return len(rows) == attempts

    await until(is_written)
    await look(database, AGED, UUID(receiver.made["id"]), age)
    await hasten(database, owner.tenant_id)


TRIED = "SELECT id FROM attempts WHERE tenant_id = $1 AND response_status = 429"
AGED = """
    UPDATE webhook_endpoints SET failing_since = now() - $2::text::interval, failures = 20
    WHERE id = $1 RETURNING id
"""


async def test_a_dead_endpoint_is_deferred_and_no_attempt_is_burnt(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as receiver:
        receiver.on[RENAMED] = answers(500)
        for number in range(30):
            await rename(owner, f"Номер {number}")
        await receiver.wait_for(RENAMED, 5)

        async def is_deferred() -> bool:
            rows = await look(core_database, STATE, owner.tenant_id)
            return bool(sum(row["deferrals"] for row in rows) >= 20)

        await until(is_deferred)
        rows = await look(core_database, STATE, owner.tenant_id)
        assert sum(row["attempts"] for row in rows) == len(receiver.received) < 30
        assert {row["status"] for row in rows} == {"pending"}


STATE = "SELECT status, attempts, deferrals FROM deliveries WHERE tenant_id = $1 AND endpoint_id IS NOT NULL"


async def test_a_closed_gate_opens_for_one_probe_and_then_for_all(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as receiver:
        receiver.on[RENAMED] = one_by_one(*[answers(500)] * 5, answers(200))
        for number in range(20):
            await rename(owner, f"Номер {number}")
        await receiver.wait_for(RENAMED, 5)

        async def are_delivered() -> bool:
            await hasten(core_database, owner.tenant_id)
            return bool(len(await _deliveries(owner, status="delivered")) == 20)

        await until(are_delivered)


async def test_a_stuck_resource_blocks_only_itself(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner, ordered=True) as receiver:
        receiver.on["domain.added"] = one_by_one(answers(404, Retry_After="3600"), answers(200))
        both = {UUID(int=1), UUID(int=2)}
        for number in range(3):
            for installation_id in both:
                await _add_domain(core, owner, installation_id, f"n{number}.example.org")
        received = await receiver.wait_for("domain.added", 4)
        first = received[0].envelope.installation_id  # whichever came first was refused
        assert {r.envelope.installation_id for r in received[1:]} == both - {first}
        await hasten_one(core_database, owner)
        received = await receiver.wait_for("domain.added", 7)
        order = [r.envelope.data["host"] for r in received if r.envelope.installation_id == first]
        assert order == ["n0.example.org", "n0.example.org", "n1.example.org", "n2.example.org"]


async def test_in_strict_order_the_next_goes_as_soon_as_the_one_before_is_taken(
    core: RunningCore, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks at the queue by himself here: the one that is taken lets the next one go."""
    monkeypatch.setattr("tochka_core.webhooks.tasks.DELIVER_S", 3600.0)
    async with receiver_of(core, owner, ordered=True) as receiver:
        for number in range(4):
            await _add_domain(core, owner, UUID(int=1), f"n{number}.example.org")
        async with dispatching(core.jobs):
            received = await receiver.wait_for("domain.added", 4)
    assert [one.envelope.data["host"] for one in received] == [f"n{n}.example.org" for n in range(4)]


async def hasten_one(database: ScratchDatabase, owner: Owner) -> None:
    """What is to be tried again is due now; what waits for another stays where it is."""
    await look(database, SOON, owner.tenant_id)


SOON = """
    WITH q AS MATERIALIZED (
      SELECT tenant_id, receiver FROM delivery_queues WHERE tenant_id = $1
      ORDER BY tenant_id, receiver, command FOR UPDATE
    ), d AS (
      UPDATE deliveries d SET due_at = now() FROM q
      WHERE d.tenant_id = q.tenant_id AND d.receiver = q.receiver AND d.status = 'pending'
        AND isfinite(d.due_at) RETURNING d.receiver
    )
    UPDATE delivery_queues q SET due_at = now() FROM d
    WHERE q.tenant_id = $1 AND q.receiver = d.receiver RETURNING q.receiver
"""


async def _add_domain(core: RunningCore, owner: Owner, installation_id: UUID, host: str) -> None:
    scope = Scope(tenant_id=owner.tenant_id)
    async with core.resources.connections.transaction(scope) as connection:
        await record(
            connection,
            tenant_id=owner.tenant_id,
            type="domain.added",
            data={"host": host, "url": f"https://{host}"},
            installation_id=installation_id,
        )


async def test_what_waits_for_a_deleted_endpoint_is_cancelled(core: RunningCore, owner: Owner) -> None:
    async with receiver_of(core, owner) as receiver:
        await rename(owner, "Поздно")
        assert (await owner.client.delete(receiver.endpoint)).status_code == 204
        async with receiver_of(core, owner) as other, dispatching(core.jobs):
            await rename(owner, "Всё")
            await other.wait_for(RENAMED)
        assert receiver.received == []


async def test_what_is_in_flight_while_its_endpoint_is_disabled_counts(
    core: RunningCore, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as receiver:
        gate = asyncio.Event()
        receiver.on[RENAMED] = waits_for(gate, answers(200))
        await rename(owner, "В пути")
        await receiver.wait_for(RENAMED)
        await owner.client.patch(receiver.endpoint, json={"status": "disabled"})
        gate.set()
        await _until_status(owner, "delivered")


async def test_no_more_requests_are_open_at_once_than_the_owner_allows(
    core: RunningCore, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner, concurrency=2) as receiver:
        gate = asyncio.Event()
        receiver.on[RENAMED] = waits_for(gate, answers(200))
        for number in range(6):
            await rename(owner, f"Номер {number}")
        await receiver.wait_for(RENAMED, 2)
        await _until_status(owner, "pending", 6)
        assert len(receiver.received) == 2
        gate.set()
        await _until_status(owner, "delivered", 6)
