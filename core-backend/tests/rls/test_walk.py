"""Row-level security, table by table and verb by verb, as the roles that the processes log in as."""

import asyncpg
import pytest
from core_kit.rls import CASES, GLOBAL, PLATFORM, ROLES, Worlds, walk

pytestmark = pytest.mark.anyio

TABLES = """
    SELECT relname, relrowsecurity, relforcerowsecurity, relowner::regrole::text AS owner,
           (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0
            AND attname IN ('tenant_id', 'user_id')) AS owned
    FROM pg_class c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""
RIGHTS_ON_PARTS = """
    SELECT c.relname, c.relrowsecurity, r.role,
           has_table_privilege(r.role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(r.role, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') AS may
    FROM pg_class c, unnest($1::text[]) AS r(role)
    WHERE c.relnamespace = 'public'::regnamespace AND c.relispartition AND c.relkind = 'r'
"""


async def test_every_table_has_its_place_in_the_walk(worlds: Worlds) -> None:
    connection = await asyncpg.connect(worlds.database.superuser_dsn)
    tables = {row["relname"]: row for row in await connection.fetch(TABLES)}
    await connection.close()
    assert set(tables) == set(CASES) | set(PLATFORM) | GLOBAL
    for name, row in tables.items():
        assert row["owner"] == "tochka_owner", name
        if name not in GLOBAL:
            assert row["relrowsecurity"], name
            assert row["relforcerowsecurity"], name
        else:
            assert row["owned"] == 0, f"{name} names a tenant or a person and is walled off by nothing"


async def test_nobody_has_a_right_on_a_part_of_a_table(worlds: Worlds) -> None:
    connection = await asyncpg.connect(worlds.database.superuser_dsn)
    rows = await connection.fetch(RIGHTS_ON_PARTS, list(ROLES))
    await connection.close()
    assert {row["relname"].rpartition("_")[0][:4] for row in rows} == {"deli", "atte"}
    assert [row for row in rows if row["may"] or not row["relrowsecurity"]] == []


async def test_both_parties_own_something_of_every_table(worlds: Worlds) -> None:
    for table, expectation in worlds.expectations.items():
        for party in worlds.parties:
            assert expectation.own[party], f"the walk would prove nothing about {table}"
        first, second = (expectation.own[party] for party in worlds.parties)
        assert first.isdisjoint(second), table
    for table, rows in worlds.platform.items():
        assert rows, f"the walk would prove nothing about {table}"


@pytest.mark.parametrize("role", ROLES)
async def test_every_verb_is_as_promised_in_every_scope(worlds: Worlds, role: str) -> None:
    connection = await asyncpg.connect(worlds.database.dsn(role))
    transaction = connection.transaction()
    await transaction.start()
    complaints = await walk(
        connection,
        worlds.expectations,
        worlds.parties,
        roles=[role],
        switch=False,
        platform=worlds.platform,
    )
    await transaction.rollback()
    await connection.close()
    assert complaints == []


ROLES_QUERY = """
    SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb,
           pg_has_role(r.oid, 'tochka_owner', 'MEMBER') AS owns
    FROM pg_roles r WHERE r.rolname = ANY($1::text[])
"""


async def test_the_roles_can_neither_bypass_nor_become_the_owner(worlds: Worlds) -> None:
    connection = await asyncpg.connect(worlds.database.superuser_dsn)
    rows = await connection.fetch(ROLES_QUERY, list(ROLES))
    await connection.close()
    assert [set(row.values()) - {row["rolname"]} for row in rows] == [{False}, {False}]
