"""Databases and roles are made by whoever may make them, on servers of our own and of others."""

import asyncpg
import pytest
from tochka_stack.databases import DatabasePlan, check_server, provision, scram_verifier
from tochka_stack.refusals import NotPermitted
from tochka_stack.testing import ScratchPostgres

pytestmark = pytest.mark.anyio


async def test_an_administrator_without_superuser_rights_is_enough(postgres: ScratchPostgres) -> None:
    plan = DatabasePlan("made_by_admin", "made_owner", ("made_app",))
    root = await asyncpg.connect(postgres.superuser_dsn)
    await root.execute("CREATE ROLE plain_admin LOGIN CREATEDB CREATEROLE PASSWORD 'plain_admin-scratch'")
    admin = await asyncpg.connect(postgres.dsn("postgres", "plain_admin"))
    try:
        await check_server(admin)
        for _ in range(2):  # a second start changes nothing
            await provision(admin, plan, {"made_owner": "one", "made_app": "two"})

        worker = await asyncpg.connect(
            host=postgres.host, port=postgres.port, user="made_app", password="two", database=plan.name
        )
        assert await worker.fetchval("SELECT current_user") == "made_app"
        await worker.close()
    finally:
        await admin.close()
        await postgres.drop_database(plan.name)
        for role in (*plan.roles, "plain_admin"):
            await root.execute(f"DROP ROLE IF EXISTS {role}")
        await root.close()


@pytest.mark.parametrize(
    "makes_it_sly",
    ["ALTER ROLE sly_app BYPASSRLS", "GRANT sly_friend TO sly_app", "ALTER ROLE sly_app CREATEROLE"],
)
async def test_a_role_that_could_step_around_row_level_security_is_refused(
    postgres: ScratchPostgres, makes_it_sly: str
) -> None:
    root = await asyncpg.connect(postgres.superuser_dsn)
    await root.execute("CREATE ROLE sly_friend BYPASSRLS")
    await root.execute("CREATE ROLE sly_app")
    await root.execute(makes_it_sly)
    try:
        with pytest.raises(NotPermitted, match="sly_app has rights with which it could step around"):
            await provision(
                root, DatabasePlan("sly", "sly_owner", ("sly_app",)), {"sly_owner": "1", "sly_app": "2"}
            )
        assert not await root.fetchval("SELECT 1 FROM pg_database WHERE datname = 'sly'")
    finally:
        await root.execute("DROP ROLE IF EXISTS sly_app, sly_friend")
        await root.execute("DROP ROLE IF EXISTS sly_owner")
        await root.close()


def test_a_password_is_handed_over_as_a_verifier() -> None:
    verifier = scram_verifier("hush")
    assert verifier.startswith("SCRAM-SHA-256$4096:")
    assert "hush" not in verifier
    assert verifier != scram_verifier("hush")
