"""A fault at every step of an activation's transaction: all of it is there, or none; a repeat succeeds."""

import asyncio

import asyncpg
import httpx
import pytest
from core_kit.activation import ask, unique_label
from core_kit.codes import look, refusal
from core_kit.modules import ScriptedModule
from core_kit.people import API, Owner
from core_kit.wire import Moment
from core_kit.wired import Wired
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

WRITTEN = ("domains", "subscriptions", "installations", "licenses", "idempotency_keys")
MOMENTS: tuple[Moment, Moment] = ("before", "after")
TABLES = ("domains", "subscriptions", "installations", "licenses", "events", "audit_entries")
# what stands before the wire is asked for anything: BEGIN with its scope, the member's role…
FEWEST_STATEMENTS = 6


async def _left(database: ScratchDatabase, owner: Owner) -> dict[str, int]:
    """Rows of this tenant (or person) in everything that an activation writes."""
    found = {}
    for table in WRITTEN:
        column, value = (
            ("user_id", owner.user_id) if table == "idempotency_keys" else ("tenant_id", owner.tenant_id)
        )
        query = f"SELECT count(*) AS n FROM {table} WHERE {column} = $1"  # noqa: S608  names of our own
        found[table] = (await look(database, query, value))[0]["n"]
    events = "SELECT count(*) AS n FROM events WHERE tenant_id = $1 AND type LIKE 'installation.%'"
    found["events"] = (await look(database, events, owner.tenant_id))[0]["n"]
    entries = "SELECT count(*) AS n FROM audit_entries WHERE tenant_id = $1 AND action LIKE 'installation.%'"
    return {**found, "audit_entries": (await look(database, entries, owner.tenant_id))[0]["n"]}


def _all(count: int) -> dict[str, int]:
    return dict.fromkeys((*WRITTEN, "events", "audit_entries"), count)


async def _is_free(owner: Owner, label: str) -> bool:
    return bool((await owner.client.get(f"{API}/subdomains/{label}")).json()["available"])


async def test_a_connection_lost_at_any_statement_leaves_all_or_nothing(
    wired: Wired, core_database: ScratchDatabase
) -> None:
    wire, owner, module = wired.wire, wired.owner, wired.module
    wire.statements.clear()
    assert (await ask(owner, module.id, unique_label(), key="0")).status_code == 201
    steps = list(wire.statements)
    assert len(steps) >= FEWEST_STATEMENTS
    assert steps[0].startswith("BEGIN")
    assert steps[-1].startswith("COMMIT")
    whole = await _left(core_database, owner)
    for number in range(len(steps)):
        for moment in MOMENTS:
            label, key = unique_label(), f"{number}-{moment}"
            answer = await _cut_at(wired, number, moment, label, key)
            is_done = (number, moment) == (len(steps) - 1, "after")
            if answer.status_code != 201:  # a connection found dead before anything happened is replaced
                assert refusal(answer) == (503, "database.unavailable"), (steps[number], moment)
                assert await _is_free(owner, label) is not is_done
                expected = {name: count + is_done for name, count in whole.items()}
                assert await _left(core_database, owner) == expected, (steps[number], moment)
            again = await ask(owner, module.id, label, key=key)
            assert again.status_code == 201, (steps[number], moment, again.text)
            whole = {name: count + 1 for name, count in whole.items()}
            assert await _left(core_database, owner) == whole, (steps[number], moment)


async def _cut_at(wired: Wired, number: int, moment: Moment, label: str, key: str) -> httpx.Response:
    """Press «activate» and cut the connection at one of its statements."""
    stop = wired.wire.stop_at_number(number, moment)
    pressed = asyncio.create_task(ask(wired.owner, wired.module.id, label, key=key))
    await asyncio.wait_for(stop.held.wait(), 10)
    stop.cut()
    return await pressed


FAULT = """
    CREATE FUNCTION planted_fault() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = 'disk_full'; END $$;
"""
AT_ONCE = """
    CREATE TRIGGER planted BEFORE INSERT ON {table} FOR EACH ROW WHEN ({mine})
    EXECUTE FUNCTION planted_fault()
"""
AT_COMMIT = """
    CREATE CONSTRAINT TRIGGER planted AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ({mine}) EXECUTE FUNCTION planted_fault()
"""


@pytest.mark.parametrize("trigger", [AT_ONCE, AT_COMMIT], ids=["at the row", "at the commit"])
@pytest.mark.parametrize("table", [*TABLES, "idempotency_keys"])
async def test_a_database_that_refuses_one_of_the_rows_leaves_nothing(
    core_database: ScratchDatabase, owner: Owner, module: ScriptedModule, table: str, trigger: str
) -> None:
    column, value = (
        ("user_id", owner.user_id) if table == "idempotency_keys" else ("tenant_id", owner.tenant_id)
    )
    label = unique_label()
    superuser = await asyncpg.connect(core_database.superuser_dsn)
    try:
        await superuser.execute(FAULT + trigger.format(table=table, mine=f"NEW.{column} = '{value}'"))
        answer = await ask(owner, module.id, label, key="k")
        left = await _left(core_database, owner)
    finally:
        await superuser.execute(f"DROP TRIGGER IF EXISTS planted ON {table}; DROP FUNCTION planted_fault()")
        await superuser.close()
    assert refusal(answer) == (500, "internal.error")
    assert answer.json()["detail"] == ""
    assert left == _all(0)
    assert await _is_free(owner, label)
    assert (await ask(owner, module.id, label, key="k")).status_code == 201
    assert await _left(core_database, owner) == _all(1)
