"""Signing up while something breaks: everything or nothing, a clean answer, and a new code that works."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from core_kit.codes import answer, challenge, look, refusal
from core_kit.people import unique_phone
from core_kit.running import RunningCore, core_settings, run_core
from tochka_core.migrate import upgrade
from tochka_stack.testing import ScratchDatabase, ScratchPostgres, running_redis, scratch_folder

pytestmark = pytest.mark.anyio

CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
WRITTEN = ("users", "tenants", "memberships", "sessions", "confirmed_challenges", "events", "audit_entries")
ROWS = {"audit_entries": 2}  # who came, and the tenant that was founded; one of everything else


@pytest.fixture(scope="module")
async def database(postgres: ScratchPostgres) -> AsyncIterator[ScratchDatabase]:
    """A database of one's own, since it is going to be broken."""
    made = await postgres.create_database("core", "tochka_owner", "tochka_app", "tochka_jobs")
    await upgrade(made.owner_dsn)
    yield made
    await postgres.drop_database(made.name)


@pytest.fixture(scope="module")
async def fragile(database: ScratchDatabase, redis_url: str) -> AsyncIterator[RunningCore]:
    """A core on that database."""
    async with run_core(core_settings(database, redis_url)) as running:
        yield running


@pytest.fixture
async def caller(fragile: RunningCore) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody in particular."""
    async with httpx.AsyncClient(base_url=fragile.url, timeout=20) as client:
        yield client


async def _execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _counts(database: ScratchDatabase) -> dict[str, int]:
    counts = {}
    for table in WRITTEN:
        query = f"SELECT count(*) AS n FROM {table}"  # noqa: S608  the names are this file's own
        counts[table] = (await look(database, query))[0]["n"]
    return counts


LOST, BROKEN = ("57P01", (503, "signup.interrupted")), ("XX000", (500, "internal.error"))


@pytest.mark.parametrize(
    ("table", "error", "expected"), [*((table, *LOST) for table in WRITTEN), ("events", *BROKEN)]
)
async def test_a_fault_at_any_step_leaves_nothing(
    database: ScratchDatabase, caller: httpx.AsyncClient, table: str, error: str, expected: tuple[int, str]
) -> None:
    challenge_id, phone, code = await challenge(caller)
    before = await _counts(database)
    await _execute(
        database.superuser_dsn,
        f"CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'broken' USING ERRCODE = '{error}'; END $$",
        f"CREATE CONSTRAINT TRIGGER breaks AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION breaks()",
    )
    try:
        failed = await answer(caller, challenge_id, code)
        assert refusal(failed) == expected
        assert "broken" not in failed.text
    finally:
        await _execute(database.superuser_dsn, f"DROP TRIGGER breaks ON {table}", "DROP FUNCTION breaks()")
    assert await _counts(database) == before
    assert refusal(await answer(caller, challenge_id, code)) == (410, "accounts.code_used")

    again, _, fresh = await challenge(caller, phone)
    assert (await answer(caller, again, fresh)).json()["is_new_user"] is True
    assert await _counts(database) == {name: count + ROWS.get(name, 1) for name, count in before.items()}


async def test_a_database_that_went_away_is_said_so_and_a_new_code_will_do(
    database: ScratchDatabase, postgres: ScratchPostgres, caller: httpx.AsyncClient
) -> None:
    challenge_id, phone, code = await challenge(caller)
    before = await _counts(database)
    close = f'ALTER DATABASE "{database.name}" CONNECTION LIMIT 0'
    await _execute(postgres.superuser_dsn, close)
    await look(database, CUT)
    try:
        failed = await answer(caller, challenge_id, code)
        assert refusal(failed) == (503, "signup.interrupted")
        assert "retry-after" in failed.headers
    finally:
        await _execute(postgres.superuser_dsn, close.replace("LIMIT 0", "LIMIT -1"))
    assert await _counts(database) == before
    again, _, fresh = await challenge(caller, phone)
    assert (await answer(caller, again, fresh)).status_code == 200


async def test_without_redis_no_code_is_sent_and_none_is_taken(database: ScratchDatabase) -> None:
    before = await _counts(database)
    with scratch_folder() as folder, running_redis(folder) as redis:
        url = redis.url()
        async with (
            run_core(core_settings(database, url)) as core,
            httpx.AsyncClient(base_url=core.url) as client,
        ):
            challenge_id, _, code = await challenge(client)
            await core.resources.redis.shutdown(nosave=True)
            for _ in range(2):
                failed = await answer(client, challenge_id, code)
                assert refusal(failed) == (503, "redis.unavailable")
            body = {"phone": unique_phone(), "channel": "max"}
            assert (await client.post("/api/v1/auth/challenges", json=body)).status_code == 503
    assert await _counts(database) == before
