"""One click from the panel into the module's admin."""

import pytest
from core_kit.activation import activate, outcome
from core_kit.codes import refusal
from core_kit.members import enrol
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner
from core_kit.running import RunningCore
from tochka_core.subscriptions import public as subscriptions
from tochka_sdk import tickets
from tochka_sdk.db import Scope
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def test_a_member_gets_a_ticket_for_one_installation_and_one_minute(
    core: RunningCore,
    core_database: ScratchDatabase,
    owner: Owner,
    stranger: Owner,
    module: ScriptedModule,
    dispatcher: None,
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    acting = await enrol(core_database, owner, stranger, "staff")
    path = f"{API}/installations/{body['id']}/session"
    for person, headers, role in ((owner, {}, "owner"), (stranger, acting, "staff")):
        entry = (await person.client.post(path, headers=headers)).json()
        assert entry["action"] == f"{body['url']}/_tochka/session"
        resources = core.resources
        ticket = tickets.verify(
            entry["ticket"], resources.keyring.jwks(), module.id, resources.addresses.issuer
        )
        assert str(ticket.installation_id) == body["id"]
        assert (ticket.tenant_id, ticket.user_id) == (owner.tenant_id, person.user_id)
        assert (ticket.role, ticket.locale) == (role, "ru")
        assert ticket.exp - ticket.iat == 60
    first, second = [(await owner.client.post(path)).json()["ticket"] for _ in range(2)]
    assert first != second


async def test_there_is_no_entry_before_it_is_live(owner: Owner, module: ScriptedModule) -> None:
    body = await activate(owner, module.id)
    refused = await owner.client.post(f"{API}/installations/{body['id']}/session")
    assert refusal(refused) == (409, "installations.not_live")


async def test_there_is_no_entry_while_the_subscription_is_suspended(
    core: RunningCore, owner: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    body = await activate(owner, module.id)
    await outcome(owner, body["id"])
    async with core.resources.connections.transaction(Scope(tenant_id=owner.tenant_id)) as connection:
        await subscriptions.suspend(connection, core.resources, owner.tenant_id, body["subscription"]["id"])
    refused = await owner.client.post(f"{API}/installations/{body['id']}/session")
    assert refusal(refused) == (409, "installations.closed")
