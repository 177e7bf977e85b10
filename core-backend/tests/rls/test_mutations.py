"""Each policy broken in turn, in a transaction that is rolled back: the walk must notice."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from core_kit.rls import CASES, PLATFORM, ROLES, SETTINGS, Worlds, walk

pytestmark = pytest.mark.anyio

POLICIES = """
    SELECT policyname, tablename, permissive = 'PERMISSIVE' AS permissive, cmd,
           array_to_string(roles, ', ') AS roles, coalesce(qual, with_check) = 'true' AS open
    FROM pg_policies WHERE schemaname = 'public' ORDER BY tablename, policyname
"""
GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO tochka_app, tochka_jobs"
TO_PERSON = """
    WITH scope AS MATERIALIZED (SELECT set_config('app.user_id', $1, true) AS value)
    SELECT count(*) || ' of ' || string_agg(i.tenant_id::text, ', ') FROM scope s
    CROSS JOIN LATERAL (SELECT * FROM invitations_to_person() WHERE s.value <> '' OFFSET 0) i
"""
GUESSES = ("codes.refused", "password.refused")
TELL = "SELECT tell_tenants_of_guesses(gen_random_uuid(), $1, $2, NULL, NULL, '{}')"
TOLD = "SELECT tenant_id FROM audit_entries WHERE action = $1 AND subject_id = $2 AND tenant_id IS NOT NULL"
IMPORT = "UPDATE passwords SET hash = '$2b$07$' || repeat('a', 53)"
CARELESS = "CREATE POLICY careless ON {table} FOR {verb} TO tochka_app, tochka_jobs {clause}"
WEAKENED = {"ALL": "USING (true) WITH CHECK (true)", "INSERT": "WITH CHECK (true)"}
OPEN_TO_LOOKS = CARELESS.format(table="{table}", verb="SELECT", clause="USING (true)")
OPEN_TO_INSERTS = CARELESS.format(table="{table}", verb="INSERT", clause="WITH CHECK (true)")


class Mutant:
    """One transaction of a superuser: break something, walk, roll back.

    Every right is granted first, so that the policies stand alone: a careless GRANT must not be enough.
    """

    def __init__(self, connection: asyncpg.Connection, worlds: Worlds) -> None:
        self._connection = connection
        self._worlds = worlds

    async def complaints(self, table: str, *statements: str) -> list[str]:
        """What the walk and the look-ups say of a table after these statements."""
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            for statement in (GRANT.format(table=table), *statements):
                await self._connection.execute(statement)
            worlds = self._worlds
            found = await walk(
                self._connection,
                {table: worlds.expectations[table]} if table in CASES else {},
                worlds.parties,
                roles=ROLES,
                switch=True,
                platform={table: worlds.platform[table]} if table in PLATFORM else {},
            )
            return found + await self._lookups()
        finally:
            await transaction.rollback()

    async def _lookups(self) -> list[str]:
        """The functions that look before any scope is set: they see what they are for."""
        host, phone = self._worlds.hosts[0], self._worlds.phones[0]
        me = self._worlds.parties[0]
        gone = "SELECT host FROM quarantined_hosts WHERE tenant_id = $1"
        await self._connection.execute(IMPORT)
        rested = await self._connection.fetchval(gone, me.tenant)
        calls = (
            ("tochka_app", "SELECT count(*)::text FROM resolve_host($1)", host, "1"),
            ("tochka_app", "SELECT host_refusal($1, NULL)", host, "taken"),
            ("tochka_app", "SELECT host_refusal($1, NULL)", rested, "quarantined"),
            ("tochka_app", "SELECT user_id_by_phone($1)::text", phone, str(me.user)),
            ("tochka_app", "SELECT dearest_bcrypt()::text WHERE $1 <> ''", phone, "7"),
            ("tochka_app", "SELECT count(*)::text FROM user_ids_by_former_phone($1)", phone, "0"),
            ("tochka_jobs", "SELECT * FROM receivers_of($1::text::uuid)", str(me.tenant), me.module),
            ("tochka_app", TO_PERSON, str(me.user), f"1 of {self._worlds.parties[1].tenant}"),
        )
        found = []
        for role, query, value, expected in calls:
            await self._connection.execute(f"SET LOCAL ROLE {role}")
            answer = await self._connection.fetchval(query, value)
            if answer != expected:
                found.append(f"{query}: {answer}, not {expected}")
        await self._connection.execute("RESET ROLE")
        for what in (GUESSES[0], "person.signed_in"):
            found += [wrong async for wrong in self._told(what)]
        return found

    async def _told(self, what: str) -> AsyncIterator[str]:
        """Whose trails tell of it: of guesses alone can they be told by whom nobody knows."""
        me = self._worlds.parties[0]
        try:
            async with self._connection.transaction():
                await self._connection.execute("SET LOCAL ROLE tochka_app")
                await self._connection.execute(TELL, self._worlds.phones[0], what)
        except asyncpg.InsufficientPrivilegeError:
            if what in GUESSES:
                yield f"{what}: refused"
            return
        await self._connection.execute("RESET ROLE")
        told = await self._connection.fetchval(TOLD, what, me.user)
        if what not in GUESSES or told != me.tenant:
            yield f"{what}: {told} was told"


@pytest.mark.proof
async def test_the_walk_notices_every_broken_policy(worlds: Worlds) -> None:
    connection = await asyncpg.connect(worlds.database.superuser_dsn)
    mutant = Mutant(connection, worlds)
    policies = await connection.fetch(POLICIES)
    assert len(policies) > len(CASES) * 2
    unnoticed = []
    for table in (*CASES, *PLATFORM):
        assert await mutant.complaints(table) == []
    for policy in policies:
        name, table = policy["policyname"], policy["tablename"]
        wall = f"DROP POLICY {table}_wall ON {table}"
        dropped = f"DROP POLICY {name} ON {table}"
        clauses = WEAKENED.get(policy["cmd"], "USING (true)")
        weakened = f"ALTER POLICY {name} ON {table} {clauses}"
        if not policy["permissive"]:
            # the wall is what stands when a later policy is careless: with it nothing changes, without it…
            for careless in (OPEN_TO_LOOKS.format(table=table), OPEN_TO_INSERTS.format(table=table)):
                assert await mutant.complaints(table, careless) == [], careless
                for broken in (weakened, dropped):
                    if not await mutant.complaints(table, careless, broken):
                        unnoticed.append(f"{careless}; {broken}")
            continue
        if not await mutant.complaints(table, dropped):
            unnoticed.append(dropped)
        if not policy["open"] and not await mutant.complaints(table, wall, weakened):
            unnoticed.append(f"{wall}; {weakened}")
    await connection.close()
    assert unnoticed == []


async def test_the_walk_notices_a_table_without_row_security(worlds: Worlds) -> None:
    connection = await asyncpg.connect(worlds.database.superuser_dsn)
    mutant = Mutant(connection, worlds)
    for table in (*CASES, *PLATFORM):
        disabled = f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
        assert await mutant.complaints(table, disabled), table
    await connection.close()


@pytest.mark.parametrize("name", ["tenant_id", "user_id"])
async def test_the_walk_notices_a_scope_that_is_silent_when_none_is_set(worlds: Worlds, name: str) -> None:
    silent = f"""
        CREATE OR REPLACE FUNCTION app_{name}() RETURNS uuid LANGUAGE sql STABLE AS
        $$ SELECT nullif(current_setting('app.{name}', true), '')::uuid $$
    """
    connection = await asyncpg.connect(worlds.database.superuser_dsn)
    mutant = Mutant(connection, worlds)
    found = [complaint for table in CASES for complaint in await mutant.complaints(table, silent)]
    await connection.close()
    assert found


@pytest.mark.parametrize("scope", SETTINGS.values())
async def test_a_scope_answers_nothing_beside_another_and_raises_without_any(
    worlds: Worlds, scope: str
) -> None:
    function = scope.replace(".", "_")
    connection = await asyncpg.connect(worlds.database.dsn("tochka_app"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="no scope is set"):
        await connection.fetchval(f"SELECT {function}()")
    async with connection.transaction():
        for other in set(SETTINGS.values()) - {scope}:
            value = str(worlds.parties[0].tenant)
            await connection.execute("SELECT set_config($1, $2, true)", other, value)
            assert await connection.fetchval(f"SELECT {function}()") is None
    await connection.close()
