"""A rotation of all keys under way: several instances, a worker and a module, and not one failed request."""

import asyncio
import base64
import itertools
import json
import os
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from core_kit.activation import activate, outcome
from core_kit.modules import ScriptedModule, registered_module
from core_kit.people import API, Owner, sign_up
from core_kit.processes import free_port, web_process, worker_process
from core_kit.running import RunningCore, core_settings, run_core, with_key_file
from core_kit.waiting import until
from tochka_sdk import clock, tokens
from tochka_sdk.core_client import CoreClient
from tochka_sdk.key_rings import PUBLISHED_AHEAD_S, PURPOSES, Ring, Rings
from tochka_sdk.keys import PlatformKeys
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
TURNS = 3
ISSUER = "http://localhost:8080"


@dataclass
class Platform:
    """Two instances and a worker on one key file, a module, and an owner of a live installation of it."""

    urls: tuple[str, str]
    worker_url: str
    here: RunningCore
    file: Path
    rings: Rings
    module: ScriptedModule
    owner: Owner
    installation_id: str
    keys: PlatformKeys
    calls: Counter[str] = field(default_factory=Counter)
    kids: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, call: str, answer: httpx.Response) -> httpx.Response:
        """Count a call, and remember it if it failed."""
        self.calls[call] += 1
        if not answer.is_success:
            self.failures.append(f"{call}: {answer.status_code} {answer.text}")
        return answer

    def turn(self) -> None:
        """Turn all rings, whose next keys count as published long ago."""
        aged = (_aged(ring) for ring in self.rings)
        self.rings = Rings(*aged).turned(PURPOSES, int(clock.now().timestamp()))
        scratch = self.file.with_suffix(".new")
        scratch.write_text(self.rings.render())
        os.replace(scratch, self.file)

    async def taken(self) -> None:
        """Wait until every process has taken what the last turn has made."""
        assert self.rings.access.following is not None
        name = self.rings.access.following.name
        worker = f"{self.worker_url}/health/keys?name={name}"
        async with httpx.AsyncClient() as client:

            async def is_taken() -> bool:
                published = [(await client.get(f"{url}/.well-known/jwks.json")).text for url in self.urls]
                is_signed_with = (await client.get(worker)).is_success
                is_known_here = self.here.resources.keyring.publishes(name)
                return all(name in text for text in published) and is_signed_with and is_known_here

            await until(is_taken)

    async def busy(self) -> None:
        """Wait until every call was made some more times."""
        before = self.calls.copy()

        async def is_busy() -> bool:
            return all(self.calls[call] >= before[call] + 5 for call in CALLS)

        await until(is_busy)


def _aged(ring: Ring) -> Ring:
    return replace(ring, keys=tuple(replace(key, since=key.since - PUBLISHED_AHEAD_S) for key in ring.keys))


async def _ask(platform: Platform, client: httpx.AsyncClient) -> None:
    platform.note("me", await client.get(f"{API}/me"))


async def _refresh(platform: Platform, client: httpx.AsyncClient) -> None:
    answer = platform.note("refresh", await client.post(f"{API}/auth/refresh"))
    token = answer.json()["access_token"]
    # whoever checks it elsewhere asks the other instance for the keys, and finds the right one
    other = next(url for url in platform.urls if httpx.URL(url).port != client.base_url.port)
    jwks = (await client.get(f"{other}/.well-known/jwks.json")).json()
    tokens.decode(token, jwks, typ="at+jwt", issuer=ISSUER, audience="tochka")
    client.headers["Authorization"] = f"Bearer {token}"


async def _enter(platform: Platform, client: httpx.AsyncClient) -> None:
    path = f"{API}/installations/{platform.installation_id}/session"
    answer = platform.note("ticket", await client.post(path))
    await platform.keys.verify_ticket(answer.json()["ticket"])


async def _renew(platform: Platform, client: httpx.AsyncClient) -> None:
    path = f"/licenses/{platform.installation_id}"
    answer = platform.note("license", await platform.module.call(str(client.base_url), "GET", path))
    await platform.keys.read_license(answer.json()["license"])


async def _rename(platform: Platform, client: httpx.AsyncClient) -> None:
    """Causes an event, which the worker signs."""
    path = f"{API}/tenants/{platform.owner.tenant_id}"
    platform.note("event", await client.patch(path, json={"name": secrets.token_hex(4)}))


CALLS: dict[str, Callable[[Platform, httpx.AsyncClient], Awaitable[None]]] = {
    "me": _ask,
    "refresh": _refresh,
    "ticket": _enter,
    "license": _renew,
    "event": _rename,
}


async def _keep_calling(platform: Platform, call: str, client: httpx.AsyncClient) -> None:
    """One call after the other, now at this instance, now at that."""
    for url in itertools.cycle(platform.urls):
        if platform.stop.is_set():
            return
        client.base_url = httpx.URL(url)
        await CALLS[call](platform, client)
        platform.kids.add(_kid(client.headers["Authorization"]))


def _kid(bearer: str) -> str:
    header = bearer.removeprefix("Bearer ").partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


@pytest.fixture
async def platform(core_database: ScratchDatabase, redis_url: str, tmp_path: Path) -> AsyncIterator[Platform]:
    """It runs, as processes of their own."""
    file, rings = tmp_path / "keyring", Rings.fresh()
    file.write_text(rings.render())
    settings = with_key_file(core_settings(core_database, redis_url), file)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        here = await enter(run_core(settings))
        module = await enter(registered_module(here.resources, here.jobs))
        _, first = await enter(web_process(settings))
        _, second = await enter(web_process(settings))
        port = free_port()
        await enter(worker_process(settings, worker_port=port))
        owner = await sign_up(first)
        stack.push_async_callback(owner.client.aclose)
        installation = await activate(owner, module.id)
        await outcome(owner, installation["id"])
        core = CoreClient(first, module_id=module.id, key=module.key, issuer=ISSUER)
        stack.push_async_callback(core.close)
        keys = PlatformKeys(core, module_id=module.id, issuer=ISSUER, interval=0)
        await keys.refresh()
        worker = f"http://127.0.0.1:{port}"
        yield Platform((first, second), worker, here, file, rings, module, owner, installation["id"], keys)


@pytest.mark.proof
async def test_no_request_fails_while_keys_are_rotated_again_and_again(platform: Platform) -> None:
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for call in CALLS:
            signed_up = await sign_up(platform.urls[0], platform.owner.phone)
            stack.push_async_callback(signed_up.client.aclose)
            group.create_task(_keep_calling(platform, call, signed_up.client))
        for _ in range(TURNS):
            await platform.busy()
            platform.turn()
            await platform.taken()
            await platform.keys.refresh()  # as a module does in its rhythm, long before the next turn
        await platform.busy()
        platform.stop.set()
    assert platform.failures == []
    assert len(platform.kids) == TURNS + 1
    await platform.module.wait_for("tenant.updated", 20)
    assert platform.module.refused == []
    for received in platform.module.received:
        await platform.keys.verify_webhook(received.headers, received.body)
