"""What is done to who is what in a tenant: each deed is written down once, and what is refused is not."""

from typing import Any
from uuid import UUID

import pytest
from core_kit.codes import refusal
from core_kit.members import accept, invite, invited, join
from core_kit.people import API, Owner
from tochka_sdk.logs import mask_phone

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
FOUNDING = 2  # person.signed_up, tenant.created


async def _trail(owner: Owner) -> list[Json]:
    """What stands in the owner's tenant's trail since it was founded, oldest first."""
    got = await owner.client.get(f"{API}/tenants/{owner.tenant_id}/audit")
    assert got.status_code == 200, got.text
    return list(got.json()["items"])[-FOUNDING - 1 :: -1]


def _told(entries: list[Json]) -> list[tuple[str, UUID, UUID, Json]]:
    """What was done by whom to whom or what."""
    return [
        (entry["action"], UUID(entry["user_id"]), UUID(entry["subject_id"]), entry["data"])
        for entry in entries
    ]


async def test_invitations_and_their_answers_are_written_down(owner: Owner, stranger: Owner) -> None:
    first = UUID((await invited(owner, stranger.phone, "admin"))["id"])
    assert refusal(await invite(owner, stranger.phone))[0] == 409
    path = f"{API}/tenants/{owner.tenant_id}/invitations"
    for status in (204, 404):
        assert (await owner.client.delete(f"{path}/{first}")).status_code == status
    second = UUID((await invited(owner, stranger.phone))["id"])
    for status in (204, 404):
        declined = await stranger.client.post(f"{API}/me/invitations/{second}/decline")
        assert declined.status_code == status
    third = UUID((await invited(owner, stranger.phone))["id"])
    for _ in range(2):  # pressed twice, joined once
        assert (await accept(stranger, str(third))).status_code == 200
    entries = await _trail(owner)
    phone, me, other = mask_phone(stranger.phone), owner.user_id, stranger.user_id
    assert _told(entries) == [
        ("invitation.made", me, first, {"phone": phone, "role": "admin"}),
        ("invitation.withdrawn", me, first, {"role": "admin"}),
        ("invitation.made", me, second, {"phone": phone, "role": "staff"}),
        ("invitation.declined", other, second, {"role": "staff"}),
        ("invitation.made", me, third, {"phone": phone, "role": "staff"}),
        ("invitation.accepted", other, third, {"role": "staff"}),
    ]
    assert all(entry["session_id"] and entry["request_id"] for entry in entries)


async def test_changes_of_role_removal_and_leaving_are_written_down(owner: Owner, stranger: Owner) -> None:
    me, other = owner.user_id, stranger.user_id
    member = f"{API}/tenants/{owner.tenant_id}/members/{other}"
    await join(owner, stranger)
    for _ in range(2):  # the second changes nothing
        assert (await owner.client.patch(member, json={"role": "admin"})).status_code == 200
    last = f"{API}/tenants/{owner.tenant_id}/members/{me}"
    assert refusal(await owner.client.patch(last, json={"role": "staff"})) == (409, "tenants.last_owner")
    for status in (204, 404):
        assert (await owner.client.delete(member)).status_code == status
    await join(owner, stranger)
    assert (await stranger.client.delete(member)).status_code == 204
    assert _told(await _trail(owner))[2:4] + _told(await _trail(owner))[6:] == [
        ("member.role_changed", me, other, {"role": "admin", "before": "staff"}),
        ("member.removed", me, other, {"role": "admin"}),
        ("member.left", other, other, {"role": "staff"}),
    ]


async def test_handing_a_tenant_over_is_written_down_step_by_step(owner: Owner, stranger: Owner) -> None:
    me, other = owner.user_id, stranger.user_id
    path = f"{API}/tenants/{owner.tenant_id}/handover"
    await join(owner, stranger)

    async def offer() -> None:
        assert (await owner.client.put(path, json={"user_id": str(other)})).status_code == 200

    await offer()
    for status in (204, 404):
        assert (await owner.client.delete(path)).status_code == status
    await offer()
    for status in (204, 404):
        assert (await stranger.client.post(f"{path}/decline")).status_code == status
    await offer()
    for status in (200, 404):
        assert (await stranger.client.post(f"{path}/accept")).status_code == status
    assert _told(await _trail(owner))[2:] == [
        ("handover.offered", me, other, {}),
        ("handover.withdrawn", me, other, {}),
        ("handover.offered", me, other, {}),
        ("handover.declined", other, me, {}),
        ("handover.offered", me, other, {}),
        ("handover.accepted", other, me, {}),
    ]
