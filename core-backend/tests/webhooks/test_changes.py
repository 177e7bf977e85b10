"""An endpoint is asked at once when its owner wants it: all that is told here arrives long before its gate
would open, or its turn would come.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from core_kit.codes import look
from core_kit.modules import answers, one_by_one
from core_kit.people import Owner, rename
from core_kit.receivers import DELIVERIES, ScriptedReceiver, receiver_of
from core_kit.running import RunningCore
from core_kit.waiting import until
from tochka_sdk import clock
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
RENAMED = "tenant.updated"
BUSY = answers(429, **{"Retry-After": "3600"})
BLOCKED = """
    SELECT receiver FROM delivery_queues WHERE tenant_id = $1 AND blocked_until > now() + interval '10 min'
"""
Wish = Callable[[Owner, ScriptedReceiver], Awaitable[None]]
WishFor = Callable[[Owner, ScriptedReceiver, dict[str, Any]], Awaitable[None]]


async def _shut(database: ScratchDatabase, owner: Owner, receiver: ScriptedReceiver) -> None:
    """It asks to be left alone for an hour; one more that is told waits behind its gate."""
    receiver.on[RENAMED] = BUSY
    await rename(owner, "Занято")
    await receiver.wait_for(RENAMED)

    async def is_blocked() -> bool:
        await rename(owner, "Ждёт")
        return bool(await look(database, BLOCKED, owner.tenant_id))

    await until(is_blocked)
    del receiver.on[RENAMED]


async def _move(owner: Owner, receiver: ScriptedReceiver) -> None:
    receiver.door = "/moved"
    change = {"url": receiver.hook}
    assert (await owner.client.patch(receiver.endpoint, json=change)).status_code == 200


async def _enable(owner: Owner, receiver: ScriptedReceiver) -> None:
    for status in ("disabled", "enabled"):
        answer = await owner.client.patch(receiver.endpoint, json={"status": status})
        assert answer.status_code == 200
    await rename(owner, "Снова")


async def _test(owner: Owner, receiver: ScriptedReceiver) -> None:
    assert (await owner.client.post(f"{receiver.endpoint}/test")).status_code == 202
    await receiver.wait_for("ping")


async def _replay(owner: Owner, receiver: ScriptedReceiver) -> None:
    asked = {"since": clock.now().isoformat()}
    answer = await owner.client.post(f"{receiver.endpoint}/replays", json=asked)
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("wish", [_move, _enable, _test, _replay])
async def test_it_is_asked_as_soon_as_its_owner_wants_it(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, dispatcher: None, wish: Wish
) -> None:
    async with receiver_of(core, owner) as receiver:
        await _shut(core_database, owner, receiver)
        await wish(owner, receiver)

        async def is_delivered() -> bool:
            answer = await owner.client.get(DELIVERIES, params={"status": "delivered", "type": RENAMED})
            return bool(answer.json()["items"])

        await until(is_delivered)


async def test_a_change_of_its_description_is_no_wish_to_ask_it(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as receiver:
        await _shut(core_database, owner, receiver)
        change = {"description": "Склад"}
        assert (await owner.client.patch(receiver.endpoint, json=change)).status_code == 200
        assert await look(core_database, BLOCKED, owner.tenant_id)


async def _recover(owner: Owner, receiver: ScriptedReceiver, delivery: dict[str, Any]) -> None:
    asked = {"since": delivery["created_at"]}
    answer = await owner.client.post(f"{receiver.endpoint}/recover", json=asked)
    assert (answer.status_code, answer.json()["total"]) == (202, 1)


async def _send_again(owner: Owner, receiver: ScriptedReceiver, delivery: dict[str, Any]) -> None:
    assert (await owner.client.post(f"{DELIVERIES}/{delivery['id']}/replay")).status_code == 202


@pytest.mark.parametrize("wish", [_recover, _send_again])
async def test_what_waits_to_be_tried_again_is_tried_when_its_owner_wants_it(
    core: RunningCore, owner: Owner, dispatcher: None, wish: WishFor
) -> None:
    async with receiver_of(core, owner) as receiver:
        receiver.on[RENAMED] = one_by_one(BUSY, answers(200))
        await rename(owner, "Занято")
        await receiver.wait_for(RENAMED)
        found: list[dict[str, Any]] = []

        async def is_(status: str, attempts: int) -> bool:
            found[:] = (await owner.client.get(DELIVERIES, params={"type": RENAMED})).json()["items"]
            return [(one["status"], one["attempts"], one["last_response_status"]) for one in found] == [
                (status, attempts, 429 if status == "pending" else 200)
            ]

        await until(lambda: is_("pending", 1))
        await wish(owner, receiver, found[0])
        _, second = await receiver.wait_for(RENAMED, 2)
        assert "webhook-replay" not in second.headers
        await until(lambda: is_("delivered", 2))
        assert not found[0]["replayed"]


async def test_what_nobody_has_tried_is_not_sent_again(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, dispatcher: None
) -> None:
    async with receiver_of(core, owner) as receiver:
        await _shut(core_database, owner, receiver)
        found = (await owner.client.get(DELIVERIES, params={"type": RENAMED})).json()["items"]
        waiting = next(one for one in found if one["attempts"] == 0)
        answer = await owner.client.post(f"{DELIVERIES}/{waiting['id']}/replay")
        assert (answer.status_code, answer.json()["code"]) == (409, "webhooks.delivery_unsettled")
