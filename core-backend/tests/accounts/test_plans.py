"""Every query on people and tenants finds its rows by an index, in large tables and behind the policies."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from core_kit.codes import look, statements
from core_kit.running import RunningCore, core_settings, run_core
from sqlalchemy.ext.asyncio import AsyncSession
from tochka_core.accounts.repository import people, sessions
from tochka_core.idempotency import repository as keys
from tochka_core.migrate import upgrade
from tochka_core.tenants import repository as tenants
from tochka_sdk import clock
from tochka_sdk.db import Scope
from tochka_stack.testing import ScratchDatabase, ScratchPostgres

pytestmark = pytest.mark.anyio

SEED = (
    """
    INSERT INTO users (id, phone, name)
    SELECT gen_random_uuid(), '+7999' || lpad(n::text, 7, '0'), 'n' FROM generate_series(1, 20000) n
    """,
    "INSERT INTO tenants (id, name) SELECT gen_random_uuid(), 'n' FROM users",
    """
    INSERT INTO memberships (tenant_id, user_id, role)
    SELECT t.id, u.id, 'owner' FROM (SELECT id, row_number() OVER () AS n FROM tenants) t
    JOIN (SELECT id, row_number() OVER () AS n FROM users) u USING (n)
    """,
    """
    INSERT INTO memberships (tenant_id, user_id, role)
    SELECT t.id, u.id, 'staff' FROM (SELECT id FROM tenants LIMIT 20) t, (SELECT id FROM users LIMIT 300) u
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO sessions (user_id, id, idle_expires_at, expires_at)
    SELECT id, gen_random_uuid(), now() + interval '1 day', now() + interval '1 day' FROM users
    """,
    "INSERT INTO confirmed_challenges (challenge_id, user_id) SELECT gen_random_uuid(), id FROM users",
    """
    INSERT INTO idempotency_keys (user_id, key, fingerprint, status, body)
    SELECT id, 'k', 'f', 201, '{}' FROM users
    """,
    "ANALYZE",
)


@dataclass(frozen=True)
class Large:
    """A core on a large database, and one ordinary member in it."""

    core: RunningCore
    tenant_id: UUID
    user_id: UUID
    session_id: UUID

    @property
    def scope(self) -> Scope:
        """The member's."""
        return Scope(tenant_id=self.tenant_id, user_id=self.user_id)


@pytest.fixture(scope="module")
async def large(postgres: ScratchPostgres, redis_url: str) -> AsyncIterator[Large]:
    """Twenty thousand of each."""
    database: ScratchDatabase = await postgres.create_database(
        "core_large", "tochka_owner", "tochka_app", "tochka_jobs"
    )
    await upgrade(database.owner_dsn)
    for statement in SEED:
        await look(database, statement)
    query = "SELECT m.tenant_id, m.user_id, s.id FROM memberships m JOIN sessions s USING (user_id) LIMIT 1"
    (row,) = await look(database, query)
    async with run_core(core_settings(database, redis_url)) as core:
        yield Large(core, row["tenant_id"], row["user_id"], row["id"])
    await postgres.drop_database(database.name)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


async def _scans(large: Large, statement: str, *values: Any) -> list[str]:
    """Tables that the statement would read from end to end."""
    async with large.core.resources.connections.transaction(large.scope) as connection:
        plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *values)
    root = (orjson.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return [node["Relation Name"] for node in _nodes(root) if node["Node Type"] == "Seq Scan"]


HOT: dict[str, Callable[[Large], tuple[Any, ...]]] = {
    "a person": lambda at: (people.GET_USER, at.user_id),
    "changing a person": lambda at: (people.UPDATE_USER, at.user_id, "n", None),
    "whether a session is open": lambda at: (sessions.IS_OPEN, at.user_id, at.session_id),
    "a session": lambda at: (sessions.GET_SESSION, at.user_id, at.session_id),
    "rotating": lambda at: (
        sessions.ROTATE, at.user_id, at.session_id, 0, clock.now(), timedelta(days=1), "n", None,
        at.tenant_id,
    ),
    "revoking": lambda at: (sessions.REVOKE, at.user_id, at.session_id, clock.now()),
    "revoking all": lambda at: (sessions.REVOKE_ALL, at.user_id, at.session_id, clock.now()),
    "a new session": lambda at: (
        sessions.ADD_SESSION, at.user_id, uuid4(), "n", None, *[clock.now()] * 3, 19, "otp", uuid4(),
        at.tenant_id,
    ),
    "standing of a member": lambda at: (tenants.STANDING, at.tenant_id, at.user_id, at.session_id),
    "a tenant": lambda at: (tenants.GET, at.tenant_id),
    "changing a tenant": lambda at: (tenants.UPDATE, at.tenant_id, "n", None),
    "tenants of a person": lambda at: (tenants.OF_PERSON, at.user_id, 100),
    "claiming a key": lambda at: (keys.CLAIM, at.user_id, "k", "f", timedelta(days=1)),
    "a stored answer": lambda at: (keys.READ, at.user_id, "k"),
    "storing an answer": lambda at: (keys.FILL, at.user_id, "k", "f", 201, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_query_uses_an_index(large: Large, name: str) -> None:
    assert await _scans(large, *HOT[name](large)) == []


@pytest.mark.parametrize("look_up", [people.ID_BY_PHONE, people.ID_AND_DEAREST])
async def test_a_phone_is_looked_up_by_an_index(large: Large, look_up: str) -> None:
    async with large.core.resources.connections.system("counts buffers of the look-up") as connection:
        assert await connection.fetchval(look_up, "+79990000001") is not None
        query = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {look_up}"
        plan = await connection.fetchval(query, "+79990000002")
    root = (orjson.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    assert root["Shared Hit Blocks"] + root["Shared Read Blocks"] < 20


Ask = Callable[[AsyncSession, Large], Awaitable[object]]
EVERYDAY: dict[str, Ask] = {
    "whether a session is open": lambda session, at: sessions.is_session_open(
        session, at.user_id, at.session_id
    ),
    "sessions": lambda session, at: sessions.list_sessions(
        session, at.user_id, moment=clock.now(), after=uuid4(), limit=51
    ),
    "a tenant": lambda session, at: tenants.find(session, at.tenant_id),
    "standing of a member": lambda session, at: tenants.find_standing(
        session, at.tenant_id, at.user_id, at.session_id
    ),
    "tenants": lambda session, at: tenants.list_tenants(session, at.user_id, UUID(int=0), 51),
    "members": lambda session, at: tenants.list_members(session, at.tenant_id, UUID(int=0), 51),
}


@pytest.mark.parametrize("name", EVERYDAY)
async def test_an_everyday_query_is_one_statement_with_an_index(large: Large, name: str) -> None:
    async with large.core.resources.database.session(large.scope) as session:
        with statements() as seen:
            await EVERYDAY[name](session, large)
    ((statement, values),) = seen
    assert await _scans(large, statement, *values) == []


async def test_a_missing_index_would_be_seen(large: Large) -> None:
    assert await _scans(large, "SELECT 1 FROM users WHERE name = 'n'") == ["users"]
