"""The walk: every tenant table, every verb, as own, other and none, for every scope and both roles.

What a table promises is written down here by hand, not read from its policies: the walk compares the two.
It works on any connection: logged in as the role, or as a superuser who takes the role for each probe, so
that it can look at policies that were changed in the same, uncommitted transaction.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import asyncpg
import orjson
from tochka_stack.testing import ScratchDatabase

Kind = Literal["tenant", "user", "module"]
Row = dict[str, Any]
DENIED = "42501"
SETTINGS: dict[Kind, str] = {"tenant": "app.tenant_id", "user": "app.user_id", "module": "app.module_id"}
ROLES = ("tochka_app", "tochka_jobs")


@dataclass(frozen=True)
class World:
    """Whose rows are whose: the ids of one party, by the scope that they stand for."""

    tenant: UUID
    user: UUID
    module: str

    def of(self, kind: Kind) -> UUID | str:
        """The id for a scope."""
        ids: dict[Kind, UUID | str] = {"tenant": self.tenant, "user": self.user, "module": self.module}
        return ids[kind]


@dataclass(frozen=True)
class Case:
    """What a table promises: in the scope `whole`, every verb on rows whose `column` is its own; in the
    scopes of `reads`, a look at rows that fit a condition ($1 is the scope's id). A `queue` is open to the
    jobs role as a whole. What only `grows` is never changed, by no role and whatever is granted; a person in
    the scope of a user adds to it what names that person.
    """

    whole: Kind
    column: str
    reads: Mapping[Kind, str] = field(default_factory=dict)
    queue: bool = False
    grows: bool = False


# what the database works out by itself cannot be inserted
GIVEN_COLUMNS = """
    SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
    WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
OWN = "SELECT {0} FROM memberships WHERE {1} = $1"
CASES = {
    "users": Case("user", "id", {"tenant": f"id IN ({OWN.format('user_id', 'tenant_id')})"}),
    "sessions": Case("user", "user_id"),
    "confirmed_challenges": Case("user", "user_id"),
    "passwords": Case("user", "user_id"),
    "messenger_accounts": Case("user", "user_id"),
    "phone_changes": Case("user", "user_id", queue=True),
    "tenants": Case("tenant", "id", {"user": f"id IN ({OWN.format('tenant_id', 'user_id')})"}),
    "memberships": Case("tenant", "tenant_id", {"user": "user_id = $1"}),
    "invitations": Case("tenant", "tenant_id"),
    "handovers": Case("tenant", "tenant_id"),
    "idempotency_keys": Case("user", "user_id"),
    "events": Case(
        "tenant",
        "tenant_id",
        {"module": "id IN (SELECT event_id FROM deliveries WHERE receiver = $1)"},
        queue=True,
    ),
    "subscriptions": Case("tenant", "tenant_id"),
    "installations": Case("tenant", "tenant_id", {"module": "module_id = $1"}),
    "domains": Case("tenant", "tenant_id"),
    "quarantined_hosts": Case("tenant", "tenant_id"),
    "licenses": Case("tenant", "tenant_id", {"module": "module_id = $1"}),
    "receiver_sequences": Case("tenant", "tenant_id", queue=True),
    "webhook_endpoints": Case("tenant", "tenant_id", queue=True),
    "replays": Case("tenant", "tenant_id", queue=True),
    "delivery_queues": Case("tenant", "tenant_id", queue=True),
    "deliveries": Case("tenant", "tenant_id", {"module": "receiver = $1"}, queue=True),
    "attempts": Case("tenant", "tenant_id", queue=True),
    "audit_entries": Case("tenant", "tenant_id", {"user": "user_id = $1"}, queue=True, grows=True),
}
# The platform's own, behind policies: what each role may do with all of it, in any scope or none, whatever is
# granted.
PLATFORM: dict[str, dict[str, set[str]]] = {
    "audit_waiting": {"tochka_app": set(), "tochka_jobs": {"SELECT", "DELETE"}},
    "audit_seals": {"tochka_app": set(), "tochka_jobs": {"SELECT", "INSERT"}},
}
ADD_ENTRY = "INSERT INTO audit_entries (id, action, data) VALUES (gen_random_uuid(), 'codes.refused', '{}')"
# the platform's own: they name no tenant and no person
GLOBAL = {"modules", "module_versions", "plans", "receiver_positions", "alembic_version"}


@dataclass(frozen=True)
class Expectation:
    """One table as it is, past all policies: all rows, and what each party owns of it."""

    rows: dict[str, Row]
    own: dict[World, set[str]]
    seen: dict[tuple[World, Kind], set[str]]


@dataclass(frozen=True)
class Worlds:
    """The database, the two parties, and what every table really holds."""

    database: ScratchDatabase
    parties: tuple[World, World]
    expectations: dict[str, Expectation]
    platform: dict[str, dict[str, Row]]
    hosts: tuple[str, str]
    phones: tuple[str, str]


class Walk:
    """Probes of one table after the other; `complaints` says what was not as promised."""

    def __init__(self, connection: asyncpg.Connection, parties: tuple[World, World], *, switch: bool) -> None:
        self._connection = connection
        self._parties = parties
        self._switch = switch
        self.complaints: list[str] = []

    async def expect(self, table: str) -> Expectation:
        """Look at a table as a superuser."""
        case = CASES[table]
        rows = await self.rows(table)
        own: dict[World, set[str]] = {}
        seen: dict[tuple[World, Kind], set[str]] = {}
        for party in self._parties:
            own[party] = await self._keys(table, f"{case.column} = $1", party.of(case.whole))
            seen[party, case.whole] = own[party]
            for kind, condition in case.reads.items():
                seen[party, kind] = await self._keys(table, condition, party.of(kind))
        return Expectation(rows, own, seen)

    async def rows(self, table: str) -> dict[str, Row]:
        """All rows of a table, looked at as a superuser."""
        return {row["key"]: orjson.loads(row["row"]) for row in await self._rows(table, "true")}

    async def _rows(self, table: str, condition: str, *values: Any) -> list[asyncpg.Record]:
        query = f"SELECT ctid::text AS key, to_jsonb(t)::text AS row FROM {table} t WHERE {condition}"  # noqa: S608  names of our own
        return await self._connection.fetch(query, *values)

    async def _keys(self, table: str, condition: str, *values: Any) -> set[str]:
        return {row["key"] for row in await self._rows(table, condition, *values)}

    @asynccontextmanager
    async def _as(self, role: str, kind: Kind | None, party: World) -> AsyncIterator[None]:
        """A probe's surroundings: the role, at most one scope, and nothing of it left behind."""
        await self._connection.execute("SAVEPOINT probe")
        try:
            if self._switch:
                await self._connection.execute(f"SET LOCAL ROLE {role}")
            if kind is not None:
                await self._connection.execute(
                    "SELECT set_config($1, $2, true)", SETTINGS[kind], str(party.of(kind))
                )
            yield
        finally:
            await self._connection.execute("ROLLBACK TO SAVEPOINT probe; RELEASE SAVEPOINT probe")

    async def _touched(self, role: str, kind: Kind | None, query: str, *values: Any) -> set[str] | str:
        """The rows that a statement touches, or the code of the error that it meets."""
        try:
            async with self._as(role, kind, self._parties[0]):
                return {row["key"] for row in await self._connection.fetch(query, *values)}
        except asyncpg.PostgresError as error:
            return error.sqlstate or "unknown"

    def _check(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            self.complaints.append(f"{what}: {_short(found)}, not {_short(expected)}")

    async def table(self, table: str, role: str, expectation: Expectation) -> None:
        """All probes of one table as one role, for the first of the two parties."""
        case, me = CASES[table], self._parties[0]
        is_open = case.queue and role == "tochka_jobs"
        for kind in (*SETTINGS, None):
            name = f"{role} {table} in {kind or 'no'} scope"
            everything = set(expectation.rows)
            nothing: set[str] | str = set() if kind else DENIED
            seen = everything if is_open else expectation.seen.get((me, kind), nothing) if kind else nothing
            own = everything if is_open else expectation.own[me] if kind == case.whole else nothing
            if await self._may(role, table, "SELECT"):
                query = f"SELECT ctid::text AS key FROM {table}"  # noqa: S608  names of our own
                self._check(f"{name}: SELECT", await self._touched(role, kind, query), seen)
            await self._writes(table, role, kind, name, set() if case.grows else own)
            if await self._may(role, table, "INSERT"):
                await self._inserts(table, role, kind, name, expectation, is_open=is_open)

    async def _writes(self, table: str, role: str, kind: Kind | None, name: str, own: set[str] | str) -> None:
        await self._updates(table, role, kind, name, own)
        if own and not isinstance(own, str) and await self._may_update(role, table, CASES[table].column):
            await self._moves(table, role, kind, name)
        await self._deletes(table, role, kind, name, own)

    async def _updates(
        self, table: str, role: str, kind: Kind | None, name: str, own: set[str] | str
    ) -> None:
        column = await self._updatable(role, table)
        if column is not None:
            query = f"UPDATE {table} SET {column} = {column} RETURNING {table}.ctid::text AS key"  # noqa: S608  names of our own
            found = await self._touched(role, kind, query)
            expected = own if isinstance(own, str) else len(own)
            self._check(f"{name}: UPDATE", found if isinstance(found, str) else len(found), expected)

    async def _deletes(
        self, table: str, role: str, kind: Kind | None, name: str, own: set[str] | str
    ) -> None:
        if await self._may(role, table, "DELETE"):
            query = f"DELETE FROM {table} RETURNING {table}.ctid::text AS key"  # noqa: S608  names of our own
            found = await self._touched(role, kind, query)
            if found != "23503":  # allowed, and held by a foreign key
                self._check(f"{name}: DELETE", found, own)

    async def _moves(self, table: str, role: str, kind: Kind | None, name: str) -> None:
        """One's own row must not become another's."""
        case, (me, other) = CASES[table], self._parties
        if case.queue and role == "tochka_jobs":
            return
        query = f"UPDATE {table} SET {case.column} = $2 WHERE {case.column} = $1 RETURNING ctid::text AS key"  # noqa: S608  names of our own
        found = await self._touched(role, kind, query, me.of(case.whole), other.of(case.whole))
        self._check(f"{name}: UPDATE to another's", found, DENIED)

    async def _inserts(
        self,
        table: str,
        role: str,
        kind: Kind | None,
        name: str,
        expectation: Expectation,
        *,
        is_open: bool,
    ) -> None:
        case, (me, other) = CASES[table], self._parties
        given = await self._connection.fetchval(GIVEN_COLUMNS, table)
        source = f"jsonb_populate_record(NULL::{table}, $1::jsonb)"
        query = f"INSERT INTO {table} ({given}) SELECT {given} FROM {source}"  # noqa: S608  names of our own
        for whose, party in (("one's own", me), ("another's", other)):
            row = expectation.rows[next(iter(expectation.own[party]))]
            found = await self._touched(role, kind, query, orjson.dumps(row).decode())
            is_self = case.grows and kind == "user" and row["user_id"] == str(party.user)
            is_allowed = is_open or (party is me and (kind == case.whole or is_self))
            is_denied = found == DENIED
            self._check(f"{name}: INSERT of {whose} is denied", is_denied, not is_allowed)

    async def platform(self, table: str, role: str, rows: dict[str, Row]) -> None:
        """All probes of a table of the platform's own as one role."""
        allowed = PLATFORM[table][role]
        for kind in (*SETTINGS, None):
            name = f"{role} {table} in {kind or 'no'} scope"
            if await self._may(role, table, "SELECT"):
                query = f"SELECT ctid::text AS key FROM {table}"  # noqa: S608  names of our own
                seen = set(rows) if "SELECT" in allowed else set()
                self._check(f"{name}: SELECT", await self._touched(role, kind, query), seen)
            await self._updates(table, role, kind, name, set())
            await self._deletes(table, role, kind, name, set(rows) if "DELETE" in allowed else set())
            if await self._may(role, table, "INSERT"):
                query = f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, $1::jsonb)"  # noqa: S608  names of our own
                row = orjson.dumps(next(iter(rows.values()))).decode()
                is_denied = await self._touched(role, kind, query, row) == DENIED
                self._check(f"{name}: INSERT is denied", is_denied, "INSERT" not in allowed)
            self._check(f"{name}: an entry can be added", await self._touched(role, kind, ADD_ENTRY), set())

    async def _may(self, role: str, table: str, verb: str) -> bool:
        query = "SELECT has_table_privilege($1, $2, $3)"
        return bool(await self._connection.fetchval(query, role, table, verb))

    async def _may_update(self, role: str, table: str, column: str) -> bool:
        query = "SELECT has_column_privilege($1, $2, $3, 'UPDATE')"
        return bool(await self._connection.fetchval(query, role, table, column))

    async def _updatable(self, role: str, table: str) -> str | None:
        """A column that the role may update, if any."""
        query = """
            SELECT attname FROM pg_attribute
            WHERE attrelid = $2::regclass AND attnum > 0 AND NOT attisdropped
              AND has_column_privilege($1, attrelid, attnum, 'UPDATE') ORDER BY attnum LIMIT 1
        """
        found: str | None = await self._connection.fetchval(query, role, table)
        return found


def _short(value: object) -> str:
    return f"{len(value)} rows" if isinstance(value, set) else str(value)


async def walk(
    connection: asyncpg.Connection,
    expectations: Mapping[str, Expectation],
    parties: tuple[World, World],
    *,
    roles: Sequence[str],
    switch: bool,
    platform: Mapping[str, dict[str, Row]] | None = None,
) -> list[str]:
    """Everything about the tables in `expectations` that is not as promised, seen from both parties, and
    about those of the platform.

    With `switch` the connection is a superuser's, which takes each role in turn.
    """
    complaints: list[str] = []
    for me, other in (parties, parties[::-1]):
        steps = Walk(connection, (me, other), switch=switch)
        for table, expectation in expectations.items():
            for role in roles:
                await steps.table(table, role, expectation)
        for table, rows in (platform or {}).items():
            for role in roles:
                await steps.platform(table, role, rows)
        complaints += steps.complaints
    return complaints
