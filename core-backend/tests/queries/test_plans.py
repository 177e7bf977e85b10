"""Every query of every repository, explained on large tables: an index, or a reason."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterator
from types import ModuleType
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import tochka_core
from core_kit.explain import TENANT, scans
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from tochka_core.accounts.repository import sessions
from tochka_core.audit import repository as audit
from tochka_core.catalogue import repository as catalogue
from tochka_core.outbox import repository as outbox
from tochka_core.subscriptions import repository as subscriptions
from tochka_core.tenants import repository as tenants
from tochka_sdk import clock
from tochka_stack.testing import ScratchDatabase

pytestmark = pytest.mark.anyio

STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
# (query, table) -> why reading the whole table is right
REASONS = {
    ("webhooks.TENANT_OF_ENDPOINT", "webhook_endpoints"): "an operator asks, by hand",
    ("audit.MISPLACED", "audit_entries"): "a verification looks at everything",
    ("audit.MISPLACED", "audit_seals"): "a verification looks at everything",
    ("audit.MISPLACED", "audit_waiting"): "a verification looks at everything",
    ("audit.COUNT_WAITING", "audit_waiting"): "a verification counts everything that waits",
}
# the queue is the jobs role's; these of its queries are asked by requests
ASKED_BY_REQUESTS = {
    f"webhooks.{name}"
    for name in (
        *("FEED", "FEED_OF_TENANT", "SETTLE_REQUESTED", "LIST_DELIVERIES", "FIND_DELIVERY", "LIST_ATTEMPTS"),
        *("COUNT_REPLAYABLE", "ADD_REPLAY", "LIST_REPLAYS", "FIND_REPLAY", "CANCEL_REPLAY"),
    )
}
SEALED_BY_JOBS = {
    f"audit.{name}"
    for name in (
        *("RECORD_ONCE", "LOCK", "HEAD", "TAKE", "ADD_SEAL"),
        *("SEALS", "SEALED", "MISPLACED", "GONE_WAITING", "COUNT_WAITING"),
    )
}
OF_JOBS = {
    *("UPSERT_MODULE", "UPSERT_VERSION", "UPSERT_PLANS", "RETIRE_PLANS"),
    *("DUE_CHANGES", "CLAIM_NOTICES", "NOTICED"),
    *("RECEIVERS", "DELIVERED", "FAILED", "GONE"),
}
ONE = UUID(TENANT)


def _repositories() -> Iterator[tuple[str, ModuleType]]:
    """Every repository: a file, or the files of a folder."""
    for slice_ in pkgutil.iter_modules(tochka_core.__path__):
        name = f"tochka_core.{slice_.name}.repository"
        if slice_.ispkg and importlib.util.find_spec(name) is not None:
            repository = importlib.import_module(name)
            yield slice_.name, repository
            for part in pkgutil.iter_modules(getattr(repository, "__path__", ())):
                yield slice_.name, importlib.import_module(f"{name}.{part.name}")


def _constants() -> dict[str, str]:
    """The SQL that stands in repositories as text, by `slice.NAME`."""
    found = {}
    for slice_, module in _repositories():
        for name, value in vars(module).items():
            if isinstance(value, str) and STATEMENT.match(value):
                found[f"{slice_}.{name}"] = value
    return found


CONSTANTS = _constants()


def _role(name: str) -> str:
    slice_, _, constant = name.partition(".")
    is_job = (
        constant in OF_JOBS
        or name in SEALED_BY_JOBS
        or (slice_ == "webhooks" and name not in ASKED_BY_REQUESTS)
    )
    return "tochka_jobs" if is_job else "tochka_app"


@pytest.mark.parametrize("name", CONSTANTS)
async def test_a_constant_query_reads_no_table_from_end_to_end(
    superuser: asyncpg.Connection, name: str
) -> None:
    found = await scans(superuser, CONSTANTS[name], _role(name))
    assert [scan for scan in found if (name, scan.table) not in REASONS] == []


async def test_every_reason_is_still_needed(superuser: asyncpg.Connection) -> None:
    for name, table in REASONS:
        found = await scans(superuser, CONSTANTS[name], _role(name))
        assert table in {scan.table for scan in found}, name


Call = Callable[[AsyncSession], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "accounts.is_session_open": lambda session: sessions.is_session_open(session, ONE, ONE),
    "accounts.list_sessions": lambda session: sessions.list_sessions(
        session, ONE, moment=clock.now(), after=ONE, limit=21
    ),
    "audit.list_of_tenant": lambda session: audit.list_of_tenant(session, ONE, ONE, 21),
    "audit.list_of_person": lambda session: audit.list_of_person(session, ONE, ONE, 21),
    "catalogue.list_published": lambda session: catalogue.list_published(session, "module-7", 21),
    "catalogue.find_published": lambda session: catalogue.find_published(session, "module-7"),
    "catalogue.list_plans": lambda session: catalogue.list_plans(session, ["module-7", "module-8"]),
    "subscriptions.list_subscriptions": lambda session: subscriptions.list_subscriptions(
        session, ONE, ONE, 21
    ),
    "subscriptions.find": lambda session: subscriptions.find(session, ONE, ONE),
    "tenants.list_tenants": lambda session: tenants.list_tenants(session, ONE, ONE, 21),
    "tenants.list_members": lambda session: tenants.list_members(session, ONE, ONE, 21),
    "tenants.find_standing": lambda session: tenants.find_standing(session, ONE, ONE, ONE),
    "tenants.find": lambda session: tenants.find(session, ONE),
    "outbox.add": lambda session: outbox.add(
        session,
        {
            "tenant_id": ONE,
            "id": ONE,
            "type": "ping",
            "installation_id": None,
            "module_id": None,
            "data": {},
            "deadline_at": None,
        },
    ),
}


def _everyday() -> set[str]:
    """The functions of repositories that take a session of the everyday door."""
    found = set()
    for slice_, module in _repositories():
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.AsyncFunctionDef):
                annotations = [ast.unparse(a.annotation) for a in node.args.args if a.annotation]
                if any("AsyncSession" in annotation for annotation in annotations):
                    found.add(f"{slice_}.{node.name}")
    return found


def test_every_query_of_the_everyday_door_is_called_here() -> None:
    assert _everyday() == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
async def test_a_built_query_reads_no_table_from_end_to_end(
    large_database: ScratchDatabase, superuser: asyncpg.Connection, name: str
) -> None:
    executed: list[str] = []
    engine = create_async_engine(large_database.superuser_dsn.replace("postgresql", "postgresql+asyncpg", 1))

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        executed.append(statement)

    async with engine.connect() as connection:
        session = AsyncSession(bind=connection)
        await CALLS[name](session)
        await session.rollback()
    await engine.dispose()
    assert executed
    for statement in executed:
        found = await scans(superuser, statement, "tochka_app")
        assert [scan for scan in found if (name, scan.table) not in REASONS] == []


FUNCTIONS = """
    SELECT proname, prosrc, proargnames::text[] AS names,
           ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) t) AS types
    FROM pg_proc JOIN pg_language l ON l.oid = prolang
    WHERE pronamespace = 'public'::regnamespace AND lanname = 'sql'
"""


async def test_the_look_ups_that_precede_a_scope_read_no_table_from_end_to_end(
    superuser: asyncpg.Connection,
) -> None:
    functions = await superuser.fetch(FUNCTIONS)
    assert {row["proname"] for row in functions} >= {"resolve_host", "host_refusal", "user_id_by_phone"}
    for row in functions:
        sql = row["prosrc"]
        for number, (name, type) in enumerate(zip(row["names"] or (), row["types"], strict=False), 1):
            sql = re.sub(rf"\b{name}\b", f"${number}::{type}", sql)
        assert await scans(superuser, sql, "tochka_owner") == [], row["proname"]
