"""A session that was ended is over at once: on every call that knows people, and on streams that are open."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from core_kit.activation import activate, watch
from core_kit.codes import look, refusal
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner, confirm
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

OPTIONAL = {("post", f"{API}/auth/logout")}  # nobody needs to be signed in to sign out
OF_MODULES = f"{API}/module/"


def _calls(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Method and path of every call that takes a person's token."""
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            if "security" in call and not path.startswith(OF_MODULES) and (method, path) not in OPTIONAL:
                yield method, path


async def test_an_ended_session_opens_no_call_at_all(core: RunningCore, owner: Owner) -> None:
    document = (await owner.client.get(f"{API}/openapi.json")).json()
    calls = list(_calls(document))
    assert len(calls) >= 18
    assert (await owner.client.delete(f"{API}/me/sessions", params={"current": "true"})).status_code == 204
    for method, path in calls:
        place = path.replace("{tenant_id}", str(owner.tenant_id))
        place = re.sub(r"{\w+}", lambda _: str(uuid4()), place)
        body: dict[str, str] | None = {} if method in ("post", "patch", "put") else None
        got = await owner.client.request(method, place, json=body)
        assert refusal(got) == (401, "accounts.unauthenticated"), f"{method} {path}"


async def _watched(owner: Owner, module: ScriptedModule) -> asyncio.Task[list[dict[str, Any]]]:
    """An open stream about an activation that nobody will ever carry out."""
    body = await activate(owner, module.id)
    begun = asyncio.Event()
    watching = asyncio.create_task(watch(owner, body["id"], begun))
    await asyncio.wait_for(begun.wait(), 20)
    return watching


async def test_an_open_stream_ends_with_its_session(
    core: RunningCore, owner: Owner, stranger: Owner, module: ScriptedModule
) -> None:
    watching, another = await _watched(owner, module), await _watched(stranger, module)
    async with httpx.AsyncClient(base_url=core.url) as elsewhere:
        session = await confirm(elsewhere, owner.phone)
        bearer = {"Authorization": f"Bearer {session['access_token']}"}
        assert (await elsewhere.delete(f"{API}/me/sessions", headers=bearer)).status_code == 204
    told = await asyncio.wait_for(watching, 5)
    assert {event["status"] for event in told} == {"provisioning"}
    assert not another.done()
    another.cancel()
    await asyncio.gather(another, return_exceptions=True)


async def test_an_open_stream_ends_with_the_membership(
    owner: Owner, module: ScriptedModule, core_database: ScratchDatabase
) -> None:
    watching = await _watched(owner, module)
    await look(core_database, "DELETE FROM memberships WHERE user_id = $1", owner.user_id)
    told = await asyncio.wait_for(watching, 5)
    assert {event["status"] for event in told} == {"provisioning"}
