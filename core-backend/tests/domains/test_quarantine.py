"""Names rest after they were live: for strangers, not for the one who had them."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from core_kit.activation import activate, ask, outcome, unique_label
from core_kit.codes import look, refusal
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio


async def _lived(owner: Owner, module: ScriptedModule, label: str) -> None:
    body = await activate(owner, module.id, label)
    assert (await outcome(owner, body["id"]))["status"] == "live"
    assert (await owner.client.delete(f"{API}/installations/{body['id']}")).status_code == 204


async def test_a_name_that_was_live_rests_for_ninety_days(
    core_database: ScratchDatabase, owner: Owner, stranger: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    label = unique_label()
    await _lived(owner, module, label)
    rows = await look(
        core_database,
        "SELECT free_at - released_at AS rest FROM quarantined_hosts WHERE host = $1",
        f"{label}.localhost",
    )
    assert rows == [{"rest": timedelta(days=90)}]
    assert refusal(await ask(stranger, module.id, label)) == (409, "domains.quarantined")
    connection = await asyncpg.connect(core_database.superuser_dsn)
    query = "UPDATE quarantined_hosts SET free_at = now() WHERE host = $1"
    await connection.execute(query, f"{label}.localhost")
    await connection.close()
    assert (await ask(stranger, module.id, label)).status_code == 201


async def test_its_last_tenant_may_have_it_back_and_let_it_go_again(
    owner: Owner, stranger: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    label = unique_label()
    for _ in range(2):
        await _lived(owner, module, label)
        assert refusal(await ask(stranger, module.id, label)) == (409, "domains.quarantined")


async def test_a_name_released_in_the_very_moment_is_not_snatched(
    owner: Owner, stranger: Owner, module: ScriptedModule, dispatcher: None
) -> None:
    for _ in range(10):
        label = unique_label()
        body = await activate(owner, module.id, label)
        await outcome(owner, body["id"])
        removed, *snatched = await asyncio.gather(
            owner.client.delete(f"{API}/installations/{body['id']}"),
            *(ask(stranger, module.id, label) for _ in range(4)),
        )
        assert removed.status_code == 204
        refused = {refusal(answer) for answer in snatched}
        assert refused <= {(409, "domains.taken"), (409, "domains.quarantined")}
