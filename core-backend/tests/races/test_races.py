"""Many at once against several processes: one session, one chain, one membership each, whoever comes first.

Each caller has a connection of its own, and is let go only when all of them are connected.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import UUID

import httpx
import pytest
from core_kit.codes import challenge, look
from core_kit.members import invited, roles
from core_kit.people import API, Owner, sign_up
from core_kit.processes import web_process
from core_kit.running import core_settings
from tochka_stack.testing import ScratchDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.proof]

Act = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]
PROCESSES, CODES, TABS, GUESTS = 3, 50, 20, 100


@pytest.fixture(scope="module")
async def urls(core_database: ScratchDatabase, redis_url: str) -> AsyncIterator[list[str]]:
    """Processes of the core as in production, with one PostgreSQL and one Redis behind them."""
    settings = core_settings(core_database, redis_url)
    async with AsyncExitStack() as stack:
        entered = [await stack.enter_async_context(web_process(settings)) for _ in range(PROCESSES)]
        yield [url for _, url in entered]


async def _at_once(urls: list[str], count: int, act: Act) -> list[httpx.Response]:
    """So many callers do it at the same moment, spread over the processes."""
    ready = asyncio.Barrier(count)

    async def caller(number: int, url: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            assert (await client.get("/.well-known/jwks.json")).status_code == 200  # connected from here on
            await ready.wait()
            return await act(client, number)

    spread = itertools.islice(itertools.cycle(urls), count)
    return await asyncio.gather(*(caller(number, url) for number, url in enumerate(spread)))


def _with(headers: list[dict[str, str]], method: str, path: str) -> Act:
    """A call, with headers for each caller."""
    return lambda client, number: client.request(method, f"{API}{path}", headers=headers[number])


async def test_fifty_right_codes_at_once_open_one_session(
    urls: list[str], core_database: ScratchDatabase
) -> None:
    async with httpx.AsyncClient(base_url=urls[0]) as client:
        challenge_id, phone, code = await challenge(client, token_delivery="body")
    path = f"{API}/auth/challenges/{challenge_id}/confirm"
    answers = await _at_once(urls, CODES, lambda client, _: client.post(path, json={"code": code}))
    assert Counter(got.status_code for got in answers) == {200: 1, 410: CODES - 1}
    query = """
        SELECT count(DISTINCT u.id) AS people, count(DISTINCT s.id) AS sessions,
               count(DISTINCT m.tenant_id) AS tenants, count(DISTINCT a.id) AS entries
        FROM users u LEFT JOIN sessions s ON s.user_id = u.id LEFT JOIN memberships m ON m.user_id = u.id
             LEFT JOIN audit_entries a ON a.user_id = u.id AND a.action = 'person.signed_up'
        WHERE u.phone = $1
    """
    once = {"people": 1, "sessions": 1, "tenants": 1, "entries": 1}
    assert await look(core_database, query, phone) == [once]


async def test_codes_of_all_challenges_of_one_new_phone_make_one_person(
    urls: list[str], core_database: ScratchDatabase
) -> None:
    """As many as a phone may have, each typed ten times: a session for each, and one person."""
    async with httpx.AsyncClient(base_url=urls[0]) as client:
        first = await challenge(client, token_delivery="body")
        asked = [first, *[await challenge(client, first[1], token_delivery="body") for _ in range(4)]]

    async def answer(client: httpx.AsyncClient, number: int) -> httpx.Response:
        challenge_id, _, code = asked[number % len(asked)]
        return await client.post(f"{API}/auth/challenges/{challenge_id}/confirm", json={"code": code})

    answers = await _at_once(urls, CODES, answer)
    assert Counter(got.status_code for got in answers) == {200: len(asked), 410: CODES - len(asked)}
    welcomed = [got.json() for got in answers if got.status_code == 200]
    assert sum(body["is_new_user"] for body in welcomed) == 1
    assert len({body["user"]["id"] for body in welcomed}) == 1
    query = "SELECT count(*) AS n FROM sessions WHERE user_id = $1 AND revoked_at IS NULL"
    assert await look(core_database, query, UUID(welcomed[0]["user"]["id"])) == [{"n": len(asked)}]


async def test_twenty_tabs_that_refresh_at_once_stay_signed_in_in_one_chain(
    urls: list[str], core_database: ScratchDatabase
) -> None:
    """Several times over: whatever token the tabs were given, they all go on with it together."""
    async with httpx.AsyncClient(base_url=urls[0]) as client:
        challenge_id, phone, code = await challenge(client)
        path = f"{API}/auth/challenges/{challenge_id}/confirm"
        cookie = (await client.post(path, json={"code": code})).cookies["tochka_refresh"]
    for turn in range(1, 4):
        headers = [{"Cookie": f"tochka_refresh={cookie}"}] * TABS
        answers = await _at_once(urls, TABS, _with(headers, "POST", "/auth/refresh"))
        assert [got.status_code for got in answers] == [200] * TABS
        (cookie,) = {got.cookies["tochka_refresh"] for got in answers}
        headers = [{"Authorization": f"Bearer {got.json()['access_token']}"} for got in answers]
        seen = await _at_once(urls, TABS, _with(headers, "GET", "/me"))
        assert [got.json()["phone"] for got in seen] == [phone] * TABS
        query = "SELECT counter, revoked_at FROM sessions s JOIN users u ON u.id = s.user_id WHERE phone = $1"
        assert await look(core_database, query, phone) == [{"counter": turn, "revoked_at": None}]


async def test_a_hundred_invitations_accepted_at_once_make_a_hundred_members(
    urls: list[str], core_database: ScratchDatabase
) -> None:
    """A hundred people, each with an invitation of one's own, each of whom presses twice."""
    owner = await sign_up(urls[0])
    guests = [await sign_up(url) for url in itertools.islice(itertools.cycle(urls), GUESTS)]
    made = [await invited(owner, guest.phone) for guest in guests]

    async def press(client: httpx.AsyncClient, number: int) -> httpx.Response:
        guest, invitation = guests[number % GUESTS], made[number % GUESTS]
        bearer = {"Authorization": guest.client.headers["Authorization"]}
        return await client.post(f"{API}/me/invitations/{invitation['id']}/accept", headers=bearer)

    answers = await _at_once(urls, 2 * GUESTS, press)
    assert Counter(got.status_code for got in answers) == {200: 2 * GUESTS}
    await _joined(core_database, owner, [guest.user_id for guest in guests])
    for person in (owner, *guests):
        await person.client.aclose()


async def test_one_invitation_accepted_a_hundred_times_at_once_makes_one_member(
    urls: list[str], core_database: ScratchDatabase
) -> None:
    owner, guest = await sign_up(urls[0]), await sign_up(urls[-1])
    made = await invited(owner, guest.phone)
    bearer = {"Authorization": guest.client.headers["Authorization"]}
    path = f"{API}/me/invitations/{made['id']}/accept"
    answers = await _at_once(urls, GUESTS, lambda client, _: client.post(path, headers=bearer))
    assert Counter(got.status_code for got in answers) == {200: GUESTS}
    assert await roles(owner) == {str(owner.user_id): "owner", str(guest.user_id): "staff"}
    await _joined(core_database, owner, [guest.user_id])
    for person in (owner, guest):
        await person.client.aclose()


async def _joined(database: ScratchDatabase, owner: Owner, expected: list[UUID]) -> None:
    """Each of them is a member once, and the world is told so once."""
    members = "SELECT user_id FROM memberships WHERE tenant_id = $1 AND role = 'staff'"
    assert {row["user_id"] for row in await look(database, members, owner.tenant_id)} == set(expected)
    told = "SELECT count(*) AS n FROM events WHERE tenant_id = $1 AND type = 'member.joined'"
    assert await look(database, told, owner.tenant_id) == [{"n": len(expected)}]
