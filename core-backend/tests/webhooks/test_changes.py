"""An endpoint whose gate is shut is asked at once when its owner wants it: all that is told here arrives by
itself, long before the gate would open.
"""

from collections.abc import Awaitable, Callable

import pytest
from core_kit.codes import look
from core_kit.modules import answers
from core_kit.people import API, Owner
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


async def _rename(owner: Owner, name: str) -> None:
    path = f"{API}/tenants/{owner.tenant_id}"
    assert (await owner.client.patch(path, json={"name": name})).status_code == 200


async def _shut(database: ScratchDatabase, owner: Owner, receiver: ScriptedReceiver) -> None:
    """It asks to be left alone for an hour; one more that is told waits behind its gate."""
    receiver.on[RENAMED] = BUSY
    await _rename(owner, "Занято")
    await receiver.wait_for(RENAMED)

    async def is_blocked() -> bool:
        await _rename(owner, "Ждёт")
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
    await _rename(owner, "Снова")


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
