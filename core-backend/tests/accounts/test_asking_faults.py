"""Redis breaks down while a code is asked for: the same press again finds what there is, or begins anew."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from core_kit.codes import answer, refusal, spent
from core_kit.people import API, read_code, unique_phone
from core_kit.relay import Relay
from core_kit.running import RunningCore, core_settings, run_core
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


@dataclass
class Scene:
    """A core whose Redis can fail at a word."""

    core: RunningCore
    client: httpx.AsyncClient
    relay: Relay

    async def press(self, phone: str) -> httpx.Response:
        """The same press, each time."""
        body, key = {"phone": phone, "channel": "max"}, {"Idempotency-Key": "press"}
        return await self.client.post(f"{API}/auth/challenges", json=body, headers=key)


@pytest.fixture
async def scene(core_database: ScratchDatabase, redis_url: str) -> AsyncIterator[Scene]:
    """See above."""
    relay = Relay(redis_url)
    await relay.open()
    async with (
        run_core(core_settings(core_database, relay.url)) as core,
        httpx.AsyncClient(base_url=core.url, timeout=20) as client,
    ):
        yield Scene(core, client, relay)
    await relay.close()


@pytest.mark.parametrize("fault", ["asked:", "spent:", "code:", "challenge:"])
@pytest.mark.parametrize("is_heard", [False, True], ids=["before", "answer lost"])
async def test_no_press_is_answered_with_a_challenge_that_does_not_exist(
    scene: Scene, fault: str, is_heard: bool
) -> None:
    phone = unique_phone()
    assert (await scene.press(unique_phone())).status_code == 202  # the scripts are known from here on
    before = await spent(scene.core, "max")
    scene.relay.fault, scene.relay.is_heard, scene.relay.times = fault.encode(), is_heard, 2
    assert refusal(await scene.press(phone)) == (503, "redis.unavailable")
    assert scene.relay.times == 0
    got = await scene.press(phone)
    assert got.status_code == 202
    tried = await answer(scene.client, got.json()["challenge_id"], "000000")
    assert tried.status_code == 200 or refusal(tried) == (422, "accounts.code_wrong")
    is_lost = is_heard and fault == "spent:"  # then nobody knows whether the first press was charged
    assert is_lost or await spent(scene.core, "max") - before <= 1


@pytest.mark.parametrize("fault", ["asked:", "spent:", "code:", "challenge:"])
@pytest.mark.parametrize("is_heard", [False, True], ids=["before", "answer lost"])
async def test_a_connection_that_breaks_once_is_not_noticed(scene: Scene, fault: str, is_heard: bool) -> None:
    phone = unique_phone()
    assert (await scene.press(unique_phone())).status_code == 202
    scene.relay.fault, scene.relay.is_heard, scene.relay.times = fault.encode(), is_heard, 1
    got = await scene.press(phone)
    assert (got.status_code, scene.relay.times) == (202, 0)
    assert "idempotency-replayed" not in got.headers
    code = await read_code(scene.client, phone)
    assert (await answer(scene.client, got.json()["challenge_id"], code)).status_code == 200
