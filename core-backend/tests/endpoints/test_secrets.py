"""Secrets of endpoints: shown once, sealed at rest, each in its own place, and turned without a gap."""

import base64
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from core_kit.codes import look
from core_kit.people import Owner
from core_kit.running import RunningCore
from core_kit.webhook_endpoints import ENDPOINTS, endpoint_of, read
from cryptography.exceptions import InvalidTag
from tochka_core.endpoints import public as endpoints
from tochka_core.endpoints.public import Sealed
from tochka_sdk import clock, webhooks
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio
STORED = "SELECT secret, previous_secret, previous_until FROM webhook_endpoints WHERE id = $1"


async def _stored(database: ScratchDatabase, made: dict[str, Any]) -> Sealed:
    (row,) = await look(database, STORED, UUID(made["id"]))
    return Sealed(**row)


async def _valid(
    core: RunningCore, database: ScratchDatabase, owner: Owner, made: dict[str, Any]
) -> list[str]:
    """The secrets that sign now."""
    master, stored = core.jobs.keyring.master, await _stored(database, made)
    return endpoints.open_secrets(master, owner.tenant_id, UUID(made["id"]), stored)


async def _rotate(owner: Owner, made: dict[str, Any], **body: int) -> dict[str, Any]:
    answer = await owner.client.post(f"{ENDPOINTS}/{made['id']}/rotate-secret", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_secret_is_of_standard_webhooks_and_signs(owner: Owner) -> None:
    made, other = await endpoint_of(owner), await endpoint_of(owner)
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made["secret"])
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    assert made["secret"] != other["secret"]
    headers = webhooks.sign("1", int(clock.now().timestamp()), b"{}", secret=made["secret"])
    webhooks.verify(headers, b"{}", secrets=[made["secret"]])


async def test_a_secret_is_shown_once_and_logged_never(
    owner: Owner, core_database: ScratchDatabase, capfd: pytest.CaptureFixture[str]
) -> None:
    made = await endpoint_of(owner)
    rotated = await _rotate(owner, made)
    path = f"{ENDPOINTS}/{made['id']}"
    shown = [await owner.client.get(ENDPOINTS), await owner.client.get(path)]
    shown.append(await owner.client.patch(path, json={"description": "anders"}))
    secrets = [one["secret"].removeprefix("whsec_") for one in (made, rotated)]
    told = [*(answer.text for answer in shown), *capfd.readouterr()]
    tables = ("webhook_endpoints", "audit_entries", "events", "idempotency_keys")
    for table in tables:
        query = f"SELECT to_jsonb(t)::text AS row FROM {table} t"  # noqa: S608  names of our own
        told += [row["row"] for row in await look(core_database, query)]
    assert not any(secret in text for secret in secrets for text in told)
    for row in await look(core_database, "SELECT secret, previous_secret FROM webhook_endpoints"):
        for sealed in filter(None, row.values()):
            assert not any(secret.encode() in sealed for secret in secrets)
            assert not any(base64.b64decode(secret) in sealed for secret in secrets)


async def test_a_secret_opens_in_its_own_place_alone(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, stranger: Owner
) -> None:
    mine, second, theirs = await endpoint_of(owner), await endpoint_of(owner), await endpoint_of(stranger)
    assert await _valid(core, core_database, owner, mine) == [mine["secret"]]
    swap = "UPDATE webhook_endpoints SET secret = $2 WHERE id = $1"
    for other in (second, theirs):
        stolen = (await _stored(core_database, other)).secret
        await look(core_database, swap, UUID(mine["id"]), stolen)
        with pytest.raises(InvalidTag):
            await _valid(core, core_database, owner, mine)
    assert await _valid(core, core_database, stranger, theirs) == [theirs["secret"]]


async def test_a_secret_that_was_touched_or_sealed_with_another_key_does_not_open(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    made = await endpoint_of(owner)
    stored, master = await _stored(core_database, made), core.jobs.keyring.master
    places = (owner.tenant_id, UUID(made["id"]))
    touched = [
        stored.secret[:at] + bytes([stored.secret[at] ^ 1]) + stored.secret[at + 1 :] for at in (0, 12, -2)
    ]
    for sealed in (*touched, stored.secret[:-1], b""):
        with pytest.raises((InvalidTag, ValueError)):
            endpoints.open_secrets(master, *places, stored._replace(secret=sealed))
    with pytest.raises(InvalidTag):
        endpoints.open_secrets(master + b"x", *places, stored)


async def test_the_same_secret_is_never_sealed_alike(core_database: ScratchDatabase, owner: Owner) -> None:
    made = [await endpoint_of(owner) for _ in range(10)]
    nonces = {(await _stored(core_database, one)).secret[:12] for one in made}
    assert len(nonces) == len(made)


async def test_the_secret_before_signs_along_until_its_grace_is_over(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    made = await endpoint_of(owner)
    rotated = await _rotate(owner, made)
    assert await _valid(core, core_database, owner, made) == [rotated["secret"], made["secret"]]
    until = datetime.fromisoformat(rotated["previous_secret_until"])
    day = timedelta(days=1)
    assert day - timedelta(minutes=1) < until - clock.now() <= day

    again = await _rotate(owner, made, grace_seconds=7 * 86400)
    assert await _valid(core, core_database, owner, made) == [again["secret"], rotated["secret"]]
    await look(
        core_database, "UPDATE webhook_endpoints SET previous_until = now() WHERE id = $1", UUID(made["id"])
    )
    assert await _valid(core, core_database, owner, made) == [again["secret"]]
    assert (await read(owner, made["id"]))["previous_secret_until"] is None


async def test_without_a_grace_the_secret_before_is_forgotten_at_once(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    made = await endpoint_of(owner)
    rotated = await _rotate(owner, made, grace_seconds=0)
    assert rotated["previous_secret_until"] is None
    assert await _valid(core, core_database, owner, made) == [rotated["secret"]]
    assert (await _stored(core_database, made)).previous_secret is None


@pytest.mark.parametrize("grace", [-1, 7 * 86400 + 1])
async def test_a_grace_is_a_week_at_most(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner, grace: int
) -> None:
    made = await endpoint_of(owner)
    path = f"{ENDPOINTS}/{made['id']}/rotate-secret"
    assert (await owner.client.post(path, json={"grace_seconds": grace})).status_code == 422
    assert await _valid(core, core_database, owner, made) == [made["secret"]]
