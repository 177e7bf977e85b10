"""Every table is walled off by tenant and installation, and the test would notice if one were not."""

import asyncpg
import pytest
from tochka_sdk.ids import uuid7
from tochka_sdk.signing import FreshInstallation
from tochka_shop.tables import Model
from tochka_stack.testing import ScratchDatabase

from modules.shop.tests.conftest import APP_ROLE
from modules.shop.tests.database.rows import Connection, Whose, holes
from modules.shop.tests.driving import Buyer, Desk
from modules.shop.tests.pictures import files

pytestmark = pytest.mark.anyio

TABLES = sorted(Model.metadata.tables)
BREAKS = {
    "no row-level security": ["ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"],
    "another permissive policy and no wall": [
        "DROP POLICY {table}_wall ON {table}",
        "CREATE POLICY open_door ON {table} USING (true) WITH CHECK (true)",
    ],
    "a wall without the installation": [
        "DROP POLICY {table}_wall ON {table}",
        "ALTER POLICY {table}_own ON {table} USING (tenant_id = app_tenant_id())"
        " WITH CHECK (tenant_id = app_tenant_id())",
    ],
    "reading walled and writing not": [
        "DROP POLICY {table}_wall ON {table}",
        "ALTER POLICY {table}_own ON {table} WITH CHECK (true)",
    ],
}


async def _fill(desk: Desk, buyer: Buyer) -> None:
    """Rows in every table: goods with a picture, a cart with something in it, an order."""
    picture = files.encode(files.photo(100, 100), "JPEG")
    goods = await desk.add("Чай", pictures=[("a.jpg", picture)])
    await buyer.put(goods.variant)
    await buyer.order()
    await buyer.put(goods.variant)


def _people(installation: FreshInstallation, stranger: FreshInstallation) -> tuple[Whose, dict[str, Whose]]:
    own = Whose.of(installation.tenant_id, installation.id)
    return own, {
        "another tenant": Whose.of(stranger.tenant_id, stranger.id),
        "the same tenant's other shop": Whose.of(installation.tenant_id, uuid7()),
        "another tenant with this installation's id": Whose.of(stranger.tenant_id, installation.id),
    }


async def test_every_verb_on_every_table_is_for_the_owner_alone(
    database: ScratchDatabase,
    desk: Desk,
    buyer: Buyer,
    neighbour: tuple[Desk, Buyer],
    installation: FreshInstallation,
    stranger: FreshInstallation,
) -> None:
    await _fill(desk, buyer)
    await _fill(*neighbour)
    own, others = _people(installation, stranger)
    connection = await asyncpg.connect(database.dsn(APP_ROLE))
    try:
        found = {table: await holes(connection, table, own, others) for table in TABLES}
    finally:
        await connection.close()
    assert found == {table: [] for table in TABLES}


async def test_every_table_has_forced_row_level_security_and_a_key_that_leads_with_the_tenant(
    database: ScratchDatabase,
) -> None:
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        rows = await connection.fetch(
            "SELECT relname, relrowsecurity AND relforcerowsecurity AS forced,"
            " pg_get_indexdef(i.indexrelid) AS key"
            " FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
            " WHERE relname = ANY($1)",
            TABLES,
        )
        indexes = await connection.fetch("SELECT indexdef FROM pg_indexes WHERE tablename = ANY($1)", TABLES)
    finally:
        await connection.close()
    assert {row["relname"] for row in rows} == set(TABLES)
    for row in rows:
        assert row["forced"], row["relname"]
        assert row["key"].endswith("(tenant_id, id)"), row["key"]
    for index in indexes:
        assert "(tenant_id, " in index["indexdef"], index["indexdef"]


@pytest.mark.parametrize("name", BREAKS)
async def test_a_broken_wall_is_noticed(
    database: ScratchDatabase,
    desk: Desk,
    buyer: Buyer,
    installation: FreshInstallation,
    stranger: FreshInstallation,
    name: str,
) -> None:
    await _fill(desk, buyer)
    own, others = _people(installation, stranger)
    breaker = await asyncpg.connect(database.superuser_dsn)
    connection = await asyncpg.connect(database.dsn(APP_ROLE))
    try:
        for table in TABLES:
            policies = await _policies(breaker, table)
            for statement in BREAKS[name]:
                await breaker.execute(statement.format(table=table))
            broken = await holes(connection, table, own, others)
            await _mend(breaker, table, policies)
            assert broken != [], (name, table)
            assert await holes(connection, table, own, others) == [], (name, table)
    finally:
        await breaker.close()
        await connection.close()


async def _policies(connection: Connection, table: str) -> list[asyncpg.Record]:
    return await connection.fetch("SELECT * FROM pg_policies WHERE tablename = $1", table)


async def _mend(connection: Connection, table: str, policies: list[asyncpg.Record]) -> None:
    """Put the policies back as they were."""
    await connection.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    for present in await _policies(connection, table):
        await connection.execute(f"DROP POLICY {present['policyname']} ON {table}")
    for policy in policies:
        await connection.execute(
            f"CREATE POLICY {policy['policyname']} ON {table} AS {policy['permissive']}"
            f" FOR {policy['cmd']} TO {', '.join(policy['roles'])}"
            f" USING ({policy['qual']}) WITH CHECK ({policy['with_check']})"
        )
