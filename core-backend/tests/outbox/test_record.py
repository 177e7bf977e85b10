"""Recording events: through both doors, with bodies of the contract, in the caller's transaction."""

from typing import Any

import pytest
from core_kit.codes import look
from core_kit.people import Owner
from core_kit.running import RunningCore
from pydantic import ValidationError
from tochka_core.outbox.errors import EventMisshapen
from tochka_core.outbox.events import BODIES, MemberJoined
from tochka_core.outbox.public import prepare, record
from tochka_sdk.db import Scope
from tochka_sdk.events import EVENTS, Ping, TenantUpdated
from tochka_sdk.ids import uuid7
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _events(database: ScratchDatabase, owner: Owner, type: str) -> list[dict[str, Any]]:
    query = "SELECT * FROM events WHERE tenant_id = $1 AND type = $2 ORDER BY id"
    return await look(database, query, owner.tenant_id, type)


async def test_both_doors_write_the_same_row(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    scope = Scope(tenant_id=owner.tenant_id)
    async with core.resources.connections.transaction(scope) as connection:
        first = await record(
            connection, tenant_id=owner.tenant_id, type="tenant.updated", data=TenantUpdated(name="А")
        )
    async with core.resources.database.session(scope) as session:
        second = await record(
            session, tenant_id=owner.tenant_id, type="tenant.updated", data={"name": "А", "more": 1}
        )
    rows = await _events(core_database, owner, "tenant.updated")
    assert [row["id"] for row in rows] == [first, second]
    for row in rows:
        assert row["data"] == '{"name": "А"}'
        assert row["fanned_out_at"] is None
        assert row["schema_version"] == 1


async def test_an_event_goes_with_its_transaction(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    async def change_ones_mind() -> None:
        async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as connection:
            await record(connection, tenant_id=owner.tenant_id, type="ping", data=Ping())
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await change_ones_mind()
    assert await _events(core_database, owner, "ping") == []


def test_only_events_of_the_contract_can_be_recorded() -> None:
    with pytest.raises(EventMisshapen, match="not an event of the contract"):
        prepare("tenant.exploded", {})
    with pytest.raises(EventMisshapen, match="carries TenantUpdated, not Ping"):
        prepare("tenant.updated", Ping())
    with pytest.raises(ValidationError):
        prepare("tenant.updated", {"nam": "А"})
    with pytest.raises(EventMisshapen):
        prepare("member.left", MemberJoined(user_id=uuid7(), role="staff"))


def test_modules_hear_nothing_that_the_sdk_does_not_know() -> None:
    assert EVENTS.items() <= BODIES.items()


async def test_news_for_tenants_alone_cannot_be_sent_to_a_module(
    core: RunningCore, core_database: ScratchDatabase, owner: Owner
) -> None:
    joined = MemberJoined(user_id=uuid7(), role="staff")
    async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as connection:
        with pytest.raises(EventMisshapen, match=r"member\.joined is not for modules"):
            await record(
                connection, tenant_id=owner.tenant_id, type="member.joined", data=joined, module_id="shop"
            )
    assert await _events(core_database, owner, "member.joined") == []
