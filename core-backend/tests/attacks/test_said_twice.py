"""Headers that stand there twice, of which two programs in a row may each believe another one."""

import json

import httpx
import pytest
from core_kit.codes import look
from core_kit.gate import Front, head, say
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

TWICE = {
    "Authorization": ("Bearer x", "Bearer y"),
    "Content-Type": ("application/json", "text/plain"),
    "Host": ("localhost:8080", "evil.example"),
    "Idempotency-Key": ("one", "two"),
    "Origin": ("http://localhost:8080", "https://evil.example"),
    "Sec-Fetch-Site": ("same-origin", "cross-site"),
}


@pytest.mark.parametrize("name", TWICE)
async def test_what_decides_is_said_once(
    owner: Owner, core_database: ScratchDatabase, core: RunningCore, name: str
) -> None:
    body = json.dumps({"name": "Вторая"})
    own = {
        "Host": "localhost:8080",
        "Content-Type": "application/json",
        "Authorization": owner.client.headers["Authorization"],
        "Cookie": f"tochka_refresh={owner.client.cookies['tochka_refresh']}",
        "Content-Length": str(len(body)),
    }
    lines = [f"{known}: {value}" for known, value in own.items() if known != name]
    for first, second in (TWICE[name], TWICE[name][::-1], TWICE[name][:1] * 2):
        for path in ("/auth/refresh", "/tenants"):
            said = head("POST", f"{API}{path}", *lines, f"{name}: {first}", f"{name.lower()}: {second}")
            heard = await say(core.url, said + body.encode())
            assert (heard.status, heard.problem["code"]) == (400, "request.malformed")
            assert name.lower() in heard.problem["detail"]
    query = "SELECT counter FROM sessions WHERE user_id = $1"
    assert await look(core_database, query, owner.user_id) == [{"counter": 0}]
    tenants = await owner.client.get(f"{API}/tenants")
    assert [item["id"] for item in tenants.json()["items"]] == [str(owner.tenant_id)]


async def test_the_gateway_passes_no_second_one_on(front: Front, owner: Owner, stranger: Owner) -> None:
    own, foreign = (
        f"Authorization: {person.client.headers['Authorization']}" for person in (owner, stranger)
    )
    for first, second in ((own, foreign), (foreign, own), (own, own)):
        heard = await say(front.url, head("GET", f"{API}/me", "Host: localhost", first, second))
        assert heard.status == 400
        assert str(owner.user_id) not in heard.text
        assert str(stranger.user_id) not in heard.text


async def test_a_cookie_that_stands_there_twice_is_one_of_ours_or_none(
    core: RunningCore, owner: Owner
) -> None:
    """A page of a sibling domain can put a cookie of its own before ours, and gets nothing but a refusal."""
    real = owner.client.cookies["tochka_refresh"]
    for cookies in (f"tochka_refresh=x; tochka_refresh={real}", f"tochka_refresh={real}; tochka_refresh=x"):
        async with httpx.AsyncClient(base_url=core.url, headers={"Cookie": cookies}) as client:
            got = await client.post(f"{API}/auth/refresh")
            assert got.status_code in (200, 401)
            if got.status_code == 200:
                assert got.json()["user"]["id"] == str(owner.user_id)
                real = got.cookies["tochka_refresh"]
