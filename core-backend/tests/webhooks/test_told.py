"""What owners' systems are told of installations and subscriptions, in which version, and what is not."""

from typing import Any
from uuid import UUID

import pytest
from core_kit.activation import activate, outcome
from core_kit.codes import look
from core_kit.modules import REQUESTED, ScriptedModule, answers
from core_kit.people import API, Owner
from core_kit.receivers import DELIVERIES, ScriptedReceiver, receiver_of
from core_kit.running import RunningCore
from core_kit.waiting import until
from tochka_core.outbox.events import BODIES
from tochka_core.outbox.versions import CATALOGUE
from tochka_core.subscriptions import public as subscriptions
from tochka_sdk.db import Scope
from tochka_sdk.events import Body, TenantUpdated
from tochka_sdk.ids import uuid7
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _told(receiver: ScriptedReceiver, *types: str) -> list[dict[str, Any]]:
    """The data of these events, once they have come and nothing else has, each as its model has it."""
    for type in set(types):
        await receiver.wait_for(type, types.count(type))
    assert [one.event for one in receiver.received] == list(types)
    for one in receiver.received:
        model = BODIES[one.event]
        assert model.model_validate(one.envelope.data).model_dump(mode="json") == one.envelope.data
        assert b"license" not in one.body
    return [one.envelope.data for one in receiver.received]


async def test_an_owner_hears_of_an_installation_from_its_start_to_its_end(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    async with receiver_of(core, owner, ordered=True) as receiver:
        made = await activate(owner, module.id)
        live = await outcome(owner, made["id"])
        await receiver.wait_for("installation.live")
        assert (await owner.client.delete(f"{API}/installations/{made['id']}")).status_code == 204
        created, opened, cancelled, removed = await _told(
            receiver,
            *("subscription.created", "installation.live", "subscription.cancelled", "installation.removed"),
        )
        subscription = {"subscription_id": made["subscription"]["id"], "module": module.id, "plan": "start"}
        assert created.items() >= {**subscription, "status": "trialing"}.items()
        assert created["trial_ends_at"] == made["subscription"]["trial_ends_at"]
        assert opened == {"module": module.id, "host": live["host"]}
        assert cancelled.items() >= {**subscription, "status": "canceled"}.items()
        assert removed == {"reason": "removed"}
        assert {one.envelope.installation_id for one in receiver.received} == {UUID(made["id"])}


async def test_an_owner_hears_why_an_activation_failed(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    module.on[REQUESTED] = answers(422, {"code": "shop.full", "detail": "No room."})
    async with receiver_of(core, owner, ordered=True) as receiver:
        await outcome(owner, (await activate(owner, module.id))["id"])
        _, failed, cancelled, removed = await _told(
            receiver,
            *(
                "subscription.created",
                "installation.failed",
                "subscription.cancelled",
                "installation.removed",
            ),
        )
        assert failed == {"module": module.id, "code": "shop.full", "detail": "No room."}
        assert cancelled["status"] == "void"
        assert removed == {"reason": "shop.full"}


async def test_an_owner_hears_that_a_subscription_was_suspended_and_opened_again(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    made = await activate(owner, module.id)
    await outcome(owner, made["id"])
    wanted = ["subscription.changed"]
    async with receiver_of(core, owner, ordered=True, event_types=wanted) as receiver:
        for change in (subscriptions.suspend, subscriptions.resume, subscriptions.resume):
            async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as door:
                await change(door, core.resources, owner.tenant_id, UUID(made["subscription"]["id"]))
        told = await _told(receiver, *wanted * 2)
        assert [data["status"] for data in told] == ["suspended", "trialing"]
        await module.wait_for("license.updated", 2)


MISSHAPEN = """
    INSERT INTO events (tenant_id, id, type, data) VALUES ($1, $2, 'tenant.updated', '{"nome": "?"}')
    RETURNING id
"""


async def test_what_is_not_as_published_is_sent_to_nobody_and_held_against_nobody(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as receiver:
        await look(core_database, MISSHAPEN, owner.tenant_id, uuid7())

        async def is_refused() -> bool:
            shown = (await owner.client.get(DELIVERIES, params={"status": "refused"})).json()["items"]
            return [one["last_error"] for one in shown] == ["misshapen"]

        await until(is_refused)
        assert receiver.received == []
        assert (await owner.client.get(receiver.endpoint)).json()["failing_since"] is None
        [shown] = (await owner.client.get(DELIVERIES)).json()["items"]
        detail = (await owner.client.get(f"{DELIVERIES}/{shown['id']}")).json()
        assert detail["body"]["data"] == {"nome": "?"}


class _Before(Body):
    """`tenant.updated`: how it would have been before a second version."""

    title: str


@pytest.fixture
def second_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if `tenant.updated` were at its second version."""
    monkeypatch.setitem(CATALOGUE._models, "tenant.updated", {1: TenantUpdated})
    monkeypatch.setattr(CATALOGUE, "_steps", {})
    CATALOGUE.downgrade("tenant.updated", 2, to=_Before)(lambda data: {"title": data["name"]})


PIN = "UPDATE webhook_endpoints SET schema_version = 2 WHERE id = $1 RETURNING id"


@pytest.mark.usefixtures("second_version", "dispatcher")
async def test_each_endpoint_is_told_the_version_that_it_pins(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    async with receiver_of(core, owner) as old, receiver_of(core, owner) as new:
        await look(core_database, PIN, UUID(new.made["id"]))
        path = f"{API}/tenants/{owner.tenant_id}"
        assert (await owner.client.patch(path, json={"name": "Сад"})).status_code == 200
        for receiver, version, data in ((old, 1, {"title": "Сад"}), (new, 2, {"name": "Сад"})):
            [received] = await receiver.wait_for("tenant.updated")
            assert (received.envelope.schema_version, received.envelope.data) == (version, data)
            shown = (await owner.client.get(DELIVERIES, params={"endpoint_id": receiver.made["id"]})).json()
            detail = (await owner.client.get(f"{DELIVERIES}/{shown['items'][0]['id']}")).json()
            assert (detail["body"]["schema_version"], detail["body"]["data"]) == (version, data)
