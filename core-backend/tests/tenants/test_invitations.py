"""Invitations: bound to a phone, good for 72 hours and one acceptance, to at most what the inviter is."""

import asyncio
import hashlib
import json
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from core_kit.codes import look, refusal
from core_kit.members import accept, enrol, invite, invited, join, roles
from core_kit.people import API, Owner, sign_up, unique_phone
from core_kit.running import RunningCore
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
UNKNOWN = (404, "tenants.invitation_unknown")


async def _mine(person: Owner) -> list[dict[str, Any]]:
    return list((await person.client.get(f"{API}/me/invitations")).json()["items"])


async def _open(owner: Owner) -> list[dict[str, Any]]:
    return list((await owner.client.get(f"{API}/tenants/{owner.tenant_id}/invitations")).json()["items"])


async def _events(database: ScratchDatabase, owner: Owner, type: str) -> list[dict[str, Any]]:
    query = "SELECT data FROM events WHERE tenant_id = $1 AND type = $2 ORDER BY id"
    return [json.loads(row["data"]) for row in await look(database, query, owner.tenant_id, type)]


async def _age(database: ScratchDatabase, invitation_id: str) -> None:
    query = "UPDATE invitations SET expires_at = expires_at - interval '72 hours' WHERE id = $1"
    await look(database, query, UUID(invitation_id))


async def test_an_invited_person_joins_and_switches_without_signing_in_again(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase
) -> None:
    made = await invited(owner, stranger.phone, "admin")
    assert made.keys() == {"id", "phone", "role", "invited_by", "created_at", "expires_at", "token"}
    assert (made["phone"], made["role"], made["invited_by"]) == (stranger.phone, "admin", str(owner.user_id))
    (seen,) = await _open(owner)
    assert seen == {name: value for name, value in made.items() if name != "token"}

    (mine,) = await _mine(stranger)
    assert (mine["id"], mine["role"], mine["tenant_name"]) == (made["id"], "admin", "Мой бизнес")
    got = await accept(stranger, made["id"])
    assert (got.status_code, got.json()["id"], got.json()["role"]) == (200, str(owner.tenant_id), "admin")
    assert await roles(owner) == {str(owner.user_id): "owner", str(stranger.user_id): "admin"}
    assert await _events(core_database, owner, "member.joined") == [
        {"user_id": str(stranger.user_id), "role": "admin"}
    ]
    assert (await _open(owner), await _mine(stranger)) == ([], [])

    for tenant_id, role in ((str(owner.tenant_id), "admin"), (str(stranger.tenant_id), "owner")):
        fresh = (await stranger.client.post(f"{API}/auth/refresh", json={"tenant_id": tenant_id})).json()
        assert fresh["tenant_id"] == tenant_id
        bearer = {"Authorization": f"Bearer {fresh['access_token']}"}
        assert (await stranger.client.get(f"{API}/installations", headers=bearer)).status_code == 200
        assert {tenant["id"]: tenant["role"] for tenant in fresh["tenants"]}[tenant_id] == role


async def test_somebody_who_signs_up_later_finds_the_invitation(core: RunningCore, owner: Owner) -> None:
    phone = unique_phone()
    made = await invited(owner, phone)
    newcomer = await sign_up(core.url, phone)
    assert [item["id"] for item in await _mine(newcomer)] == [made["id"]]
    assert (await accept(newcomer, made["id"])).status_code == 200
    await newcomer.client.aclose()


async def test_the_answer_does_not_tell_whether_a_phone_is_known(owner: Owner, stranger: Owner) -> None:
    known, unknown = await invited(owner, stranger.phone), await invited(owner, unique_phone())
    assert known.keys() == unknown.keys()
    assert (known["role"], len(known["token"])) == (unknown["role"], len(unknown["token"]))


async def test_a_token_finds_the_invitation_for_the_holder_of_the_phone_only(
    owner: Owner, stranger: Owner, client: httpx.AsyncClient, core_database: ScratchDatabase
) -> None:
    made = await invited(owner, stranger.phone)
    path = f"{API}/me/invitations/find"
    token = {"token": made["token"]}
    assert (await stranger.client.post(path, json=token)).json()["id"] == made["id"]
    assert refusal(await owner.client.post(path, json=token)) == UNKNOWN
    assert (await client.post(path, json=token)).status_code == 401
    for wrong in (made["token"][:-1], made["id"], "x"):
        assert refusal(await stranger.client.post(path, json={"token": wrong})) == UNKNOWN
    await accept(stranger, made["id"])
    assert refusal(await stranger.client.post(path, json=token)) == UNKNOWN
    (row,) = await look(core_database, "SELECT token_hash FROM invitations WHERE id = $1", UUID(made["id"]))
    assert row["token_hash"] == hashlib.sha256(made["token"].encode()).digest()


async def test_nobody_else_can_answer_an_invitation(
    core: RunningCore, owner: Owner, stranger: Owner, client: httpx.AsyncClient
) -> None:
    made = await invited(owner, unique_phone())
    for person in (owner, stranger):
        assert await _mine(person) == []
        for answer in ("accept", "decline"):
            got = await person.client.post(f"{API}/me/invitations/{made['id']}/{answer}")
            assert refusal(got) == UNKNOWN
    assert refusal(await stranger.client.post(f"{API}/me/invitations/{uuid4()}/accept")) == UNKNOWN
    assert (await client.post(f"{API}/me/invitations/{made['id']}/accept")).status_code == 401
    assert await roles(owner) == {str(owner.user_id): "owner"}
    assert [item["id"] for item in await _open(owner)] == [made["id"]]


@pytest.mark.proof
async def test_a_hundred_acceptances_at_once_make_one_membership(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase
) -> None:
    made = await invited(owner, stranger.phone)

    async def press() -> httpx.Response:
        """Accept; again, as clients do, where so many at once had to wait too long for the database."""
        answer = await accept(stranger, made["id"])
        while answer.status_code == 503:
            assert "retry-after" in answer.headers
            answer = await accept(stranger, made["id"])
        return answer

    async with asyncio.timeout(60):
        answers = await asyncio.gather(*(press() for _ in range(100)))
    assert Counter(answer.status_code for answer in answers) == {200: 100}
    assert len({answer.text for answer in answers}) == 1
    assert await roles(owner) == {str(owner.user_id): "owner", str(stranger.user_id): "staff"}
    assert len(await _events(core_database, owner, "member.joined")) == 1


async def test_an_acceptance_and_a_withdrawal_at_once_have_one_winner(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase
) -> None:
    for _ in range(10):
        made = await invited(owner, stranger.phone)
        path = f"{API}/tenants/{owner.tenant_id}/invitations/{made['id']}"
        joined, withdrawn = await asyncio.gather(accept(stranger, made["id"]), owner.client.delete(path))
        assert {joined.status_code, withdrawn.status_code} in ({200, 404}, {404, 204})
        is_member = str(stranger.user_id) in await roles(owner)
        assert is_member is (joined.status_code == 200)
        if is_member:
            await owner.client.delete(f"{API}/tenants/{owner.tenant_id}/members/{stranger.user_id}")


async def test_an_invitation_is_used_once(owner: Owner, stranger: Owner) -> None:
    made = await invited(owner, stranger.phone)
    assert (await accept(stranger, made["id"])).status_code == 200
    members = f"{API}/tenants/{owner.tenant_id}/members/{stranger.user_id}"
    assert (await owner.client.delete(members)).status_code == 204
    assert refusal(await accept(stranger, made["id"])) == UNKNOWN
    assert await roles(owner) == {str(owner.user_id): "owner"}


@pytest.mark.parametrize("how", ["declined", "withdrawn", "expired"])
async def test_what_is_not_open_opens_nothing_and_makes_room_for_the_next(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase, how: str
) -> None:
    made = await invited(owner, stranger.phone)
    if how == "declined":
        done = await stranger.client.post(f"{API}/me/invitations/{made['id']}/decline")
        assert done.status_code == 204
    elif how == "withdrawn":
        path = f"{API}/tenants/{owner.tenant_id}/invitations/{made['id']}"
        assert (await owner.client.delete(path)).status_code == 204
        assert refusal(await owner.client.delete(path)) == UNKNOWN
    else:
        await _age(core_database, made["id"])
    assert (await _open(owner), await _mine(stranger)) == ([], [])
    for answer in ("accept", "decline"):
        got = await stranger.client.post(f"{API}/me/invitations/{made['id']}/{answer}")
        assert refusal(got) == UNKNOWN
    assert await roles(owner) == {str(owner.user_id): "owner"}
    again = await invited(owner, stranger.phone)
    assert [item["id"] for item in await _mine(stranger)] == [again["id"]]
    rows = await look(core_database, "SELECT outcome FROM invitations WHERE id = $1", UUID(made["id"]))
    assert rows == [{"outcome": how}]


async def test_an_invitation_holds_for_72_hours(owner: Owner, core_database: ScratchDatabase) -> None:
    made = await invited(owner, unique_phone())
    query = "SELECT extract(epoch FROM expires_at - created_at)::int AS s FROM invitations WHERE id = $1"
    assert await look(core_database, query, UUID(made["id"])) == [{"s": 72 * 3600}]


RANKS = ("staff", "admin", "owner")


@pytest.mark.parametrize("own", RANKS)
@pytest.mark.parametrize("role", RANKS)
async def test_nobody_invites_above_themselves_and_staff_nobody(
    owner: Owner, stranger: Owner, core_database: ScratchDatabase, own: str, role: str
) -> None:
    await enrol(core_database, owner, stranger, own)
    got = await invite(owner, unique_phone(), role, by=stranger)
    if own != "staff" and RANKS.index(role) <= RANKS.index(own):
        assert got.status_code == 201
    else:
        assert refusal(got) == (403, "tenants.role_required")
        assert await _open(owner) == []


async def test_an_administrator_does_not_take_back_what_an_owner_has_offered(
    owner: Owner, stranger: Owner
) -> None:
    await join(owner, stranger, "admin")
    made = await invited(owner, unique_phone(), "owner")
    path = f"{API}/tenants/{owner.tenant_id}/invitations/{made['id']}"
    assert refusal(await stranger.client.delete(path)) == (403, "tenants.role_required")
    assert [item["id"] for item in await _open(owner)] == [made["id"]]


async def test_the_invitations_of_somebody_removed_are_taken_back(owner: Owner, stranger: Owner) -> None:
    await join(owner, stranger, "admin")
    made = await invited(owner, unique_phone(), by=stranger)
    kept = await invited(owner, unique_phone())
    assert {item["id"] for item in await _open(owner)} == {made["id"], kept["id"]}
    await owner.client.delete(f"{API}/tenants/{owner.tenant_id}/members/{stranger.user_id}")
    assert [item["id"] for item in await _open(owner)] == [kept["id"]]


@pytest.mark.parametrize(("role", "left"), [("admin", ["staff", "admin"]), ("staff", [])])
async def test_who_becomes_less_has_offered_no_more_than_that(
    owner: Owner, stranger: Owner, role: str, left: list[str]
) -> None:
    await join(owner, stranger, "owner")
    for offered in RANKS:
        await invited(owner, unique_phone(), offered, by=stranger)
    path = f"{API}/tenants/{owner.tenant_id}/members/{stranger.user_id}"
    assert (await owner.client.patch(path, json={"role": role})).status_code == 200
    assert [item["role"] for item in await _open(owner)] == left


async def test_members_and_invited_people_are_not_invited_again(owner: Owner, stranger: Owner) -> None:
    made = await invited(owner, stranger.phone)
    assert refusal(await invite(owner, stranger.phone)) == (409, "tenants.already_invited")
    await accept(stranger, made["id"])
    for phone in (stranger.phone, owner.phone):
        assert refusal(await invite(owner, phone)) == (409, "tenants.already_member")
    assert await _open(owner) == []


async def test_one_phone_invited_twice_at_once_is_invited_once(owner: Owner) -> None:
    phone = unique_phone()
    answers = await asyncio.gather(*(invite(owner, phone) for _ in range(10)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 9}
    assert len(await _open(owner)) == 1


@pytest.mark.parametrize(
    ("phone", "code"),
    [("", "phone_invalid"), ("x", "phone_invalid"), ("+74951234567", "phone_not_mobile"), ("7" * 65, None)],
)
async def test_only_a_mobile_phone_can_be_invited(owner: Owner, phone: str, code: str | None) -> None:
    wanted = "request.invalid" if code is None else f"accounts.{code}"
    assert refusal(await invite(owner, phone)) == (422, wanted)
    assert await _open(owner) == []


async def test_a_phone_is_the_same_however_it_is_typed(owner: Owner, stranger: Owner) -> None:
    digits = stranger.phone.removeprefix("+7")
    made = await invited(owner, f"8 ({digits[:3]}) {digits[3:6]}-{digits[6:]}")
    assert made["phone"] == stranger.phone
    assert len(await _mine(stranger)) == 1


async def test_a_hundred_can_be_open_and_no_more(owner: Owner, core_database: ScratchDatabase) -> None:
    fill = """
        INSERT INTO invitations (tenant_id, id, phone, role, invited_by, token_hash, expires_at)
        SELECT $1, gen_random_uuid(), '+7900' || lpad(n::text, 7, '0'), 'staff', $2, '',
               now() + interval '1 hour'
        FROM generate_series(1, 99) n
    """
    await look(core_database, fill, owner.tenant_id, owner.user_id)
    answers = await asyncio.gather(*(invite(owner, unique_phone()) for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refusal(refused) == (409, "tenants.too_many_invitations")
    query = "UPDATE invitations SET expires_at = now() WHERE tenant_id = $1"
    await look(core_database, query, owner.tenant_id)
    assert (await invite(owner, unique_phone())).status_code == 201


async def test_a_repeated_request_makes_one_invitation_and_keeps_no_token(
    owner: Owner, core_database: ScratchDatabase
) -> None:
    phone = unique_phone()
    answers = await asyncio.gather(*(invite(owner, phone, key="invite-1") for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 20}
    bodies = [answer.json() for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert [item["id"] for item in await _open(owner)] == [bodies[0]["id"]]
    assert refusal(await invite(owner, unique_phone(), key="invite-1")) == (422, "idempotency.mismatch")
    query = "SELECT body::text AS body FROM idempotency_keys WHERE user_id = $1"
    for row in await look(core_database, query, owner.user_id):
        assert bodies[0]["token"] not in row["body"]


async def test_invitations_come_in_pages(owner: Owner) -> None:
    made = [(await invited(owner, unique_phone()))["id"] for _ in range(3)]
    path = f"{API}/tenants/{owner.tenant_id}/invitations"
    first = (await owner.client.get(path, params={"limit": 2})).json()
    rest = (await owner.client.get(path, params={"cursor": first["next_cursor"]})).json()
    assert [item["id"] for item in (*first["items"], *rest["items"])] == made
    assert rest["next_cursor"] is None


async def test_a_persons_invitations_come_in_pages(core: RunningCore, owner: Owner, stranger: Owner) -> None:
    invited_person = await sign_up(core.url)
    made = [(await invited(inviter, invited_person.phone))["id"] for inviter in (owner, stranger)]
    path = f"{API}/me/invitations"
    first = (await invited_person.client.get(path, params={"limit": 1})).json()
    rest = (await invited_person.client.get(path, params={"cursor": first["next_cursor"]})).json()
    assert [item["id"] for item in (*first["items"], *rest["items"])] == made
    await invited_person.client.aclose()


async def test_another_tenants_invitation_is_none_of_ones_own(owner: Owner, stranger: Owner) -> None:
    made = await invited(stranger, unique_phone())
    path = f"{API}/tenants/{owner.tenant_id}/invitations/{made['id']}"
    assert refusal(await owner.client.delete(path)) == UNKNOWN
    assert [item["id"] for item in await _open(stranger)] == [made["id"]]
