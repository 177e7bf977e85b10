"""`GET /subdomains/{label}`: what a person sees while typing."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from core_kit.activation import activate, outcome, unique_label
from core_kit.codes import refusal
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner
from core_kit.running import RunningCore

pytestmark = pytest.mark.anyio
StartCore = Callable[..., AbstractAsyncContextManager[RunningCore]]


async def test_a_free_label_comes_with_its_future_address(client: httpx.AsyncClient) -> None:
    label = unique_label()
    answer = await client.get(f"{API}/subdomains/{label.upper()}")
    assert answer.status_code == 200
    assert answer.json() == {
        "label": label,
        "available": True,
        "reason": None,
        "host": f"{label}.localhost",
        "url": f"http://{label}.localhost:8080",
    }


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("ab", "malformed"),
        ("a" * 200, "malformed"),
        ("xn--p1ai", "malformed"),
        ("%D0%BF%D0%B8%D1%80%D0%BE%D0%B3", "malformed"),
        ("a%00bc", "malformed"),
        ("\N{KELVIN SIGN}iwi", "malformed"),  # whose lower case is a plain k
        ("admin", "reserved"),
        ("SberBank", "reserved"),
    ],
)
async def test_a_label_that_nobody_can_have_says_why(
    client: httpx.AsyncClient, label: str, reason: str
) -> None:
    body = (await client.get(f"{API}/subdomains/{label}")).json()
    assert (body["available"], body["reason"]) == (False, reason)


async def test_a_label_is_taken_from_the_press_of_the_button_on(
    client: httpx.AsyncClient, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    label = unique_label()
    body = await activate(owner, module.id, label)
    assert (await client.get(f"{API}/subdomains/{label}")).json()["reason"] == "taken"
    await outcome(owner, body["id"])
    assert (await client.get(f"{API}/subdomains/{label}")).json()["reason"] == "taken"
    await owner.client.delete(f"{API}/installations/{body['id']}")
    answer = (await client.get(f"{API}/subdomains/{label}")).json()
    assert (answer["available"], answer["reason"]) == (False, "quarantined")
    assert str(owner.tenant_id) not in str(answer)


async def test_asking_without_end_is_refused_for_a_while(start_core: StartCore) -> None:
    async with start_core(limits="strict") as strict, httpx.AsyncClient(base_url=strict.url) as client:
        label = unique_label()
        for _ in range(200):
            answer = await client.get(f"{API}/subdomains/{label}")
            if answer.status_code != 200:
                break
        assert refusal(answer)[0] == 429
        assert 0 < int(answer.headers["retry-after"]) <= 60
